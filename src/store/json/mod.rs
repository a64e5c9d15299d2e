//! The sidecar's JSON, version 1; `docs/sidecar.schema.json` describes it for others.

mod read;
mod steps;
mod write;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::steps::HistoryFile;
pub use self::write::Encoder;
use crate::core::document::{Extra, Millis, Verdict};
use crate::core::geometry::Size;

/// The newest version this program reads and the one it writes.
pub const VERSION: u64 = 1;

/// What every version has.
#[derive(Debug, Deserialize)]
pub struct Head {
    pub version: u64,
    pub image: HeadImage,
}

#[derive(Debug, Deserialize)]
pub struct HeadImage {
    pub file: String,
}

/// The image as it was when the sidecar was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageFile {
    pub file: String,
    pub width: u32,
    pub height: u32,
    pub orientation: u8,
    pub sha256: String,
    #[serde(flatten)]
    pub extra: Extra,
}

impl ImageFile {
    pub const fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct DocumentFile {
    pub version: u64,
    #[serde(default)]
    pub software: String,
    pub image: ImageFile,
    #[serde(default)]
    verdict: VerdictName,
    #[serde(default)]
    finished: bool,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    next_id: u64,
    objects: Vec<ObjectFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    draft: Option<DraftFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<HistoryFile>,
    #[serde(flatten)]
    extra: Extra,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictName {
    #[default]
    Unseen,
    Accepted,
    Rejected,
    Flagged,
}

impl From<Verdict> for VerdictName {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Unseen => Self::Unseen,
            Verdict::Accepted => Self::Accepted,
            Verdict::Rejected => Self::Rejected,
            Verdict::Flagged => Self::Flagged,
        }
    }
}

impl From<VerdictName> for Verdict {
    fn from(name: VerdictName) -> Self {
        match name {
            VerdictName::Unseen => Self::Unseen,
            VerdictName::Accepted => Self::Accepted,
            VerdictName::Rejected => Self::Rejected,
            VerdictName::Flagged => Self::Flagged,
        }
    }
}

/// COCO's compressed run lengths, or the place in the history's table of masks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RleFile {
    Shared(usize),
    /// Height and width, as COCO has them.
    Whole {
        size: [u32; 2],
        counts: Arc<str>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct PromptFile {
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    rect: Option<[u32; 4]>,
    #[serde(default)]
    clicks: Vec<ClickFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ClickFile {
    x: u32,
    y: u32,
    side: SideName,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SideName {
    Inside,
    Outside,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ObjectFile {
    id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    track: Option<u64>,
    class: Arc<str>,
    rle: RleFile,
    /// x, y, width and height, as COCO has them; for other readers, not read back.
    #[serde(default)]
    bbox: [u32; 4],
    /// For other readers, not read back.
    #[serde(default)]
    area: u64,
    prompt: PromptFile,
    #[serde(default)]
    engine: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    who: String,
    #[serde(default)]
    confidence: Option<f32>,
    #[serde(default)]
    verdict: VerdictName,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    created_ms: Millis,
    #[serde(default)]
    changed_ms: Millis,
    #[serde(default)]
    spent_ms: u64,
    #[serde(flatten)]
    extra: Extra,
}

#[derive(Debug, Serialize, Deserialize)]
struct ProposalFile {
    rle: RleFile,
    confidence: f32,
    threshold: f32,
    #[serde(default)]
    engine: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    who: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct DraftFile {
    prompt: PromptFile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proposal: Option<ProposalFile>,
    #[serde(default)]
    answered: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    painted: Option<RleFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased: Option<RleFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<(usize, Box<ObjectFile>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<Arc<str>>,
    #[serde(default)]
    spent_ms: u64,
}
