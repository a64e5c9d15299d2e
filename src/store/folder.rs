//! The images a person named: files, folders, globs.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::json::VerdictName;
use crate::core::document::Verdict;
use crate::core::printable::printable;
use crate::store::decode::ENDINGS;
use crate::store::error::{Error, Result};
use crate::store::pages;
use crate::store::sidecar;

/// Finds the images under `paths` in natural order, a folder at a time, and hands them over in
/// batches, so that the first can be shown while a large tree is still being walked. `found`
/// returns false to stop.
pub fn walk(paths: &[PathBuf], found: &mut dyn FnMut(Vec<PathBuf>) -> bool) -> Result<()> {
    let mut any = false;
    let mut give = |batch: Vec<PathBuf>| {
        any |= !batch.is_empty();
        batch.is_empty() || found(batch)
    };
    for path in paths {
        for place in expand(path)? {
            let goes_on = if place.is_dir() {
                walk_folder(&place, &mut give)?
            } else {
                give(pages::all(place))
            };
            if !goes_on {
                return Ok(());
            }
        }
    }
    if any {
        return Ok(());
    }
    let places: Vec<_> = paths.iter().map(|p| printable(p)).collect();
    Err(Error::NoImages {
        places: places.join(", "),
    })
}

/// A path that exists, or what a pattern matches.
fn expand(path: &Path) -> Result<Vec<PathBuf>> {
    if path.exists() || pages::exists(path) {
        return Ok(vec![path.to_path_buf()]);
    }
    let pattern = path.to_string_lossy();
    let missing = || {
        let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
        Error::io(path, gone)
    };
    if !pattern.contains(['*', '?', '[']) {
        return Err(missing());
    }
    let matches = glob::glob(&pattern).map_err(|_| missing())?;
    let mut places: Vec<PathBuf> = matches
        .flatten()
        .filter(|p| p.is_dir() || is_image(p))
        .collect();
    places.sort_by(|a, b| natural(a, b));
    Ok(places)
}

/// How many images go over at once.
const BATCH: usize = 4096;

/// What is known of a folder on the way down to one within it: links may lead back.
type Identity = (u64, u64);

/// Walks folders, files before folders, both in natural order.
struct Walk<'a> {
    give: &'a mut dyn FnMut(Vec<PathBuf>) -> bool,
    /// Whether an image was handed over already.
    begun: bool,
    above: Vec<Identity>,
}

fn walk_folder(folder: &Path, give: &mut dyn FnMut(Vec<PathBuf>) -> bool) -> Result<bool> {
    let mut walk = Walk {
        give,
        begun: false,
        above: Vec::new(),
    };
    // The folder itself must be readable; what is deeper and is not is left out.
    walk.folder(folder).map_err(|e| Error::io(folder, e))
}

impl Walk<'_> {
    /// False where nobody wants more.
    fn folder(&mut self, folder: &Path) -> io::Result<bool> {
        let identity = identity(folder)?;
        if self.above.contains(&identity) {
            return Ok(true);
        }
        let (mut images, mut folders) = (Vec::new(), Vec::new());
        let mut first: Option<OsString> = None;
        for entry in fs::read_dir(folder)?.flatten() {
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            match kind_of(&entry) {
                Some(Kind::Folder) => folders.push(name),
                Some(Kind::File) if is_image(Path::new(&name)) => {
                    // Sorting a million names takes seconds, finding the first one does not.
                    if !self.begun
                        && first
                            .as_ref()
                            .is_none_or(|f| natural(&name, f) == Ordering::Less)
                    {
                        first = Some(name.clone());
                    }
                    images.push(name);
                }
                _ => {}
            }
        }
        if let Some(first) = &first {
            // It goes at once, so that it is seen at once.
            self.begun = true;
            let first = folder.join(first);
            if !(self.give)(vec![first.clone()]) || !(self.give)(pages::all(first).split_off(1)) {
                return Ok(false);
            }
        }
        images.par_sort_unstable_by(|a, b| natural(a, b));
        let skipped = usize::from(first.is_some());
        for batch in images[skipped..].chunks(BATCH) {
            let images = batch.par_iter().flat_map(|n| pages::all(folder.join(n)));
            if !(self.give)(images.collect()) {
                return Ok(false);
            }
        }
        drop(images);
        folders.sort_by(|a, b| natural(a, b));
        self.above.push(identity);
        for name in folders {
            if let Ok(false) = self.folder(&folder.join(name)) {
                return Ok(false);
            }
        }
        self.above.pop();
        Ok(true)
    }
}

enum Kind {
    File,
    Folder,
}

/// What an entry is, or what the link that it is leads to.
fn kind_of(entry: &fs::DirEntry) -> Option<Kind> {
    let mut kind = entry.file_type().ok()?;
    if kind.is_symlink() {
        kind = fs::metadata(entry.path()).ok()?.file_type();
    }
    let file = kind.is_file().then_some(Kind::File);
    file.or_else(|| kind.is_dir().then_some(Kind::Folder))
}

