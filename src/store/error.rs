//! Why something beside the image could not be read or written.

use std::path::{Path, PathBuf};

use crate::core::printable::{printable, printable_text};

pub type Result<T> = std::result::Result<T, Error>;

/// Every message names the file and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}: {source}; {remedy}", printable(path))]
    Io {
        path: PathBuf,
        source: std::io::Error,
        remedy: &'static str,
    },
    #[error("{}: {}; {remedy}", printable(path), printable_text(why))]
    Image {
        path: PathBuf,
        why: String,
        remedy: &'static str,
    },
    #[error(
        "{}: {}; the file is left as it is: {remedy}",
        printable(path),
        printable_text(why)
    )]
    Sidecar {
        path: PathBuf,
        why: String,
        remedy: &'static str,
    },
    #[error(
        "{}: it is not from termask and is left alone; name another folder",
        printable(path)
    )]
    Foreign { path: PathBuf },
    #[error("{}: nothing is written, {}", printable(path), printable_text(why))]
    ReadOnly { path: PathBuf, why: String },
    #[error("{}: {}", printable(path), printable_text(why))]
    Settings { path: PathBuf, why: String },
    #[error(
        "no images under {places}; name a file, a folder or a pattern that holds JPEG, PNG, WebP, BMP, TIFF or GIF files"
    )]
    NoImages { places: String },
}

impl Error {
    /// An error of the file system, with the remedy that fits its kind.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let remedy = match source.kind() {
            Kind::NotFound => "check the name; it may have been moved or deleted",
            Kind::PermissionDenied => "ask its owner for the right, or copy the folder",
            Kind::ReadOnlyFilesystem => "copy the folder to a place that can be written",
            Kind::StorageFull | Kind::QuotaExceeded => {
                "free some space; saving is tried again at the next key"
            }
            _ => "try again, or look at the disk",
        };
        Self::Io {
            path: path.to_path_buf(),
            source,
            remedy,
        }
    }
}
