//! The sheet of a review: all objects of an image at once, letters reject, one key accepts the rest.

use std::sync::Arc;

use crate::core::document::Verdict;
use crate::core::image::Image;
use crate::core::sheet::TILES;
use crate::ui::action::Drawing;
use crate::ui::mode::{Mode, Sheet, Tile};
use crate::ui::review::Sight;
use crate::ui::state::State;

impl State {
    /// Goes from one object at a time to the sheet, and back.
    pub(super) fn toggle_sheet(&mut self) {
        match self.mode {
            Mode::Sheet => {
                self.sheet = None;
                self.mode = Mode::Review;
                self.show_in_review();
            }
            Mode::Review => {
                self.mode = Mode::Sheet;
                self.fill_sheet();
            }
            _ => {}
        }
    }

    /// Puts the next objects of the image on the sheet; where it has none, goes on to the next
    /// image of the queue.
    pub(super) fn fill_sheet(&mut self) {
        self.sheet = None;
        // The queue's next object that still counts says which image it is.
        self.show_in_review();
        let Some(open) = self.shown().filter(|o| o.selected.is_some()) else {
            if self.review.item().is_none() && self.review.surveyed {
                self.mode = Mode::Review;
            }
            return;
        };
        let objects = &open.document().objects;
        let mut tiles = Vec::new();
        for (at, item) in self.review.queue.iter().enumerate().skip(self.review.at) {
            if item.image != self.at || item.sight == Sight::Again || tiles.len() == TILES {
                continue;
            }
            let found = objects.iter().find(|o| o.id == item.id);
            let Some(object) = found.filter(|o| self.review.plan.filter.takes(o)) else {
                continue;
            };
            tiles.push(Tile {
                at,
                id: object.id,
                rejected: false,
            });
        }
        if tiles.is_empty() {
            return;
        }
        // Another revision or page is another picture.
        let key = open.decoded.key
            ^ open.history.revision().rotate_left(32)
            ^ (tiles[0].id << 8)
            ^ 0x5eed;
        self.sheet = Some(Sheet {
            image: None,
            key,
            tiles,
        });
    }

    /// The sheet that is not drawn yet.
    pub(in crate::ui) fn undrawn(&self) -> Option<Drawing> {
        let sheet = self.sheet.as_ref().filter(|s| s.image.is_none())?;
        let open = self.shown()?;
        let objects = &open.document().objects;
        let mask = |tile: &Tile| {
            let object = objects.iter().find(|o| o.id == tile.id)?;
            Some((Arc::clone(&object.mask), self.colour(&object.class)))
        };
        Some(Drawing {
            key: sheet.key,
            path: open.path.clone(),
            image: Arc::clone(&open.decoded.image),
            // All are there: when somebody else changes the image, the sheet is filled anew.
            masks: sheet.tiles.iter().map(mask).collect::<Option<_>>()?,
        })
    }

    pub(super) fn drawn(&mut self, key: u64, image: Arc<Image>) {
        if let Some(sheet) = self.sheet.as_mut().filter(|s| s.key == key) {
            sheet.image = Some(image);
        }
    }

    /// Marks a tile by its letter as one to reject, or takes that back.
    pub(in crate::ui) fn mark_tile(&mut self, letter: char) {
        let index = (letter as usize).wrapping_sub('a' as usize);
        if let Some(tile) = self.sheet.as_mut().and_then(|s| s.tiles.get_mut(index)) {
            tile.rejected = !tile.rejected;
        }
    }

    /// Gives every object on the sheet its verdict and brings the next sheet.
    pub(super) fn judge_sheet(&mut self) {
        if !self.may_write() {
            return;
        }
        let Some(sheet) = self.sheet.take() else {
            return;
        };
        let start = self.review.at;
        for tile in &sheet.tiles {
            let found = self.shown().and_then(|o| {
                let objects = &o.document().objects;
                objects.iter().position(|o| o.id == tile.id)
            });
            let Some(index) = found else { continue };
            self.review.at = tile.at;
            self.give(
                index,
                if tile.rejected {
                    Verdict::Rejected
                } else {
                    Verdict::Accepted
                },
            );
        }
        self.review.at = start;
        self.fill_sheet();
    }
}
