//! All that is known about one image: objects in drawing order, the draft, verdicts, times.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::mask::Mask;
use super::prompt::{Prompt, Soft};

/// Milliseconds since 1970, UTC.
pub type Millis = i64;

/// Fields of a newer version's sidecar, kept as they are.
pub type Extra = Map<String, Value>;

/// The field of an object that tells the IoU of its mask with the engine's proposal: 1 where nobody
/// painted or erased anything.
pub const PROPOSAL_IOU: &str = "proposal_iou";

/// What the review said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Verdict {
    #[default]
    Unseen,
    Accepted,
    Rejected,
    Flagged,
}

impl Verdict {
    pub const ALL: [Self; 4] = [Self::Unseen, Self::Accepted, Self::Rejected, Self::Flagged];

    /// The word in files, options and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Flagged => "flagged",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.name() == name)
    }
}

/// Which engine and model made a mask, for whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The engine's name: `click`, `sam`, `grabcut`, `brush`, `import`, …
    pub engine: String,
    /// First 16 hexadecimal digits of the model file's sha256; empty where there is no model.
    pub model: String,
    /// The person, as `user@host`; `prelabel`, `import` and `refind` where nobody looked at it.
    pub who: String,
}

impl Origin {
    /// Who made what `termask prelabel` added.
    pub const PRELABEL: &str = "prelabel";
    /// Who made what came from another tool.
    pub const IMPORT: &str = "import";
    /// Who made what the engine found again on the next image of a sequence.
    pub const REFIND: &str = "refind";
}

/// An accepted mask.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Unique within the document and never used again.
    pub id: u64,
    /// Objects of one track are the same thing in several images.
    pub track: Option<u64>,
    /// The class by name; its colour and hotkey lie in the folder's settings.
    pub class: Arc<str>,
    pub mask: Arc<Mask>,
    pub prompt: Prompt,
    pub origin: Origin,
    /// Predicted IoU, 0 to 1; `None` where no engine said.
    pub confidence: Option<f32>,
    pub verdict: Verdict,
    pub comment: String,
    pub created: Millis,
    pub changed: Millis,
    /// Milliseconds a person worked on it.
    pub spent: u64,
    pub extra: Extra,
}

impl Object {
    /// An object that comes into being at `now`: nobody has judged it, and nothing is known of a
    /// prompt, an engine or a person.
    pub fn new(
        id: u64,
        class: impl Into<Arc<str>>,
        mask: impl Into<Arc<Mask>>,
        now: Millis,
    ) -> Self {
        Self {
            id,
            track: None,
            class: class.into(),
            mask: mask.into(),
            prompt: Prompt::default(),
            origin: Origin::default(),
            confidence: None,
            verdict: Verdict::Unseen,
            comment: String::new(),
            created: now,
            changed: now,
            spent: 0,
            extra: Extra::new(),
        }
    }

    /// Whether nobody made, changed or judged it: a program proposed it.
    pub fn is_untouched(&self) -> bool {
        let who = self.origin.who.as_str();
        let by_program = [Origin::PRELABEL, Origin::IMPORT, Origin::REFIND].contains(&who);
        self.verdict == Verdict::Unseen && by_program
    }

    /// IoU with the engine's proposal; `None` where there was none.
    pub fn proposal_iou(&self) -> Option<f64> {
        let iou = self.extra.get(PROPOSAL_IOU)?.as_f64()?;
        (0.0..=1.0).contains(&iou).then_some(iou)
    }
}

/// A mask with a confidence, as an engine gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    pub mask: Arc<Mask>,
    /// Predicted IoU, 0 to 1.
    pub confidence: f32,
    /// The probabilities behind the mask, for another threshold and for the next click.
    pub soft: Option<Arc<Soft>>,
    /// Where the mask was cut: 0 to 1.
    pub threshold: f32,
    pub origin: Origin,
}

/// The object in the making.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    pub prompt: Prompt,
    /// What the engine made of the prompt; kept while the next one is on its way.
    pub proposal: Option<Proposal>,
    /// Whether `proposal` answers `prompt`.
    pub answered: bool,
    /// Painted by hand, on top of whatever the engine says.
    pub painted: Option<Arc<Mask>>,
    /// Erased by hand, on top of whatever the engine says.
    pub erased: Option<Arc<Mask>>,
    /// The object this draft replaces when accepted, with its place in the drawing order.
    pub replaces: Option<(usize, Arc<Object>)>,
    /// Class given to the draft; `None` takes the current one.
    pub class: Option<Arc<str>>,
    /// Milliseconds a person worked on it so far.
    pub spent: u64,
}

impl Draft {
    /// The mask as it would be accepted now: the proposal, with what was painted and erased.
    pub fn mask(&self) -> Option<Arc<Mask>> {
        let mut mask = self.proposal.as_ref().map(|p| Arc::clone(&p.mask));
        if let Some(painted) = &self.painted {
            mask = Some(match mask {
                Some(m) => Arc::new(m.union(painted)),
                None => Arc::clone(painted),
            });
        }
        if let (Some(m), Some(erased)) = (&mask, &self.erased) {
            mask = Some(Arc::new(m.difference(erased)));
        }
        mask.filter(|m| !m.is_empty())
    }

    pub fn is_empty(&self) -> bool {
        self.prompt.is_empty()
            && self.proposal.is_none()
            && self.painted.is_none()
            && self.replaces.is_none()
    }
}

/// Everything undo steps through and a sidecar holds. Cheap to clone: masks are shared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// In drawing order: a later one covers an earlier one.
    pub objects: Vec<Arc<Object>>,
    pub draft: Draft,
    /// The verdict on the image as a whole.
    pub verdict: Verdict,
    /// Whether the person called the image finished.
    pub finished: bool,
    pub comment: String,
    /// The id the next object gets.
    pub next_id: u64,
    pub extra: Extra,
}

impl Document {
    /// The id for a new object.
    pub fn take_id(&mut self) -> u64 {
        let used = self.objects.iter().map(|o| o.id + 1).max().unwrap_or(0);
        let id = self.next_id.max(used).max(1);
        self.next_id = id + 1;
        id
    }
}
