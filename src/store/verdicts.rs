//! The log of a review: a line of JSON for each verdict, appended.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::error::{Error, Result};

/// One verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Counts the lines of a session from 0.
    #[serde(skip)]
    pub serial: u64,
    pub image: PathBuf,
    /// The object's id in the image's sidecar.
    pub id: u64,
    pub class: Arc<str>,
    pub verdict: &'static str,
    /// The verdict it had before.
    pub before: &'static str,
    pub comment: String,
    /// Whether it was a second, blind look.
    pub again: bool,
    /// Milliseconds from the object before to this verdict.
    pub milliseconds: u64,
    pub who: Arc<str>,
    /// Milliseconds since 1970, UTC.
    pub time: i64,
}

/// Writes lines at the end of the log; each is whole or not there.
pub fn append(log: &Path, lines: &[Arc<Line>]) -> Result<()> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).map_err(|e| Error::io(log, e.into()))?;
        text.push(b'\n');
    }
    let opened = OpenOptions::new().create(true).append(true).open(log);
    let mut file = opened.map_err(|e| Error::io(log, e))?;
    file.write_all(&text).map_err(|e| Error::io(log, e))
}
