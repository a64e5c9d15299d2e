//! How far an image is, from its sidecar alone.

use std::fs;
use std::path::Path;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::json::VerdictName;
use crate::core::document::Verdict;
use crate::store::error::{Error, Result};
use crate::store::sidecar;

/// How far one image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    Glance::read(&path, &bytes).map(|glance| Some(glance.progress()))
}

/// What a sidecar file is for, and how far that is.
pub(super) fn glance(sidecar: &Path) -> Result<(String, Progress)> {
    let image = sidecar::image_of(sidecar)?;
    let bytes = fs::read(sidecar).map_err(|e| Error::io(sidecar, e))?;
    Ok((image, Glance::read(sidecar, &bytes)?.progress()))
}

impl Glance {
    fn read(path: &Path, bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|e| Error::Sidecar {
            path: path.to_path_buf(),
            why: e.to_string(),
            remedy: "bring back a copy of it, or move it away to begin anew",
        })
    }

    fn progress(&self) -> Progress {
        let count = |wanted: Verdict| {
            let judged = self.objects.iter();
            judged
                .filter(|o| Verdict::from(o.verdict) == wanted)
                .count() as u32
        };
        Progress {
            objects: self.objects.len() as u32,
            accepted: count(Verdict::Accepted),
            rejected: count(Verdict::Rejected),
            flagged: count(Verdict::Flagged),
            has_draft: self.draft.is_some(),
            finished: self.finished,
        }
    }
}
