//! The images a person named: files, folders, globs.

use std::path::PathBuf;

use crate::store::sidecar::Result;

/// Finds the images under `paths` in natural order and hands them over in batches, so that the
/// first can be shown while a large folder is still being walked. `found` returns false to stop.
pub fn walk(paths: &[PathBuf], found: &mut dyn FnMut(Vec<PathBuf>) -> bool) -> Result<()> {
    let _ = (paths, found);
    todo!()
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

/// Reads how far an image is; `None` where it has no sidecar of its own.
pub fn progress(image: &std::path::Path) -> Result<Option<Progress>> {
    let _ = image;
    todo!()
}
