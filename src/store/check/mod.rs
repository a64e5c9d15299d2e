//! Looks for what is wrong beside the images of a folder, and mends what can be mended.

mod files;
mod own;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::store::error::{Error, Result};
use crate::store::folder;
use crate::store::settings;

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
        own::check(image, &classes, mode, &mut faults);
    }
    files::check(root, mode, &mut faults);
    Ok(faults)
}
