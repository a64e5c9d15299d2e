//! Small pictures, drawn beside all else: the sheet of a review.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::slot::Slot;
use super::{Event, caught, tell};
use crate::core::sheet;
use crate::ui::action::{Drawing, Outcome};

/// What is to be drawn.
#[derive(Debug)]
pub struct Small {
    pub sheet: Drawing,
}

/// Draws what is wanted until the slot is closed.
pub fn draw_all(small: &Slot<Small>, events: &Sender<Event>) {
    while let Some(Small { sheet }) = small.take() {
        let drawn = caught("drawing the objects of", &sheet.path, || {
            sheet::draw(&sheet.image, &sheet.masks)
        });
        let outcome = match drawn {
            Ok(image) => Outcome::Drawn(sheet.key, Arc::new(image)),
            Err(why) => Outcome::Failed(why),
        };
        tell(events, outcome);
    }
}
