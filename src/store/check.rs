//! Looks for what is wrong beside the images of a folder, and mends what can be mended.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use walkdir::WalkDir;

use crate::core::document::{Document, Object};
use crate::store::decode;
use crate::store::error::{Error, Result};
use crate::store::folder;
use crate::store::lock;
use crate::store::mask_png;
use crate::store::pages;
use crate::store::replace::LEFTOVER;
use crate::store::settings;
use crate::store::sidecar::{self, MASK, Read, SIDECAR, Sidecar};

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A sidecar, or an image with one, that cannot be read.
    Damaged,
    /// Image and sidecar have different sizes.
    Size,
    /// The mask file is not what the sidecar's objects make.
    Mask,
    Empty,
    Duplicate,
    UnknownClass,
    /// A sidecar or a mask whose image is not there, or a mask whose sidecar is not.
    Orphan,
    /// Half a file that a crash left, or a lock.
    Leftover,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Size => "size",
            Self::Mask => "mask",
            Self::Empty => "empty",
            Self::Duplicate => "duplicate",
            Self::UnknownClass => "unknown-class",
            Self::Orphan => "orphan",
            Self::Leftover => "leftover",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub path: PathBuf,
    pub kind: Kind,
    pub what: String,
    pub mended: bool,
}

impl Fault {
    fn new(path: &Path, kind: Kind, what: impl Into<String>) -> Self {
        Self {
            path: path.to_path_buf(),
            kind,
            what: what.into(),
            mended: false,
        }
    }
}

/// Whether faults are mended: masks painted again, leftovers removed, empty and doubled objects taken
/// out, which undo brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Look,
    Mend,
}

/// All faults under a folder.
pub fn check(root: &Path, mode: Mode) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    let mut images: BTreeSet<PathBuf> = BTreeSet::new();
    let walked = folder::walk(&[root.to_path_buf()], &mut |batch| {
        images.extend(batch);
        true
    });
    // A folder that has only sidecars left is what this command is for.
    if !matches!(walked, Ok(()) | Err(Error::NoImages { .. })) {
        walked?;
    }
    let classes: BTreeSet<String> = settings::load(root)?
        .classes
        .into_iter()
        .map(|c| c.name)
        .collect();
    for image in &images {
        check_image(image, &classes, mode, &mut faults);
    }
    check_files(root, mode, &mut faults);
    Ok(faults)
}

