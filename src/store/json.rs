//! The sidecar's JSON, version 1; `docs/sidecar.schema.json` describes it for others.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::steps::HistoryFile;
use crate::core::document::{Document, Draft, Extra, Millis, Object, Origin, Proposal, Verdict};
use crate::core::geometry::{ImagePoint, ImageRect, Size};
use crate::core::history::History;
use crate::core::mask::Mask;
use crate::core::prompt::{Click, Prompt, Side};
use crate::core::rle;

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

/// Turns the file's parts into ours; an error says why they cannot be right.
pub struct Decoder<'a> {
    pub size: Size,
    pub table: &'a [Arc<Mask>],
}

type Checked<T> = Result<T, String>;

impl Decoder<'_> {
    pub fn counts(&self, counts: &str) -> Checked<Arc<Mask>> {
        let mask = rle::mask_from_string(self.size, counts).map_err(|e| e.to_string())?;
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
        if size.area() == 0 || size.area() > super::decode::MOST_PIXELS {
            return Err(format!(
                "{}x{} is no size of an image",
                size.width, size.height
            ));
        }
        let plain = Decoder { size, table: &[] };
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
