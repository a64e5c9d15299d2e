//! Looks for what is wrong beside the images of a folder, and mends what can be mended.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use walkdir::WalkDir;

use crate::core::document::Document;
use crate::store::decode;
use crate::store::error::{Error, Result};
use crate::store::folder;
use crate::store::mask_png;
use crate::store::pages;
use crate::store::replace::LEFTOVER;
use crate::store::settings;
use crate::store::sidecar::{self, Read, SIDECAR};

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
    /// A sidecar whose image is not there.
    Orphan,
    /// Half a file that a crash left.
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

/// Whether faults are mended: masks painted again, leftovers removed. Objects are never touched.
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
    let mut tell = |path: &Path, kind, what: String| {
        faults.push(Fault {
            path: path.to_path_buf(),
            kind,
            what,
            mended: false,
        });
    };
    let read = match sidecar::read(image) {
        Ok(Some(read)) => read,
        Ok(None) => return,
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
    check_objects(&read, classes, &mut tell);
    check_mask(image, &read, mode, faults);
}

fn check_objects(
    read: &Read,
    classes: &BTreeSet<String>,
    tell: &mut impl FnMut(&Path, Kind, String),
) {
    let document: &Document = read.history.now();
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, object) in document.objects.iter().enumerate() {
        if object.mask.is_empty() {
            tell(
                &read.path,
                Kind::Empty,
                format!("object {} has no pixels", object.id),
            );
            continue;
        }
        let same = document.objects[..i].iter().find(|o| o.mask == object.mask);
        if let Some(same) = same {
            let what = format!("objects {} and {} are the same pixels", same.id, object.id);
            tell(&read.path, Kind::Duplicate, what);
        }
        if !classes.is_empty() && !classes.contains(&*object.class) {
            *unknown.entry(&object.class).or_default() += 1;
        }
    }
    for (class, count) in unknown {
        let what = format!("{count} objects of the class {class:?}, which termask.toml has not");
        tell(&read.path, Kind::UnknownClass, what);
    }
}

fn check_mask(image: &Path, read: &Read, mode: Mode, faults: &mut Vec<Fault>) {
    let [short, long] = sidecar::mask_paths(image);
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let ours = |path: &PathBuf| mask_png::note(path).is_some_and(|n| n.image == name);
    let path = [&short, &long].into_iter().find(|p| ours(p));
    let objects = &read.history.now().objects;
    let intact = path.is_some_and(|p| sidecar::is_mask_of(p, read));
    if intact || (path.is_none() && objects.is_empty()) {
        return;
    }
    let free = [&short, &long]
        .into_iter()
        .find(|p| fs::symlink_metadata(p).is_err());
    let Some(path) = path.or(free) else {
        return;
    };
    let mended = mode == Mode::Mend && sidecar::repaint(path, read).is_ok();
    faults.push(Fault {
        path: path.clone(),
        kind: Kind::Mask,
        what: "it is not what the sidecar's objects make".into(),
        mended,
    });
}

/// What lies about without an image.
fn check_files(root: &Path, mode: Mode, faults: &mut Vec<Fault>) {
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().flatten() {
        let name = entry.file_name().to_string_lossy();
        let path = entry.path();
        if name.starts_with(LEFTOVER.0) && name.ends_with(LEFTOVER.1) {
            faults.push(Fault {
                path: path.to_path_buf(),
                kind: Kind::Leftover,
                what: "a crash left it half written".into(),
                mended: mode == Mode::Mend && fs::remove_file(path).is_ok(),
            });
        }
        if name.ends_with(SIDECAR) {
            faults.extend(orphan(path));
        }
    }
}

fn orphan(path: &Path) -> Option<Fault> {
    let fault = |kind, what| Fault {
        path: path.to_path_buf(),
        kind,
        what,
        mended: false,
    };
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
    use crate::store::sidecar::Sidecar;

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
        let found = kinds(folder.path(), Mode::Look);
        assert_eq!(
            found,
            [Kind::UnknownClass, Kind::Damaged, Kind::Size, Kind::Orphan]
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
}
