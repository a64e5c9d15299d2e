//! The images a person named: files, folders, globs.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use walkdir::WalkDir;

use super::json::VerdictName;
use crate::core::document::Verdict;
use crate::core::printable::printable;
use crate::store::decode::ENDINGS;
use crate::store::error::{Error, Result};
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
                give(vec![place])
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
    if path.exists() {
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

fn walk_folder(folder: &Path, give: &mut dyn FnMut(Vec<PathBuf>) -> bool) -> Result<bool> {
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let (mut batch, mut most) = (Vec::new(), 1);
    let walk = WalkDir::new(folder)
        .follow_links(true)
        .sort_by(|a, b| {
            // Files before folders: those at hand come first.
            let folders = a.file_type().is_dir().cmp(&b.file_type().is_dir());
            folders.then_with(|| natural(a.path(), b.path()))
        })
        .into_iter()
        .filter_entry(|e| e.depth() == 0 || !hidden(e.file_name()));
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            // The folder itself cannot be read; anything deeper, loops of links too, is left out.
            Err(why) if why.depth() == 0 => {
                let source = why.into_io_error();
                let source = source.unwrap_or_else(|| std::io::ErrorKind::Other.into());
                return Err(Error::io(folder, source));
            }
            Err(_) => continue,
        };
        if entry.file_type().is_file() && is_image(entry.path()) {
            batch.push(entry.into_path());
        }
        if batch.len() >= most {
            // The first image goes at once, so that it is seen at once.
            most = BATCH;
            if !give(std::mem::take(&mut batch)) {
                return Ok(false);
            }
        }
    }
    Ok(give(batch))
}

fn natural(a: &Path, b: &Path) -> std::cmp::Ordering {
    natord::compare(&a.to_string_lossy(), &b.to_string_lossy()).then_with(|| a.cmp(b))
}

/// By its ending; masks of ours are none.
pub fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) && !sidecar::is_mask_name(path)
}

/// How far an image is, from its sidecar alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    let glance: Glance = serde_json::from_slice(&bytes).map_err(|e| Error::Sidecar {
        path,
        why: e.to_string(),
        remedy: "bring back a copy of it, or move it away to begin anew",
    })?;
    let count = |wanted: Verdict| {
        let judged = glance.objects.iter();
        judged
            .filter(|o| Verdict::from(o.verdict) == wanted)
            .count() as u32
    };
    Ok(Some(Progress {
        objects: glance.objects.len() as u32,
        accepted: count(Verdict::Accepted),
        rejected: count(Verdict::Rejected),
        flagged: count(Verdict::Flagged),
        has_draft: glance.draft.is_some(),
        finished: glance.finished,
    }))
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
    fn a_folder_without_images_and_a_missing_file_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = found(&[folder.path().to_path_buf()]).expect_err("nothing there");
        assert!(empty.to_string().contains("no images under"), "{empty}");
        let gone = found(&[folder.path().join("gone.png")]).expect_err("nothing there");
        assert!(gone.to_string().contains("gone.png"), "{gone}");
    }
}
