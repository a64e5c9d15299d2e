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
use crate::store::decode::{self, Decoded};
use crate::ui::action::Outcome;

/// Images that shall be in memory: the first is to be shown, the others may be next.
pub type Shelf = (Option<PathBuf>, Vec<PathBuf>);

/// How many bytes of decoded images are kept at hand.
const SHELF_BYTES: usize = 512 << 20;

/// Decodes what is wanted until the slot is closed.
pub fn decode_all(
    shelf: &Slot<Shelf>,
    desk: &Desk,
    disk: &Sender<DiskJob>,
    events: &Sender<Event>,
) {
    let mut kept: VecDeque<(PathBuf, Decoded)> = VecDeque::new();
    let mut shown: Option<PathBuf> = None;
    while let Some((open, ahead)) = shelf.take() {
        let mut pictures: Vec<Picture> = Vec::new();
        let picture = |decoded: &Decoded| (Arc::clone(&decoded.image), decoded.key);
        if shown == open {
            let here = kept.iter().find(|(p, _)| Some(p) == open.as_ref());
            pictures.extend(here.map(|(_, decoded)| picture(decoded)));
        } else if let Some(path) = open {
            if !is_kept(&kept, &path) {
                first_look(&path, events);
            }
            match fetch(&mut kept, &path) {
                Ok(decoded) => {
                    pictures.push(picture(&decoded));
                    let _ = disk.send(DiskJob::Open(path.clone(), decoded));
                    shown = Some(path);
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
            if !is_kept(&kept, &path) && !is_light(&path) {
                continue;
            }
            // A neighbour that cannot be read is told when it is its turn.
            if let Ok(decoded) = fetch(&mut kept, &path) {
                pictures.push(picture(&decoded));
                desk.ahead(pictures.clone());
                let Decoded { key, image, .. } = decoded;
                tell(events, Outcome::Ahead(path, Photo { key, image }));
            }
        }
    }
}

fn is_kept(kept: &VecDeque<(PathBuf, Decoded)>, path: &Path) -> bool {
    kept.iter().any(|(p, _)| p == path)
}

/// Whether an image leaves room for others on the shelf: what does not is decoded when it is its
/// turn.
fn is_light(path: &Path) -> bool {
    let size = decode::size(path);
    size.is_ok_and(|size| 3 * size.area() <= (SHELF_BYTES / 2) as u64)
}

/// Shows what takes long to decode coarsely first.
fn first_look(path: &Path, events: &Sender<Event>) {
    // What is wrong with a file is told by the decoding of all of it.
    if let Ok(Some(look)) = caught("decoding", path, || decode::look(path)) {
        tell(events, Outcome::Looked(path.to_path_buf(), look));
    }
}

fn fetch(kept: &mut VecDeque<(PathBuf, Decoded)>, path: &Path) -> Result<Decoded, String> {
    if let Some(i) = kept.iter().position(|(p, _)| p == path) {
        let found = kept.remove(i).expect("just found");
        let decoded = found.1.clone();
        kept.push_back(found);
        return Ok(decoded);
    }
    let decoded = caught("decoding", path, || decode::decode(path))?.map_err(|e| e.to_string())?;
    kept.push_back((path.to_path_buf(), decoded.clone()));
    let bytes = |kept: &VecDeque<(PathBuf, Decoded)>| -> usize {
        kept.iter().map(|(_, d)| d.image.pixels().len()).sum()
    };
    while kept.len() > 1 && bytes(kept) > SHELF_BYTES {
        kept.pop_front();
    }
    Ok(decoded)
}
