//! Numbers about a folder's annotations.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::core::document::Verdict;
use crate::store::error::Result;
use crate::store::folder;
use crate::store::sidecar;

/// What a folder holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stats {
    pub images: Images,
    pub classes: BTreeMap<String, ClassStats>,
    /// Objects by the review's verdict.
    pub verdicts: BTreeMap<&'static str, u64>,
    pub objects: u64,
    /// Milliseconds that persons worked on all objects.
    pub spent_ms: u64,
    /// Objects an hour of work; `None` where no time was kept.
    pub objects_per_hour: Option<f64>,
    /// Images whose sidecar cannot be read, with the reason.
    pub unreadable: Vec<String>,
}

/// Images by state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Images {
    pub untouched: u64,
    pub begun: u64,
    pub finished: u64,
}

/// Objects of one class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClassStats {
    pub objects: u64,
    /// Pixels.
    pub area: u64,
    pub spent_ms: u64,
}

/// Counts what lies under a folder.
pub fn stats(root: &Path) -> Result<Stats> {
    let mut stats = Stats::default();
    for verdict in Verdict::ALL {
        stats.verdicts.insert(verdict.name(), 0);
    }
    folder::walk(&[root.to_path_buf()], &mut |batch| {
        for image in batch {
            stats.count(&image);
        }
        true
    })?;
    let hours = stats.spent_ms as f64 / 3_600_000.0;
    stats.objects_per_hour = (stats.spent_ms > 0).then(|| stats.objects as f64 / hours);
    Ok(stats)
}

impl Stats {
    fn count(&mut self, image: &Path) {
        let read = match sidecar::read(image) {
            Ok(Some(read)) => read,
            Ok(None) => return self.images.untouched += 1,
            Err(why) => return self.unreadable.push(why.to_string()),
        };
        let document = read.history.now();
        if document.finished {
            self.images.finished += 1;
        } else if document.objects.is_empty() && document.draft.is_empty() {
            self.images.untouched += 1;
        } else {
            self.images.begun += 1;
        }
        for object in &document.objects {
            let class = self.classes.entry(object.class.to_string()).or_default();
            class.objects += 1;
            class.area += object.mask.area();
            class.spent_ms = class.spent_ms.saturating_add(object.spent);
            self.objects += 1;
            self.spent_ms = self.spent_ms.saturating_add(object.spent);
            *self.verdicts.entry(object.verdict.name()).or_default() += 1;
        }
    }
}
