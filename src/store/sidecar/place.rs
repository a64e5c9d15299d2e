//! Which files beside an image are its own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::json::{Head, VERSION};
use crate::core::printable::{printable, printable_text};
use crate::store::decode::ENDINGS;
use crate::store::error::{Error, Result};
use crate::store::mask_png;
use crate::store::pages;

/// How the names of sidecars and masks end.
pub const SIDECAR: &str = ".termask.json";
pub const MASK: &str = ".mask.png";

/// A larger file is no sidecar of ours.
const MOST_BYTES: u64 = 1 << 30;

/// Whether a name is that of a mask file.
pub fn is_mask_name(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|n| n.to_string_lossy().ends_with(MASK))
}

/// `photo` + ending and `photo.jpg` + ending; `scan#2` and `scan.tif#2` of a page.
fn names(image: &Path, ending: &str) -> [PathBuf; 2] {
    let name = |part: Option<&std::ffi::OsStr>| {
        let mut name = OsString::from(part.unwrap_or_default());
        name.push(ending);
        image.with_file_name(name)
    };
    let stem = pages::stem(image);
    let short = if pages::split(image).1 > 0 {
        Some(std::ffi::OsStr::new(&stem))
    } else {
        image.file_stem()
    };
    [name(short), name(image.file_name())]
}

pub(super) fn file_name(image: &Path) -> String {
    image
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

pub(super) fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(info) if info.len() > MOST_BYTES => Err(damaged(
            path,
            &format!("it has {} bytes, more than any sidecar", info.len()),
        )),
        Ok(_) => fs::read(path).map(Some).map_err(|e| Error::io(path, e)),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Error::io(path, why)),
    }
}

pub(super) fn damaged(path: &Path, why: &str) -> Error {
    Error::Sidecar {
        path: path.to_path_buf(),
        why: printable_text(why),
        remedy: "bring back a copy of it, or move it away to begin anew",
    }
}

/// The name of the image that a sidecar is for, and whether we can read the rest.
pub(super) fn head(path: &Path, bytes: &[u8]) -> Result<String> {
    let head: Head = serde_json::from_slice(bytes).map_err(|e| damaged(path, &e.to_string()))?;
    if head.version > VERSION {
        return Err(Error::Sidecar {
            path: path.to_path_buf(),
            why: format!(
                "it is of version {}, this termask reads up to {VERSION}",
                head.version
            ),
            remedy: "update termask",
        });
    }
    Ok(head.image.file)
}

/// Where an image's sidecar lies or would lie, and its bytes.
pub(super) fn locate(image: &Path) -> Result<(PathBuf, Option<Vec<u8>>)> {
    let ours = file_name(image);
    let [short, long] = names(image, SIDECAR);
    if let Some(bytes) = read_bytes(&long)? {
        let theirs = head(&long, &bytes)?;
        if theirs == ours {
            return Ok((long, Some(bytes)));
        }
        return Err(damaged(&long, &format!("it is the sidecar of {theirs:?}")));
    }
    let Some(bytes) = read_bytes(&short)? else {
        return Ok((short, None));
    };
    if head(&short, &bytes)? == ours {
        return Ok((short, Some(bytes)));
    }
    Ok((long, None))
}

/// The bytes of an image's own sidecar.
pub(in crate::store) fn raw(image: &Path) -> Result<Option<(PathBuf, Vec<u8>)>> {
    let (path, bytes) = locate(image)?;
    Ok(bytes.map(|bytes| (path, bytes)))
}

/// The names that an image's mask may have.
pub(in crate::store) fn mask_paths(image: &Path) -> [PathBuf; 2] {
    names(image, MASK)
}

/// The image that a sidecar file is for.
pub(in crate::store) fn image_of(sidecar: &Path) -> Result<String> {
    let bytes = read_bytes(sidecar)?.unwrap_or_default();
    head(sidecar, &bytes)
}

/// Whether an image lies beside a sidecar whose content does not tell.
pub(in crate::store) fn may_have_image(sidecar: &Path) -> bool {
    let name = sidecar.to_string_lossy();
    let stem = name.strip_suffix(SIDECAR).unwrap_or(&name);
    let stem = match stem.rsplit_once('#') {
        Some((file, page)) if page.parse::<usize>().is_ok() => file,
        _ => stem,
    };
    let named = |ending: &str| Path::new(&format!("{stem}.{ending}")).is_file();
    Path::new(stem).is_file() || ENDINGS.iter().any(|e| named(e) || named(&e.to_uppercase()))
}

/// The mask file that is ours or free; notes tell of those that are not.
pub(super) fn locate_mask(
    image: &Path,
    notes: &mut Vec<String>,
) -> (Option<PathBuf>, Option<String>) {
    let ours = file_name(image);
    for path in names(image, MASK) {
        if fs::symlink_metadata(&path).is_err() {
            return (Some(path), None);
        }
        match mask_png::note(&path) {
            Some(note) if note.image == ours => return (Some(path), Some(note.objects)),
            Some(_) => {}
            None => notes.push(format!(
                "{} is not from termask and is left alone",
                printable(&path)
            )),
        }
    }
    (None, None)
}