#[cfg(unix)]
fn identity(folder: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let info = fs::metadata(folder)?;
    Ok((info.dev(), info.ino()))
}

#[cfg(not(unix))]
fn identity(folder: &Path) -> io::Result<Identity> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    fs::canonicalize(folder)?.hash(&mut hasher);
    Ok((0, hasher.finish()))
}

fn natural(a: impl AsRef<OsStr>, b: impl AsRef<OsStr>) -> Ordering {
    let (a, b) = (a.as_ref(), b.as_ref());
    natord::compare(&a.to_string_lossy(), &b.to_string_lossy()).then_with(|| a.cmp(b))
}

/// By its ending; masks of ours are none.
pub fn is_image(path: &Path) -> bool {
    let (path, _) = pages::split(path);
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) && !sidecar::is_mask_name(&path)
}

/// How far an image is, from its sidecar alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    pub objects: u32,
    pub accepted: u32,
    pub rejected: u32,
    pub flagged: u32,
    pub has_draft: bool,
    pub finished: bool,
}

/// Of a sidecar, what progress needs: masks and history are passed over.
#[derive(Deserialize)]
struct Glance {
    #[serde(default)]
    finished: bool,
    #[serde(default)]
    draft: Option<IgnoredAny>,
    objects: Vec<Judged>,
}

#[derive(Deserialize)]
struct Judged {
    #[serde(default)]
    verdict: VerdictName,
}

/// Reads how far an image is; `None` where it has no sidecar of its own.
pub fn progress(image: &Path) -> Result<Option<Progress>> {
    let Some((path, bytes)) = sidecar::raw(image)? else {
        return Ok(None);
    };
    Glance::read(&path, &bytes).map(|glance| Some(glance.progress()))
}

/// What a sidecar file is for, and how far that is.
pub(super) fn glance(sidecar: &Path) -> Result<(String, Progress)> {
    let image = sidecar::image_of(sidecar)?;
    let bytes = fs::read(sidecar).map_err(|e| Error::io(sidecar, e))?;
    Ok((image, Glance::read(sidecar, &bytes)?.progress()))
}

impl Glance {
    fn read(path: &Path, bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|e| Error::Sidecar {
            path: path.to_path_buf(),
            why: e.to_string(),
            remedy: "bring back a copy of it, or move it away to begin anew",
        })
    }

    fn progress(&self) -> Progress {
        let count = |wanted: Verdict| {
            let judged = self.objects.iter();
            judged
                .filter(|o| Verdict::from(o.verdict) == wanted)
                .count() as u32
        };
        Progress {
            objects: self.objects.len() as u32,
            accepted: count(Verdict::Accepted),
            rejected: count(Verdict::Rejected),
            flagged: count(Verdict::Flagged),
            has_draft: self.draft.is_some(),
            finished: self.finished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[PathBuf]) -> Result<Vec<String>> {
        let mut names = Vec::new();
        walk(paths, &mut |batch| {
            names.extend(batch.iter().map(|p| {
                let name = p.file_name().expect("a file has a name");
                name.to_string_lossy().into_owned()
            }));
            true
        })?;
        Ok(names)
    }

    #[test]
    fn a_folder_is_walked_in_natural_order_without_masks_and_hidden_files() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b10.png", "b9.JPG", "b9.mask.png", ".c.png", "notes.txt"] {
            std::fs::write(folder.path().join(name), "x").expect("written");
        }
        std::fs::create_dir(folder.path().join("a")).expect("made");
        std::fs::write(folder.path().join("a/z.webp"), "x").expect("written");
        let loop_at = folder.path().join("a/loop");
        std::os::unix::fs::symlink(folder.path(), loop_at).expect("linked");
        let names = found(&[folder.path().to_path_buf()]).expect("walked");
        assert_eq!(names, ["b9.JPG", "b10.png", "z.webp"]);
        let pattern = folder.path().join("b1*.png");
        assert_eq!(found(&[pattern]).expect("matched"), ["b10.png"]);
    }

    #[test]
    fn the_first_image_comes_alone_and_all_come_once_in_natural_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = |i: usize| format!("{}.png", i * 7919 % 9001);
        for i in 0..9001 {
            std::fs::write(folder.path().join(name(i)), "").expect("written");
        }
        let mut batches: Vec<Vec<PathBuf>> = Vec::new();
        walk(&[folder.path().to_path_buf()], &mut |batch| {
            batches.push(batch);
            true
        })
        .expect("walked");
        assert_eq!(batches[0], [folder.path().join("0.png")]);
        let all = batches.concat();
        let expected = (0..9001).map(|i| folder.path().join(format!("{i}.png")));
        assert_eq!(all, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_folder_without_images_and_a_missing_file_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = found(&[folder.path().to_path_buf()]).expect_err("nothing there");
        assert!(empty.to_string().contains("no images under"), "{empty}");
        let gone = found(&[folder.path().join("gone.png")]).expect_err("nothing there");
        assert!(gone.to_string().contains("gone.png"), "{gone}");
    }
}
