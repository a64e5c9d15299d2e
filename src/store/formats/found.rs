//! What came in from another tool, and the reading that importers share.

use std::fs;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use crate::core::contour::Ring;
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::store::decode::is_image_size;
use crate::store::error::{Error, Result};

/// A larger text holds no annotations.
const MOST_BYTES: u64 = 4 << 30;

/// An object as another tool had it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub class: String,
    pub mask: Mask,
    /// A detector's score, 0 to 1, where the format has one.
    pub confidence: Option<f32>,
}

impl Found {
    /// One of which nobody said how sure it is.
    pub fn new(class: impl Into<String>, mask: Mask) -> Self {
        Self {
            class: class.into(),
            mask,
            confidence: None,
        }
    }
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
    let length = fs::metadata(path).map_err(|e| Error::io(path, e))?.len();
    if length > MOST_BYTES {
        let why = format!("it has {length} bytes, more than any annotations");
        return Err(unreadable(path, &why));
    }
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

/// The files at any depth of a folder (or the one file itself) whose names end so, sorted.
pub fn files_below(from: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    if !from.exists() {
        return Err(Error::io(from, std::io::ErrorKind::NotFound.into()));
    }
    let walk = WalkDir::new(from).sort_by_file_name().into_iter();
    let files = walk.flatten().filter(|e| e.file_type().is_file());
    let paths = files.map(walkdir::DirEntry::into_path);
    let named = |p: &PathBuf| p.to_string_lossy().to_lowercase().ends_with(ending);
    Ok(paths.filter(named).collect())
}

/// The inside of rings, by even and odd; an error where filling them would take for ever: a file of
/// a few kilobytes can draw lines across a huge image a thousand times.
pub fn filled(size: Size, rings: &[Ring]) -> std::result::Result<Mask, String> {
    const MOST_CROSSINGS: f64 = 2e7;
    let height = f64::from(size.height);
    let rows =
        |a: &[f64; 2], b: &[f64; 2]| (a[1].clamp(0.0, height) - b[1].clamp(0.0, height)).abs();
    // Rings with coordinates that are no numbers are left out when they are filled, too.
    let known = rings
        .iter()
        .filter(|ring| ring.iter().flatten().all(|v| v.is_finite()));
    let lengths = known.map(|ring| {
        let next = ring.iter().cycle().skip(1);
        ring.iter().zip(next).map(|(a, b)| rows(a, b)).sum::<f64>()
    });
    if lengths.sum::<f64>() > MOST_CROSSINGS {
        return Err("its outline is too long to be filled".into());
    }
    Ok(Mask::from_rings(size, rings))
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
    let sides = (u32::try_from(width), u32::try_from(height));
    let size = match sides {
        (Ok(w), Ok(h)) => Some(Size::new(w, h)).filter(|s| is_image_size(*s)),
        _ => None,
    };
    size.ok_or_else(|| unreadable(path, &format!("{width}x{height} is no size of an image")))
}
