//! What is wrong with an image's own files: its sidecar, its objects, its mask.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{Fault, Kind, Mode};
use crate::core::document::{Document, Object};
use crate::store::decode;
use crate::store::error::Result;
use crate::store::mask_png;
use crate::store::sidecar::{self, Read, Sidecar};

pub fn check(image: &Path, classes: &BTreeSet<String>, mode: Mode, faults: &mut Vec<Fault>) {
    let mut tell = |path: &Path, kind, what: String| faults.push(Fault::new(path, kind, what));
    let mut read = match sidecar::read(image) {
        Ok(Some(read)) => read,
        Ok(None) => {
            if let Some(mask) = own_mask(image) {
                tell(&mask, Kind::Orphan, "its sidecar is not there".into());
            }
            return;
        }
        Err(why) => return tell(image, Kind::Damaged, why.to_string()),
    };
    match decode::size(image) {
        Err(why) => tell(image, Kind::Damaged, why.to_string()),
        Ok(size) if size != read.image.size() => {
            let was = read.image.size();
            let what = format!(
                "the image is {}x{}, its sidecar is for {}x{}",
                size.width, size.height, was.width, was.height
            );
            tell(&read.path, Kind::Size, what);
        }
        Ok(_) => {}
    }
    let found = check_objects(&read, classes);
    let useless: Vec<u64> = found.iter().filter_map(|(_, useless)| *useless).collect();
    let is_mended = mode == Mode::Mend && !useless.is_empty() && take_out(image, &useless).is_ok();
    faults.extend(found.into_iter().map(|(fault, useless)| Fault {
        mended: is_mended && useless.is_some(),
        ..fault
    }));
    if is_mended && let Ok(Some(mended)) = sidecar::read(image) {
        read = mended;
    }
    check_mask(image, &read, mode, faults);
}

/// What is wrong with the objects, with the id of one that says nothing: it is empty, or another one
/// says it already.
fn check_objects(read: &Read, classes: &BTreeSet<String>) -> Vec<(Fault, Option<u64>)> {
    let document: &Document = read.history.now();
    let mut faults = Vec::new();
    let fault = |kind, what: String| Fault::new(&read.path, kind, what);
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, object) in document.objects.iter().enumerate() {
        if object.mask.is_empty() {
            let what = format!("object {} has no pixels", object.id);
            faults.push((fault(Kind::Empty, what), Some(object.id)));
            continue;
        }
        let same = document.objects[..i].iter().find(|o| o.mask == object.mask);
        if let Some(same) = same {
            let what = format!("objects {} and {} are the same pixels", same.id, object.id);
            let says = |o: &Object| (o.class.clone(), o.verdict, o.comment.clone());
            let useless = (says(same) == says(object)).then_some(object.id);
            faults.push((fault(Kind::Duplicate, what), useless));
        }
        if !classes.is_empty() && !classes.contains(&*object.class) {
            *unknown.entry(&object.class).or_default() += 1;
        }
    }
    for (class, count) in unknown {
        let what = format!("{count} objects of the class {class:?}, which termask.toml has not");
        faults.push((fault(Kind::UnknownClass, what), None));
    }
    faults
}

/// Takes objects out of an image's document as a person would: undo brings them back.
fn take_out(image: &Path, ids: &[u64]) -> Result<()> {
    let opened = Sidecar::open(image, &decode::decode(image)?)?;
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    history.step(|d| d.objects.retain(|o| !ids.contains(&o.id)));
    sidecar.save(&history)
}

/// The mask file that says it is of this image.
fn own_mask(image: &Path) -> Option<PathBuf> {
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let is_its = |path: &PathBuf| mask_png::note(path).is_some_and(|n| n.image == name);
    sidecar::mask_paths(image).into_iter().find(is_its)
}

fn check_mask(image: &Path, read: &Read, mode: Mode, faults: &mut Vec<Fault>) {
    let path = own_mask(image);
    let objects = &read.history.now().objects;
    let intact = path.as_ref().is_some_and(|p| sidecar::is_mask_of(p, read));
    if intact || (path.is_none() && objects.is_empty()) {
        return;
    }
    let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
    let free = || sidecar::mask_paths(image).into_iter().find(is_free);
    let Some(path) = path.or_else(free) else {
        return;
    };
    let what = "it is not what the sidecar's objects make";
    faults.push(Fault {
        mended: mode == Mode::Mend && sidecar::repaint(&path, read).is_ok(),
        ..Fault::new(&path, Kind::Mask, what)
    });
}
