//! What came in from another tool, and the reading that importers share.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::store::decode::MOST_PIXELS;
use crate::store::error::{Error, Result};

/// An object as another tool had it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub class: String,
    pub mask: Mask,
}

/// An image's objects as another tool had them.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundImage {
    /// The image's file name.
    pub name: String,
    pub size: Size,
    pub objects: Vec<Found>,
}

pub fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Image {
        path: path.to_path_buf(),
        why: why.to_string(),
        remedy: "mend the file, or name its format with --format",
    }
}

pub fn read_text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|e| Error::io(path, e))?;
    String::from_utf8(bytes).map_err(|e| unreadable(path, &e))
}

/// The files of a folder (or the one file itself) whose names end so, sorted.
pub fn files(from: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    if from.is_file() {
        return Ok(vec![from.to_path_buf()]);
    }
    let entries = fs::read_dir(from).map_err(|e| Error::io(from, e))?;
    let paths = entries.flatten().map(|e| e.path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|p| p.is_file() && p.to_string_lossy().to_lowercase().ends_with(ending))
        .collect();
    paths.sort();
    Ok(paths)
}

/// A file's name without its ending.
pub fn file_stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// The lines of a folder's `classes.txt`; none where there is no such file.
pub fn known_classes(folder: &Path) -> Result<Vec<String>> {
    let path = folder.join("classes.txt");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    Ok(read_text(&path)?.lines().map(str::to_owned).collect())
}

/// A name in a file of others may lead anywhere: only its last part is used.
pub fn plain_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next()?;
    let path = Path::new(last);
    let mut parts = path.components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(_)), None) => Some(last.to_owned()),
        _ => None,
    }
}

/// A size that an image can have.
pub fn checked_size(path: &Path, width: u64, height: u64) -> Result<Size> {
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(w), Ok(h)) if Size::new(w, h).area() > 0 && Size::new(w, h).area() <= MOST_PIXELS => {
            Ok(Size::new(w, h))
        }
        _ => Err(unreadable(
            path,
            &format!("{width}x{height} is no size of an image"),
        )),
    }
}
