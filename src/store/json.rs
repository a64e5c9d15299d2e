//! The sidecar's text: versioned JSON, with fields of others kept as they are.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::document::{Document, Draft, Extra, Millis, Object, Origin, Proposal, Verdict};
use crate::core::geometry::{ImagePoint, ImageRect, Size};
use crate::core::mask::Mask;
use crate::core::prompt::{Click, Prompt, Side};
use crate::core::rle;

/// What this program writes; it reads this and every earlier one.
pub const VERSION: u32 = 1;

/// More pixels than this are not believed.
const MOST_PIXELS: u64 = 1 << 40;

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
pub struct File {
    pub termask: u32,
    pub image: ImageFacts,
    #[serde(default)]
    objects: Vec<ObjectText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    draft: Option<DraftText>,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    pub finished: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    comment: String,
    #[serde(default)]
    next_id: u64,
    #[serde(flatten)]
    extra: Extra,
}

/// Which image the sidecar belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    pub file: String,
    pub width: u32,
    pub height: u32,
    /// EXIF orientation, 1 to 8; sizes and coordinates are of the upright image.
    pub orientation: u8,
    pub sha256: String,
}

impl ImageFacts {
    pub const fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ObjectText {
    id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    track: Option<u64>,
    class: String,
    /// x, y, width, height, as in COCO.
    #[serde(default, skip_deserializing)]
    bbox: [u32; 4],
    #[serde(default, skip_deserializing)]
    area: u64,
    rle: RleText,
    #[serde(default, skip_serializing_if = "PromptText::is_empty")]
    prompt: PromptText,
    #[serde(flatten)]
    origin: OriginText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confidence: Option<f32>,
    #[serde(default)]
    verdict: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    comment: String,
    created: Timestamp,
    changed: Timestamp,
    #[serde(default)]
    spent_ms: u64,
    #[serde(flatten)]
    extra: Extra,
}

/// COCO's run lengths: size is height, width.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RleText {
    size: [u32; 2],
    counts: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct PromptText {
    /// x0, y0, x1, y1; the last two exclusive.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    rect: Option<[u32; 4]>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    clicks: Vec<ClickText>,
}

impl PromptText {
    fn is_empty(&self) -> bool {
        self.rect.is_none() && self.clicks.is_empty()
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ClickText {
    x: u32,
    y: u32,
    side: SideText,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SideText {
    Inside,
    Outside,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct OriginText {
    #[serde(default)]
    engine: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    model: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    who: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct DraftText {
    #[serde(default)]
    prompt: PromptText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proposal: Option<ProposalText>,
    #[serde(default)]
    answered: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    painted: Option<RleText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased: Option<RleText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<ReplacesText>,
    #[serde(default)]
    spent_ms: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct ReplacesText {
    place: usize,
    object: Box<ObjectText>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ProposalText {
    rle: RleText,
    confidence: f32,
    threshold: f32,
    #[serde(flatten)]
    origin: OriginText,
}

/// The text of a document.
pub fn to_text(document: &Document, image: &ImageFacts) -> Vec<u8> {
    let draft = &document.draft;
    let file = File {
        termask: VERSION,
        image: image.clone(),
        objects: document.objects.iter().map(|o| object_text(o)).collect(),
        draft: (!draft.is_empty()).then(|| draft_text(draft)),
        verdict: document.verdict.name().into(),
        finished: document.finished,
        comment: document.comment.clone(),
        next_id: document.next_id,
        extra: document.extra.clone(),
    };
    let mut text = serde_json::to_vec_pretty(&file).expect("plain data becomes JSON");
    text.push(b'\n');
    text
}

/// The file in a text; the message says where the text is wrong.
pub fn parse(text: &[u8]) -> Result<File, String> {
    #[derive(Deserialize)]
    struct Head {
        termask: u32,
    }
    let head: Head = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    if head.termask > VERSION {
        return Err(format!(
            "it is of version {}, this termask reads up to {VERSION}",
            head.termask
        ));
    }
    serde_json::from_slice(text).map_err(|e| e.to_string())
}

impl File {
    /// How many objects have this verdict.
    pub fn count(&self, verdict: Verdict) -> u32 {
        let of = |o: &&ObjectText| Verdict::from_name(&o.verdict).unwrap_or_default() == verdict;
        self.objects.iter().filter(of).count() as u32
    }

    pub const fn has_draft(&self) -> bool {
        self.draft.is_some()
    }

    /// The document; `Err` names what cannot be.
    pub fn into_document(self) -> Result<Document, String> {
        let size = self.image.size();
        if size.area() == 0 || size.area() > MOST_PIXELS {
            return Err(format!(
                "an image of {}x{} cannot be",
                size.width, size.height
            ));
        }
        let objects: Result<Vec<_>, String> = self
            .objects
            .into_iter()
            .map(|o| object(o, size).map(Arc::new))
            .collect();
        Ok(Document {
            objects: objects?,
            draft: match self.draft {
                Some(text) => draft(text, size)?,
                None => Draft::default(),
            },
            verdict: Verdict::from_name(&self.verdict).unwrap_or_default(),
            finished: self.finished,
            comment: self.comment,
            next_id: self.next_id,
            extra: self.extra,
        })
    }
}

fn object_text(object: &Object) -> ObjectText {
    let bounds = object.mask.bounds();
    ObjectText {
        id: object.id,
        track: object.track,
        class: object.class.to_string(),
        bbox: bounds.map_or([0; 4], |b| [b.x0, b.y0, b.width(), b.height()]),
        area: object.mask.area(),
        rle: rle_text(&object.mask),
        prompt: prompt_text(&object.prompt),
        origin: origin_text(&object.origin),
        confidence: object.confidence,
        verdict: object.verdict.name().into(),
        comment: object.comment.clone(),
        created: time(object.created),
        changed: time(object.changed),
        spent_ms: object.spent,
        extra: object.extra.clone(),
    }
}

fn object(text: ObjectText, size: Size) -> Result<Object, String> {
    let told = |why| format!("object {}: {why}", text.id);
    Ok(Object {
        id: text.id,
        track: text.track,
        class: Arc::from(text.class.as_str()),
        mask: mask(&text.rle, size).map_err(told)?,
        prompt: prompt(&text.prompt),
        origin: origin(text.origin),
        confidence: text.confidence.filter(|c| c.is_finite()),
        verdict: Verdict::from_name(&text.verdict).unwrap_or_default(),
        comment: text.comment,
        created: text.created.as_millisecond(),
        changed: text.changed.as_millisecond(),
        spent: text.spent_ms,
        extra: text.extra,
    })
}

fn draft_text(draft: &Draft) -> DraftText {
    DraftText {
        prompt: prompt_text(&draft.prompt),
        proposal: draft.proposal.as_ref().map(|p| ProposalText {
            rle: rle_text(&p.mask),
            confidence: p.confidence,
            threshold: p.threshold,
            origin: origin_text(&p.origin),
        }),
        answered: draft.answered,
        painted: draft.painted.as_deref().map(rle_text),
        erased: draft.erased.as_deref().map(rle_text),
        class: draft.class.as_ref().map(ToString::to_string),
        replaces: draft.replaces.as_ref().map(|(place, object)| ReplacesText {
            place: *place,
            object: Box::new(object_text(object)),
        }),
        spent_ms: draft.spent,
    }
}

fn draft(text: DraftText, size: Size) -> Result<Draft, String> {
    let told = |why| format!("draft: {why}");
    let brushed = |rle: Option<RleText>| rle.map(|r| mask(&r, size)).transpose().map_err(told);
    let proposal = match text.proposal {
        Some(p) => Some(Proposal {
            mask: mask(&p.rle, size).map_err(told)?,
            confidence: p.confidence,
            soft: None,
            threshold: p.threshold,
            origin: origin(p.origin),
        }),
        None => None,
    };
    let replaces = match text.replaces {
        Some(r) => Some((r.place, Arc::new(object(*r.object, size)?))),
        None => None,
    };
    Ok(Draft {
        prompt: prompt(&text.prompt),
        proposal,
        answered: text.answered,
        painted: brushed(text.painted)?,
        erased: brushed(text.erased)?,
        replaces,
        class: text.class.map(|c| Arc::from(c.as_str())),
        spent: text.spent_ms,
    })
}

fn rle_text(mask: &Mask) -> RleText {
    RleText {
        size: [mask.size().height, mask.size().width],
        counts: rle::string_from_mask(mask),
    }
}

fn mask(text: &RleText, size: Size) -> Result<Arc<Mask>, String> {
    if text.size != [size.height, size.width] {
        return Err(format!(
            "its mask is {}x{}, the image {}x{}",
            text.size[1], text.size[0], size.width, size.height
        ));
    }
    let mask = rle::mask_from_string(size, &text.counts).map_err(|e| e.to_string())?;
    Ok(Arc::new(mask))
}

fn prompt_text(prompt: &Prompt) -> PromptText {
    PromptText {
        rect: prompt.rect.map(|r| [r.x0, r.y0, r.x1, r.y1]),
        clicks: prompt
            .clicks
            .iter()
            .map(|c| ClickText {
                x: c.at.x,
                y: c.at.y,
                side: match c.side {
                    Side::Inside => SideText::Inside,
                    Side::Outside => SideText::Outside,
                },
            })
            .collect(),
    }
}

fn prompt(text: &PromptText) -> Prompt {
    Prompt {
        rect: text
            .rect
            .map(|[x0, y0, x1, y1]| ImageRect::new(x0, y0, x1, y1)),
        clicks: text
            .clicks
            .iter()
            .map(|c| Click {
                at: ImagePoint::new(c.x, c.y),
                side: match c.side {
                    SideText::Inside => Side::Inside,
                    SideText::Outside => Side::Outside,
                },
            })
            .collect(),
    }
}

fn origin_text(origin: &Origin) -> OriginText {
    OriginText {
        engine: origin.engine.clone(),
        model: origin.model.clone(),
        who: origin.who.clone(),
    }
}

fn origin(text: OriginText) -> Origin {
    Origin {
        engine: text.engine,
        model: text.model,
        who: text.who,
    }
}

fn time(millis: Millis) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}
