//! Numbers about a folder's annotations.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use crate::core::document::{Document, Object, Verdict};
use crate::store::error::Result;
use crate::store::folder;
use crate::store::sidecar;

/// What a folder holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    pub images: Images,
    pub classes: BTreeMap<String, ClassStats>,
    /// All objects, whatever their class.
    pub all: ClassStats,
    /// Objects by the review's verdict.
    pub verdicts: BTreeMap<&'static str, u64>,
    pub objects: u64,
    /// Milliseconds that persons worked on all objects.
    pub spent_ms: u64,
    /// Milliseconds on the object in the middle, of those with a time; `None` where there is none.
    pub median_ms: Option<u64>,
    /// Objects an hour of work; `None` where no time was kept.
    pub objects_per_hour: Option<f64>,
    /// Images whose sidecar cannot be read, with the reason.
    pub unreadable: Vec<String>,
    /// The times of all objects that have one.
    #[serde(skip)]
    times: Vec<u64>,
}

/// Images by state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Images {
    pub untouched: u64,
    pub begun: u64,
    pub finished: u64,
}

/// Objects of one class.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ClassStats {
    pub objects: u64,
    /// Pixels.
    pub area: u64,
    pub spent_ms: u64,
    pub accepted: u64,
    pub rejected: u64,
    pub flagged: u64,
    pub agreement: Agreement,
}

/// How far the objects are what the engine proposed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// Objects that began as a proposal.
    pub proposed: u64,
    /// Those of them that nobody corrected by hand.
    pub unchanged: u64,
    /// Mean IoU of mask and proposal; 0 without proposals.
    pub mean_iou: f64,
}

impl Agreement {
    fn count(&mut self, iou: f64) {
        self.proposed += 1;
        self.unchanged += u64::from(iou >= 1.0);
        self.mean_iou += (iou - self.mean_iou) / self.proposed as f64;
    }
}

impl ClassStats {
    fn count(&mut self, object: &Object) {
        self.objects += 1;
        self.area += object.mask.area();
        self.spent_ms = self.spent_ms.saturating_add(object.spent);
        match object.verdict {
            Verdict::Unseen => {}
            Verdict::Accepted => self.accepted += 1,
            Verdict::Rejected => self.rejected += 1,
            Verdict::Flagged => self.flagged += 1,
        }
        if let Some(iou) = object.proposal_iou() {
            self.agreement.count(iou);
        }
    }
}

/// Counts what lies under a folder.
pub fn stats(root: &Path) -> Result<Stats> {
    let mut stats = Stats::default();
    for verdict in Verdict::ALL {
        stats.verdicts.insert(verdict.name(), 0);
    }
    folder::walk(&[root.to_path_buf()], &mut |batch| {
        let read = batch.par_iter().map(|image| sidecar::read(image));
        for read in read.collect::<Vec<_>>() {
            match read {
                Ok(Some(read)) => stats.count(read.history.now()),
                Ok(None) => stats.images.untouched += 1,
                Err(why) => stats.unreadable.push(why.to_string()),
            }
        }
        true
    })?;
    let hours = stats.spent_ms as f64 / 3_600_000.0;
    stats.objects_per_hour = (stats.spent_ms > 0).then(|| stats.objects as f64 / hours);
    stats.times.sort_unstable();
    stats.median_ms = stats.times.get(stats.times.len() / 2).copied();
    Ok(stats)
}

impl Stats {
    fn count(&mut self, document: &Document) {
        if document.finished {
            self.images.finished += 1;
        } else if document.objects.is_empty() && document.draft.is_empty() {
            self.images.untouched += 1;
        } else {
            self.images.begun += 1;
        }
        for object in &document.objects {
            let class = self.classes.entry(object.class.to_string()).or_default();
            class.count(object);
            self.all.count(object);
            self.objects += 1;
            self.spent_ms = self.spent_ms.saturating_add(object.spent);
            self.times
                .extend((object.spent > 0).then_some(object.spent));
            *self.verdicts.entry(object.verdict.name()).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::document::PROPOSAL_IOU;
    use crate::core::history::History;
    use crate::store::decode;
    use crate::store::merge::tests::object;
    use crate::store::sidecar::Sidecar;

    #[test]
    fn objects_times_and_corrections_are_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, times) in [("a.png", vec![1000, 3000, 0]), ("b.png", Vec::new())] {
            let path = folder.path().join(name);
            image::RgbImage::new(30, 20).save(&path).expect("saved");
            let decoded = decode::decode(&path).expect("decoded");
            let mut sidecar = Sidecar::open(&path, &decoded).expect("opened").sidecar;
            let objects = (1..).zip(times).map(|(id, spent)| {
                let mut object = Object::clone(&object(id, 3));
                object.spent = spent;
                object.verdict = Verdict::ALL[id as usize % 2];
                let iou = [0.0, 1.0, 0.5][id as usize % 3];
                if iou > 0.0 {
                    object.extra.insert(PROPOSAL_IOU.into(), iou.into());
                }
                Arc::new(object)
            });
            let document = Document {
                objects: objects.collect(),
                ..Document::default()
            };
            sidecar.save(&History::new(document)).expect("saved");
        }
        let stats = stats(folder.path()).expect("counted");
        assert_eq!((stats.images.begun, stats.images.untouched), (1, 1));
        assert_eq!((stats.objects, stats.spent_ms), (3, 4000));
        assert_eq!(stats.median_ms, Some(3000));
        assert_eq!(stats.objects_per_hour, Some(2700.0));
        let cat = &stats.classes["cat"];
        assert_eq!((cat.accepted, cat.area), (2, 3 * 35));
        let agreement = Agreement {
            proposed: 2,
            unchanged: 1,
            mean_iou: 0.75,
        };
        assert_eq!(cat.agreement, agreement);
    }
}
