//! How far the images of the list are, in a few bytes each: there may be a million.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::core::document::{Document, Verdict};
use crate::store::progress::Progress;

/// How far one image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "an image may be all of these at once"
)]
pub struct Standing {
    /// It has objects or a draft.
    pub begun: bool,
    pub finished: bool,
    /// One of its objects is.
    pub flagged: bool,
    /// Each of its objects has a verdict.
    pub reviewed: bool,
}

impl From<&Progress> for Standing {
    fn from(progress: &Progress) -> Self {
        Self {
            begun: progress.objects > 0 || progress.has_draft,
            finished: progress.finished,
            flagged: progress.flagged > 0,
            reviewed: progress.objects > 0
                && progress.accepted + progress.rejected + progress.flagged == progress.objects,
        }
    }
}

impl From<&Document> for Standing {
    fn from(document: &Document) -> Self {
        let mut objects = document.objects.iter();
        Self {
            begun: !document.objects.is_empty() || !document.draft.is_empty(),
            finished: document.finished,
            flagged: objects.clone().any(|o| o.verdict == Verdict::Flagged),
            reviewed: !document.objects.is_empty() && objects.all(|o| o.verdict != Verdict::Unseen),
        }
    }
}

impl Standing {
    /// One character that tells it, in any colour.
    pub const fn sign(self) -> char {
        match self {
            Self { flagged: true, .. } => '⚑',
            Self { reviewed: true, .. } => '●',
            Self { finished: true, .. } => '✓',
            Self { begun: true, .. } => '○',
            _ => ' ',
        }
    }

    /// Whether a word of a search, such as `is:finished`, means images like this one; `None` where
    /// it is no such word.
    pub fn fits(self, word: &str) -> Option<bool> {
        match word.strip_prefix("is:")? {
            "finished" => Some(self.finished),
            "unfinished" => Some(!self.finished),
            "begun" => Some(self.begun && !self.finished),
            "untouched" => Some(!self.begun && !self.finished),
            "flagged" => Some(self.flagged),
            _ => None,
        }
    }
}

/// By a number made of each path; images of which nothing is known are untouched.
#[derive(Debug, Default)]
pub struct Standings(HashMap<u64, Standing>);

impl Standings {
    pub fn of(&self, path: &Path) -> Standing {
        self.0.get(&number(path)).copied().unwrap_or_default()
    }

    /// What the person's own work says.
    pub fn note(&mut self, path: &Path, standing: Standing) {
        self.0.insert(number(path), standing);
    }

    /// What lay on the disk; the person's work since then is newer.
    pub fn learn(&mut self, path: &Path, standing: Standing) {
        self.0.entry(number(path)).or_insert(standing);
    }
}

fn number(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_person_did_since_counts_more_than_what_lay_on_the_disk() {
        let (a, b) = (Path::new("a.png"), Path::new("b.png"));
        let finished = Standing {
            finished: true,
            ..Standing::default()
        };
        let mut standings = Standings::default();
        standings.note(a, Standing::default());
        standings.learn(a, finished);
        standings.learn(b, finished);
        assert_eq!(standings.of(a), Standing::default());
        assert_eq!(standings.of(b), finished);
    }
}
