//! `photo.termask.json` and `photo.mask.png`: the document beside its image.

use std::path::{Path, PathBuf};

use crate::core::document::Document;
use crate::core::history::History;
use crate::store::decode::Decoded;

/// Why something beside the image could not be read or written. Every message names the file and
/// the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {source}; {remedy}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
        remedy: &'static str,
    },
}

pub type Result<T> = std::result::Result<T, Error>;

/// Whether this person may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    Writable,
    /// Somebody else has the image open, or the sidecar is of a newer version.
    ReadOnly {
        why: String,
    },
}

/// The files beside one image, held open by one person.
#[derive(Debug)]
pub struct Sidecar {
    pub access: Access,
}

/// What was found beside the image.
#[derive(Debug)]
pub struct Opened {
    pub sidecar: Sidecar,
    pub history: History<Document>,
    /// What the person should know: a foreign mask left alone, a leftover of a crash, …
    pub notes: Vec<String>,
}

impl Sidecar {
    /// Reads what lies beside the image, or an empty document.
    pub fn open(image: &Path, decoded: &Decoded) -> Result<Opened> {
        todo!("{} {}", image.display(), decoded.sha256)
    }

    /// Writes document, history and mask atomically.
    pub fn save(&mut self, history: &History<Document>) -> Result<()> {
        let _ = history;
        todo!()
    }
}
