//! A document to the sidecar's JSON.

use std::collections::HashMap;
use std::sync::Arc;

use super::steps::HistoryFile;
use super::{
    ClickFile, DocumentFile, DraftFile, ImageFile, ObjectFile, PromptFile, ProposalFile, RleFile,
    SideName, VERSION,
};
use crate::core::document::{Document, Draft, Object};
use crate::core::geometry::ImageRect;
use crate::core::history::History;
use crate::core::mask::Mask;
use crate::core::prompt::{Prompt, Side};
use crate::core::rle;

/// The strings of masks that were written before: a save encodes only what is new.
#[derive(Debug, Default)]
pub struct Encoder {
    known: HashMap<usize, (Arc<Mask>, Arc<str>)>,
    used: HashMap<usize, (Arc<Mask>, Arc<str>)>,
    /// Where a mask lies in the history's table.
    places: HashMap<usize, usize>,
    table: Vec<Arc<str>>,
}

/// Whether a mask is written in its place or in the history's table.
#[derive(Debug, Clone, Copy)]
pub enum Where {
    Here,
    Table,
}

impl Encoder {
    /// COCO's string of a mask; the same mask is encoded once.
    pub fn string(&mut self, mask: &Arc<Mask>) -> Arc<str> {
        let key = Arc::as_ptr(mask) as usize;
        if let Some((_, text)) = self.used.get(&key) {
            return Arc::clone(text);
        }
        let known = self.known.remove(&key);
        let entry = known.unwrap_or_else(|| {
            (
                Arc::clone(mask),
                Arc::from(rle::string_from_mask(mask).as_str()),
            )
        });
        let text = Arc::clone(&entry.1);
        // The kept mask keeps its address from being given to another one.
        self.used.insert(key, entry);
        text
    }

    fn rle(&mut self, mask: &Arc<Mask>, place: Where) -> RleFile {
        let counts = self.string(mask);
        match place {
            Where::Here => RleFile::Whole {
                size: [mask.size().height, mask.size().width],
                counts,
            },
            Where::Table => {
                let key = Arc::as_ptr(mask) as usize;
                let next = self.table.len();
                let at = *self.places.entry(key).or_insert(next);
                if at == next {
                    self.table.push(counts);
                }
                RleFile::Shared(at)
            }
        }
    }

    /// The table of the history's masks; the next save begins a new one.
    pub fn take_table(&mut self) -> Vec<Arc<str>> {
        self.places.clear();
        std::mem::take(&mut self.table)
    }

    /// Forgets the masks that this save did not need.
    fn finish(&mut self) {
        self.known = std::mem::take(&mut self.used);
    }

    pub fn object(&mut self, object: &Object, place: Where) -> ObjectFile {
        let bounds = object.mask.bounds().unwrap_or(ImageRect::new(0, 0, 0, 0));
        ObjectFile {
            id: object.id,
            track: object.track,
            class: Arc::clone(&object.class),
            rle: self.rle(&object.mask, place),
            bbox: [bounds.x0, bounds.y0, bounds.width(), bounds.height()],
            area: object.mask.area(),
            prompt: prompt_file(&object.prompt),
            engine: object.origin.engine.clone(),
            model: object.origin.model.clone(),
            who: object.origin.who.clone(),
            confidence: object.confidence.filter(|c| c.is_finite()),
            verdict: object.verdict.into(),
            comment: object.comment.clone(),
            created_ms: object.created,
            changed_ms: object.changed,
            spent_ms: object.spent,
            extra: object.extra.clone(),
        }
    }

    /// `None` for a draft that nobody has begun.
    pub fn draft(&mut self, draft: &Draft, place: Where) -> Option<DraftFile> {
        if *draft == Draft::default() {
            return None;
        }
        Some(DraftFile {
            prompt: prompt_file(&draft.prompt),
            proposal: draft.proposal.as_ref().map(|p| ProposalFile {
                rle: self.rle(&p.mask, place),
                confidence: p.confidence,
                threshold: p.threshold,
                engine: p.origin.engine.clone(),
                model: p.origin.model.clone(),
                who: p.origin.who.clone(),
            }),
            answered: draft.answered,
            painted: draft.painted.as_ref().map(|m| self.rle(m, place)),
            erased: draft.erased.as_ref().map(|m| self.rle(m, place)),
            replaces: draft
                .replaces
                .as_ref()
                .map(|(at, object)| (*at, Box::new(self.object(object, place)))),
            class: draft.class.clone(),
            spent_ms: draft.spent,
        })
    }

    /// The whole file's bytes.
    pub fn document(&mut self, image: &ImageFile, history: &History<Document>) -> Vec<u8> {
        let now = history.now();
        let file = DocumentFile {
            version: VERSION,
            software: concat!("termask ", env!("CARGO_PKG_VERSION")).into(),
            image: image.clone(),
            verdict: now.verdict.into(),
            finished: now.finished,
            comment: now.comment.clone(),
            next_id: now.next_id,
            objects: now
                .objects
                .iter()
                .map(|o| self.object(o, Where::Here))
                .collect(),
            draft: self.draft(&now.draft, Where::Here),
            history: HistoryFile::encode(history, self),
            extra: now.extra.clone(),
        };
        self.finish();
        let mut bytes = serde_json::to_vec(&file).expect("maps with text keys, numbers and text");
        bytes.push(b'\n');
        bytes
    }
}

fn prompt_file(prompt: &Prompt) -> PromptFile {
    PromptFile {
        rect: prompt.rect.map(|r| [r.x0, r.y0, r.x1, r.y1]),
        clicks: prompt
            .clicks
            .iter()
            .map(|c| ClickFile {
                x: c.at.x,
                y: c.at.y,
                side: match c.side {
                    Side::Inside => SideName::Inside,
                    Side::Outside => SideName::Outside,
                },
            })
            .collect(),
    }
}