fn check_image(image: &Path, classes: &BTreeSet<String>, mode: Mode, faults: &mut Vec<Fault>) {
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

/// What lies about without an image.
fn check_files(root: &Path, mode: Mode, faults: &mut Vec<Fault>) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::history::History;
    use crate::store::merge::tests::object;

    fn saved(folder: &Path, name: &str, ids: &[u64]) -> PathBuf {
        let path = folder.join(name);
        image::RgbImage::new(30, 20).save(&path).expect("saved");
        let decoded = decode::decode(&path).expect("decoded");
        let mut sidecar = Sidecar::open(&path, &decoded).expect("opened").sidecar;
        let objects = ids.iter().map(|id| object(*id, *id as u32)).collect();
        let document = Document {
            objects,
            ..Document::default()
        };
        sidecar.save(&History::new(document)).expect("saved");
        path
    }

    fn kinds(folder: &Path, mode: Mode) -> Vec<Kind> {
        check(folder, mode)
            .expect("checked")
            .iter()
            .map(|f| f.kind)
            .collect()
    }

    #[test]
    fn a_sound_folder_has_no_faults() {
        let folder = tempfile::tempdir().expect("a folder");
        saved(folder.path(), "a.png", &[1, 2]);
        saved(folder.path(), "a.bmp", &[3]);
        assert_eq!(kinds(folder.path(), Mode::Look), []);
    }

    #[test]
    fn each_fault_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("termask.toml"), "classes = [\"dog\"]").expect("written");
        saved(folder.path(), "class.png", &[1]);
        saved(folder.path(), "damaged.png", &[]);
        fs::write(at("damaged.termask.json"), "{").expect("written");
        let orphan = saved(folder.path(), "orphan.png", &[]);
        fs::remove_file(orphan).expect("removed");
        saved(folder.path(), "size.png", &[]);
        image::RgbImage::new(31, 20)
            .save(at("size.png"))
            .expect("saved");
        saved(folder.path(), "unsaid.png", &[3]);
        fs::remove_file(at("unsaid.termask.json")).expect("removed");
        let away = saved(folder.path(), "zaway.png", &[4]);
        fs::remove_file(away).expect("removed");
        fs::remove_file(at("zaway.termask.json")).expect("removed");
        let found = check(folder.path(), Mode::Look).expect("checked");
        let found: Vec<_> = found
            .iter()
            .map(|f| {
                (
                    f.kind,
                    f.path.file_name().expect("a name").to_str().expect("text"),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (Kind::UnknownClass, "class.termask.json"),
                (Kind::Damaged, "damaged.png"),
                (Kind::Size, "size.termask.json"),
                (Kind::Orphan, "unsaid.mask.png"),
                (Kind::Orphan, "orphan.mask.png"),
                (Kind::Orphan, "orphan.termask.json"),
                (Kind::Orphan, "zaway.mask.png"),
            ]
        );
    }

    #[test]
    fn masks_and_leftovers_are_mended() {
        let folder = tempfile::tempdir().expect("a folder");
        saved(folder.path(), "a.png", &[1, 2]);
        fs::write(folder.path().join(".termask-x1.tmp"), "half").expect("written");
        let mask = folder.path().join("a.mask.png");
        let good = fs::read(&mask).expect("read");
        fs::remove_file(&mask).expect("removed");
        assert_eq!(
            kinds(folder.path(), Mode::Mend),
            [Kind::Mask, Kind::Leftover]
        );
        assert_eq!(fs::read(&mask).expect("read"), good);
        assert_eq!(kinds(folder.path(), Mode::Look), []);
    }

    #[test]
    fn objects_that_say_nothing_are_taken_out_and_undo_brings_them_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.png");
        image::RgbImage::new(30, 20).save(&path).expect("saved");
        let decoded = decode::decode(&path).expect("decoded");
        let opened = Sidecar::open(&path, &decoded).expect("opened");
        let (mut sidecar, mut history) = (opened.sidecar, opened.history);
        let with = |id: u64, x: u32, change: &dyn Fn(&mut Object)| {
            let mut object = Object::clone(&object(id, x));
            change(&mut object);
            std::sync::Arc::new(object)
        };
        let empty = crate::core::mask::Mask::empty(decoded.image.size());
        history.step(|d| {
            d.objects = vec![
                with(1, 1, &|_| {}),
                with(2, 1, &|_| {}),
                with(3, 1, &|o| o.class = "dog".into()),
                with(4, 9, &|o| o.mask = empty.clone().into()),
            ];
        });
        sidecar.save(&history).expect("saved");
        drop(sidecar);
        let ids = || {
            let read = sidecar::read(&path).expect("read").expect("there");
            let now = read.history.now().objects.clone();
            let mut history = read.history;
            history.undo();
            let before = history.now().objects.len();
            (now.iter().map(|o| o.id).collect::<Vec<_>>(), before)
        };
        let three = [Kind::Duplicate, Kind::Duplicate, Kind::Empty];
        assert_eq!(kinds(folder.path(), Mode::Look), three);
        let mended = check(folder.path(), Mode::Mend).expect("checked");
        let mended: Vec<bool> = mended.iter().map(|f| f.mended).collect();
        // Nobody but a person knows whether it is a cat or a dog.
        assert_eq!(mended, [true, false, true]);
        assert_eq!(ids(), (vec![1, 3], 4));
        assert_eq!(kinds(folder.path(), Mode::Look), [Kind::Duplicate]);
    }

    #[test]
    fn the_lock_of_a_program_that_ended_is_left_over_and_that_of_a_living_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = saved(folder.path(), "a.png", &[1]);
        let held = lock::ask(&path).expect("asked");
        assert_eq!(kinds(folder.path(), Mode::Look), []);
        let file = lock::path_of(&path);
        let text = fs::read_to_string(&file).expect("there");
        drop(held);
        let mut child = std::process::Command::new("true").spawn().expect("started");
        child.wait().expect("ended");
        let (mine, gone) = (std::process::id().to_string(), child.id().to_string());
        fs::write(&file, text.replace(&mine, &gone)).expect("written");
        assert_eq!(kinds(folder.path(), Mode::Mend), [Kind::Leftover]);
        assert_eq!(kinds(folder.path(), Mode::Look), []);
    }
}
