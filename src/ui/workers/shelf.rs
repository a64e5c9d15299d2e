//! Decoded images at hand: the shown one, and those that may be next.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::desk::{Desk, Picture};
use super::disk::DiskJob;
use super::slot::Slot;
use super::{Event, caught, tell};
use crate::core::scene::Photo;
use crate::store::decode::{self, Decoded, Depth, Onlooker, Window};
use crate::ui::action::Outcome;

/// Images that shall be in memory.
#[derive(Debug)]
pub struct Shelf {
    /// To be shown.
    pub open: Option<PathBuf>,
    /// What may be next, the likeliest first.
    pub ahead: Vec<PathBuf>,
    pub window: Window,
}

/// Decoded images, the last used at the end, with the window they were decoded through.
type Kept = VecDeque<(PathBuf, Window, Decoded)>;

/// How many bytes of decoded images are kept at hand.
const SHELF_BYTES: usize = 512 << 20;

/// Decodes what is wanted until the slot is closed.
pub fn decode_all(
    shelf: &Slot<Shelf>,
    desk: &Desk,
    disk: &Sender<DiskJob>,
    events: &Sender<Event>,
) {
    let mut kept = Kept::new();
    let (mut shown, mut through): (Option<PathBuf>, _) = (None, Window::default());
    while let Some(Shelf {
        open,
        ahead,
        window,
    }) = shelf.take()
    {
        let mut pictures: Vec<Picture> = Vec::new();
        let picture = |decoded: &Decoded| (Arc::clone(&decoded.image), decoded.key);
        if shown == open {
            if let Some(path) = open.as_ref().filter(|_| window != through)
                && !is_kept(&kept, path, window)
                && let Ok(decoded) = fetch(&mut kept, path, window, &mut Onlooker::nobody())
            {
                let outcome = Outcome::Windowed(path.clone(), window, Box::new(decoded));
                tell(events, outcome);
            }
            through = window;
            let here = kept.iter().find(|(p, ..)| Some(p) == open.as_ref());
            pictures.extend(here.map(|(.., decoded)| picture(decoded)));
        } else if let Some(path) = open {
            let mut looked = |look| tell(events, Outcome::Looked(path.clone(), look));
            match fetch(
                &mut kept,
                &path,
                window,
                &mut Onlooker::new(&path, &mut looked),
            ) {
                Ok(decoded) => {
                    pictures.push(picture(&decoded));
                    let _ = disk.send(DiskJob::Open(path.clone(), decoded));
                    (shown, through) = (Some(path), window);
                }
                Err(why) => {
                    shown = None;
                    tell(events, Outcome::OpenFailed(path, why));
                }
            }
        }
        desk.ahead(pictures.clone());
        for path in ahead {
            if shelf.is_newer_waiting() {
                break;
            }
            if !is_kept(&kept, &path, window) && !is_light(&path) {
                continue;
            }
            // A neighbour that cannot be read is told when it is its turn.
            if let Ok(decoded) = fetch(&mut kept, &path, window, &mut Onlooker::nobody()) {
                pictures.push(picture(&decoded));
                desk.ahead(pictures.clone());
                let Decoded { key, image, .. } = decoded;
                tell(events, Outcome::Ahead(path, Photo { key, image }));
            }
        }
    }
}

fn is_kept(kept: &Kept, path: &Path, window: Window) -> bool {
    kept.iter().any(|entry| fits(entry, path, window))
}

/// Whether this is the image as it shall be shown.
fn fits(entry: &(PathBuf, Window, Decoded), path: &Path, window: Window) -> bool {
    let (kept, through, decoded) = entry;
    kept == path && (*through == window || decoded.depth == Depth::Bytes)
}

/// Whether an image leaves room for others on the shelf: what does not is decoded when it is its
/// turn.
pub(super) fn is_light(path: &Path) -> bool {
    let size = decode::size(path);
    size.is_ok_and(|size| 3 * size.area() <= (SHELF_BYTES / 2) as u64)
}

/// An image from the shelf, or decoded; what takes long to decode is shown coarsely first.
fn fetch(
    kept: &mut Kept,
    path: &Path,
    window: Window,
    onlooker: &mut Onlooker<'_>,
) -> Result<Decoded, String> {
    if let Some(i) = kept.iter().position(|entry| fits(entry, path, window)) {
        let found = kept.remove(i).expect("just found");
        let decoded = found.2.clone();
        kept.push_back(found);
        return Ok(decoded);
    }
    let decoded = caught("decoding", path, || {
        decode::decode_for(path, window, onlooker)
    })?;
    let decoded = decoded.map_err(|e| e.to_string())?;
    kept.retain(|(p, ..)| p != path);
    kept.push_back((path.to_path_buf(), window, decoded.clone()));
    let bytes = |kept: &Kept| -> usize { kept.iter().map(|(.., d)| d.image.pixels().len()).sum() };
    while kept.len() > 1 && bytes(kept) > SHELF_BYTES {
        kept.pop_front();
    }
    Ok(decoded)
}
