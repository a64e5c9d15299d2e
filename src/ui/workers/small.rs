//! Small pictures, drawn beside all else: the sheet of a review, thumbnails of the list.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::shelf::is_light;
use super::slot::Slot;
use super::{Event, caught, tell};
use crate::core::geometry::Size;
use crate::core::image::Image;
use crate::core::scene::Photo;
use crate::core::sheet;
use crate::store::decode;
use crate::term::photo::averaged;
use crate::ui::action::{Drawing, Outcome};

/// What is to be drawn.
#[derive(Debug)]
pub struct Small {
    pub sheet: Option<Drawing>,
    /// Images, the nearest first.
    pub thumbnails: Vec<PathBuf>,
}

/// The longest side of a thumbnail.
const LONGEST: u32 = 320;
/// How many are kept at hand.
const KEPT: usize = 256;

/// Thumbnails made so far, the newest last; `None` where the image cannot be read.
type Made = VecDeque<(PathBuf, Option<Photo>)>;

/// Draws what is wanted until the slot is closed: the sheet first, a person waits for it.
pub fn draw_all(small: &Slot<Small>, events: &Sender<Event>) {
    let mut drawn: Option<(u64, Arc<Image>)> = None;
    let mut made = Made::new();
    while let Some(Small { sheet, thumbnails }) = small.take() {
        if let Some(sheet) = sheet {
            drawn = drawn.filter(|(key, _)| *key == sheet.key);
            match drawn.clone().map_or_else(|| draw(&sheet), Ok) {
                Ok(done) => {
                    tell(events, Outcome::Drawn(done.0, Arc::clone(&done.1)));
                    drawn = Some(done);
                }
                Err(why) => tell(events, Outcome::Failed(why)),
            }
        }
        for path in thumbnails {
            if small.is_newer_waiting() {
                break;
            }
            let photo = thumbnail(&mut made, &path);
            tell(events, Outcome::Thumbnail(path, photo));
        }
    }
}

fn draw(sheet: &Drawing) -> Result<(u64, Arc<Image>), String> {
    let image = caught("drawing the objects of", &sheet.path, || {
        sheet::draw(&sheet.image, &sheet.masks)
    })?;
    Ok((sheet.key, Arc::new(image)))
}

/// A thumbnail that was made before, or a new one.
fn thumbnail(made: &mut Made, path: &Path) -> Option<Photo> {
    if let Some((_, photo)) = made.iter().find(|(p, _)| p == path) {
        return photo.clone();
    }
    let photo = read_small(path);
    if made.len() == KEPT {
        made.pop_front();
    }
    made.push_back((path.to_path_buf(), photo.clone()));
    photo
}

/// `None` of what cannot be read, which is told when it is its turn, and of what would take the
/// memory of all others.
fn read_small(path: &Path) -> Option<Photo> {
    let read = caught("decoding", path, || {
        decode::small(path, LONGEST).or_else(|| {
            let decoded = is_light(path).then(|| decode::decode(path))?.ok()?;
            Some(Photo {
                key: decoded.key,
                image: Arc::new(reduced(&decoded.image)),
            })
        })
    });
    read.ok().flatten()
}

fn reduced(image: &Image) -> Image {
    let size = image.size();
    let scale = (f64::from(LONGEST) / f64::from(size.longest())).min(1.0);
    let side = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    let small = Size::new(side(size.width), side(size.height));
    let rgb = averaged(image, size.bounds(), small.width, small.height);
    Image::from_rgb(small, rgb)
}
