//! What lies about in a folder without an image.

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

use super::{Fault, Kind, Mode};
use crate::store::lock;
use crate::store::mask_png;
use crate::store::pages;
use crate::store::replace::LEFTOVER;
use crate::store::sidecar::{self, MASK, SIDECAR};

/// Looks through every file of a folder.
pub fn check(root: &Path, mode: Mode, faults: &mut Vec<Fault>) {
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().flatten() {
        let name = entry.file_name().to_string_lossy();
        let path = entry.path();
        let is_half = name.starts_with(LEFTOVER.0) && name.ends_with(LEFTOVER.1);
        let left = if is_half {
            Some("a crash left it half written")
        } else {
            lock::is_left(path).then_some("a program that ended without closing its image left it")
        };
        if let Some(what) = left {
            faults.push(Fault {
                mended: mode == Mode::Mend && fs::remove_file(path).is_ok(),
                ..Fault::new(path, Kind::Leftover, what)
            });
        }
        if name.ends_with(SIDECAR) {
            faults.extend(orphan(path));
        }
        if name.ends_with(MASK)
            && let Some(note) = mask_png::note(path)
            && !pages::exists(&path.with_file_name(&note.image))
        {
            let what = format!("its image {:?} is not there", note.image);
            faults.push(Fault::new(path, Kind::Orphan, what));
        }
    }
}

fn orphan(path: &Path) -> Option<Fault> {
    let fault = |kind, what| Fault::new(path, kind, what);
    match sidecar::image_of(path) {
        Ok(image) if Path::new(&image).file_name() != Some(image.as_ref()) => Some(fault(
            Kind::Damaged,
            format!("it is for {image:?}, which is no name of a file beside it"),
        )),
        Ok(image) if pages::exists(&path.with_file_name(&image)) => None,
        Ok(image) => Some(fault(
            Kind::Orphan,
            format!("its image {image:?} is not there"),
        )),
        // Where the image is there, its sidecar was told as damaged already.
        Err(_) if sidecar::may_have_image(path) => None,
        Err(why) => Some(fault(Kind::Damaged, why.to_string())),
    }
}
