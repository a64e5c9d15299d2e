//! Image files to upright RGB8 pictures.

use std::path::Path;
use std::sync::Arc;

use crate::core::image::Image;
use crate::store::sidecar::Result;

/// A picture with what the sidecar wants to know of its file.
#[derive(Debug, Clone)]
pub struct Decoded {
    pub image: Arc<Image>,
    /// The EXIF orientation that was applied, 1 to 8.
    pub orientation: u8,
    /// sha256 of the file's bytes, hexadecimal.
    pub sha256: String,
    /// The first 8 bytes of the sha256: names the pixels in caches and in the terminal.
    pub key: u64,
}

/// Reads a file of any supported format.
pub fn decode(path: &Path) -> Result<Decoded> {
    todo!("{} {:?}", path.display(), None::<Arc<Image>>)
}
