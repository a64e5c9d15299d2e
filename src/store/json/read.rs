//! The sidecar's JSON to a document, each part checked.

use std::cell::Cell;
use std::sync::Arc;

use super::{
    DocumentFile, DraftFile, ImageFile, ObjectFile, PromptFile, ProposalFile, RleFile, SideName,
};
use crate::core::document::{Document, Draft, Object, Origin, Proposal};
use crate::core::geometry::{ImagePoint, ImageRect, Size};
use crate::core::history::History;
use crate::core::mask::Mask;
use crate::core::prompt::{Click, Prompt, Side};
use crate::core::rle;
use crate::store::decode::is_image_size;

/// Turns the file's parts into ours; an error says why they cannot be right.
pub struct Decoder<'a> {
    size: Size,
    table: &'a [Arc<Mask>],
    /// Runs that all its masks have so far.
    runs: Cell<usize>,
}

/// More runs in one file are refused: they would take gigabytes.
const MOST_RUNS: usize = 50_000_000;

type Checked<T> = Result<T, String>;

impl<'a> Decoder<'a> {
    pub const fn new(size: Size, table: &'a [Arc<Mask>]) -> Self {
        let runs = Cell::new(0);
        Self { size, table, runs }
    }

    pub fn counts(&self, counts: &str) -> Checked<Arc<Mask>> {
        let mask = rle::mask_from_string(self.size, counts).map_err(|e| e.to_string())?;
        self.runs.set(self.runs.get() + mask.runs().len());
        if self.runs.get() > MOST_RUNS {
            return Err("all masks together have more pieces than any drawn ones".into());
        }
        Ok(Arc::new(mask))
    }

    fn mask(&self, rle: &RleFile) -> Checked<Arc<Mask>> {
        match rle {
            RleFile::Shared(at) => {
                let found = self.table.get(*at).map(Arc::clone);
                found.ok_or_else(|| format!("there is no mask {at} in the history"))
            }
            RleFile::Whole { size, counts } => {
                let Size { width, height } = self.size;
                if *size != [height, width] {
                    let [h, w] = size;
                    return Err(format!("its mask is {w}x{h}, the image {width}x{height}"));
                }
                self.counts(counts)
            }
        }
    }

    fn prompt(&self, file: &PromptFile) -> Checked<Prompt> {
        let outside = || String::from("its prompt lies outside the image");
        let rect = file
            .rect
            .map(|[x0, y0, x1, y1]| ImageRect::new(x0, y0, x1, y1));
        if rect.is_some_and(|r| r.is_empty() || r.x1 > self.size.width || r.y1 > self.size.height) {
            return Err(outside());
        }
        let clicks = file.clicks.iter().map(|c| Click {
            at: ImagePoint::new(c.x, c.y),
            side: match c.side {
                SideName::Inside => Side::Inside,
                SideName::Outside => Side::Outside,
            },
        });
        let clicks: Vec<Click> = clicks.collect();
        if clicks.iter().any(|c| !self.size.contains(c.at)) {
            return Err(outside());
        }
        Ok(Prompt { rect, clicks })
    }

    pub fn object(&self, file: ObjectFile) -> Checked<Object> {
        let id = file.id;
        self.object_of(file)
            .map_err(|why| format!("object {id}: {why}"))
    }

    fn object_of(&self, file: ObjectFile) -> Checked<Object> {
        if file.confidence.is_some_and(|c| !(0.0..=1.0).contains(&c)) {
            return Err("its confidence is not between 0 and 1".into());
        }
        if file.id == u64::MAX {
            return Err("its id is too large".into());
        }
        Ok(Object {
            id: file.id,
            track: file.track,
            class: file.class,
            mask: self.mask(&file.rle)?,
            prompt: self.prompt(&file.prompt)?,
            origin: Origin {
                engine: file.engine,
                model: file.model,
                who: file.who,
            },
            confidence: file.confidence,
            verdict: file.verdict.into(),
            comment: file.comment,
            created: file.created_ms,
            changed: file.changed_ms,
            spent: file.spent_ms,
            extra: file.extra,
        })
    }

    pub fn draft(&self, file: Option<DraftFile>) -> Checked<Draft> {
        let Some(file) = file else {
            return Ok(Draft::default());
        };
        let rle = |rle: Option<RleFile>| rle.map(|r| self.mask(&r)).transpose();
        Ok(Draft {
            prompt: self.prompt(&file.prompt)?,
            proposal: file.proposal.map(|p| self.proposal(p)).transpose()?,
            answered: file.answered,
            painted: rle(file.painted)?,
            erased: rle(file.erased)?,
            replaces: match file.replaces {
                Some((at, object)) => Some((at, Arc::new(self.object(*object)?))),
                None => None,
            },
            class: file.class,
            spent: file.spent_ms,
        })
    }

    fn proposal(&self, file: ProposalFile) -> Checked<Proposal> {
        Ok(Proposal {
            mask: self.mask(&file.rle)?,
            confidence: file.confidence,
            soft: None,
            threshold: file.threshold,
            origin: Origin {
                engine: file.engine,
                model: file.model,
                who: file.who,
            },
        })
    }
}

impl DocumentFile {
    /// The document with its history.
    pub fn decode(self) -> Checked<(ImageFile, History<Document>)> {
        let size = self.image.size();
        if !is_image_size(size) {
            return Err(format!(
                "{}x{} is no size of an image",
                size.width, size.height
            ));
        }
        let plain = Decoder::new(size, &[]);
        let objects = self
            .objects
            .into_iter()
            .map(|o| plain.object(o).map(Arc::new));
        let now = Document {
            objects: objects.collect::<Checked<_>>()?,
            draft: plain
                .draft(self.draft)
                .map_err(|why| format!("draft: {why}"))?,
            verdict: self.verdict.into(),
            finished: self.finished,
            comment: self.comment,
            next_id: self.next_id,
            extra: self.extra,
        };
        for (i, object) in now.objects.iter().enumerate() {
            if now.objects[..i].iter().any(|o| o.id == object.id) {
                return Err(format!("two objects have the id {}", object.id));
            }
        }
        let history = match self.history {
            Some(file) => file
                .decode(now, size)
                .map_err(|why| format!("history: {why}"))?,
            None => History::new(now),
        };
        Ok((self.image, history))
    }
}
