//! The SAM families: an encoder makes an embedding of a picture once, a decoder answers prompts.

mod decoding;
mod encoding;
pub mod family;
pub mod files;
mod input;
pub mod logits;
mod memory;
mod net;
mod obey;
mod outputs;
mod points;
mod resample;

use std::path::Path;
use std::sync::Arc;

pub use self::input::Feed;
pub use self::net::Tensor;
pub use self::outputs::Decoded;

use self::decoding::Decoding;
use self::encoding::Encoding;
use self::family::{Boxes, Encoder};
use self::input::Place;
use self::logits::Logits;
use self::memory::{Answers, Embeddings};
use self::net::Net;
use crate::core::document::{Origin, Proposal};
use crate::core::geometry::{ImageRect, Size};
use crate::core::image::Image;
use crate::core::mask::Mask;
use crate::segment::cache::Cache;
use crate::segment::header::{Header, Port};
use crate::segment::runtime::{self, Compute, Device};
use crate::segment::{Cancel, Engine, Error, Question, Result, hash};

/// Side of the frame where the files do not tell.
const SIDE: u32 = 1024;
/// Frame units a cell of the image embedding.
const PATCH: usize = 16;
/// Longest side of an input that is believed.
const LARGEST: usize = 4096;
/// Masks that overlap more than this are one and the same to a person.
const SAME: f64 = 0.97;

/// An encoder and a decoder at work.
pub struct Sam {
    encoder: Encoding,
    decoder: Decoding,
    /// First 16 hexadecimal digits of the sha256 over both files' sha256.
    hash: String,
    side: u32,
    embeddings: Embeddings,
    /// Embeddings on the disk, where they are to be kept.
    cache: Option<Cache>,
    answers: Answers,
}

impl Sam {
    /// Opens the pair that a path names: a folder, an encoder's or a decoder's file.
    ///
    /// # Errors
    /// When a file is missing, damaged, of no known family, or refused by ONNX Runtime.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_on(Compute::Best, path)
    }

    /// Opens it to compute where it is told.
    ///
    /// # Errors
    /// As `open`, and when the GPU that was named cannot be used.
    pub fn open_on(on: Compute, path: &Path) -> Result<Self> {
        let pair = files::find(path)?;
        let side = side(&pair.encoder.0, pair.encoder.1)?;
        let feedback = decoding::feedback_size(&pair.decoder.0, pair.decoder.1)?;
        let hash = hash::of_files(&[&pair.encoder.0.path, &pair.decoder.0.path])?;
        let threads = runtime::threads();
        let open = |header| Net::open(on, header, threads);
        let encoder = Encoding::start(open(pair.encoder.0)?, pair.encoder.1)?;
        let decoder = Decoding::new(open(pair.decoder.0)?, pair.decoder.1, feedback);
        Ok(Self {
            side,
            encoder,
            decoder,
            hash,
            embeddings: Embeddings::default(),
            cache: None,
            answers: Answers::default(),
        })
    }

    /// Keeps embeddings on the disk, too.
    #[must_use]
    pub fn with_cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Gives the decoder so many prompts at once where its graph takes them; on a GPU several are
    /// the rule.
    #[must_use]
    pub fn with_batch(mut self, batch: usize) -> Self {
        self.decoder.take_at_once(batch);
        self
    }

    /// What it computes on.
    pub fn device(&self) -> &Device {
        &self.encoder.device
    }

    /// First 16 hexadecimal digits that name the model.
    pub fn model_hash(&self) -> &str {
        &self.hash
    }

    /// The picture's embedding, kept or computed.
    fn embedding(&mut self, image: &Image, key: u64, cancel: &Cancel) -> Result<Arc<[Tensor]>> {
        if let Some(kept) = self.embeddings.find(key) {
            return Ok(kept);
        }
        if let Some(kept) = self.cache.as_ref().and_then(|c| c.read(&self.hash, key)) {
            let kept: Arc<[Tensor]> = kept.into();
            self.embeddings.keep(key, Arc::clone(&kept));
            return Ok(kept);
        }
        let picture = self.feed().tensor(image, cancel)?;
        let made: Arc<[Tensor]> = self.encode(picture, cancel)?.into();
        if let Some(cache) = &self.cache {
            // A disk that is full costs the next session some seconds, not this one its answer.
            let _ = cache.write(&self.hash, key, &made);
        }
        self.embeddings.keep(key, Arc::clone(&made));
        Ok(made)
    }

    /// How pictures are brought to the encoder; another thread can do that meanwhile.
    pub fn feed(&self) -> Feed {
        Feed {
            kind: self.encoder.kind,
            side: self.side,
        }
    }

    /// Runs the encoder; the embedding is kept nowhere.
    ///
    /// # Errors
    /// When it does not run, or is cancelled.
    pub fn encode(&self, picture: Tensor, cancel: &Cancel) -> Result<Vec<Tensor>> {
        let names = self.decoder.how.embeddings;
        self.encoder.run(picture, names, cancel)
    }

    fn place(&self, embedding: &[Tensor], size: Size) -> Place {
        // EfficientViT-SAM scales the picture itself: its embedding tells the frame.
        let cells = embedding[0].shape.last().copied().unwrap_or(0);
        Place::of(self.encoder.kind.frame, size, (cells * PATCH) as u32)
    }

    /// The logits that answer a question, as the decoder gave them, before they become masks.
    ///
    /// # Errors
    /// As `propose`.
    pub fn logits(&mut self, question: &Question) -> Result<Decoded> {
        let image = Arc::clone(&question.image);
        let embedding = self.embedding(&image, question.image_key, &question.cancel)?;
        let place = self.place(&embedding, image.size());
        let mut decoded = self
            .decoder
            .run(question, &embedding, &place, &self.answers)?;
        if self.decoder.outputs.covers_frame {
            for grid in &mut decoded.grids {
                *grid = grid.cropped(&place);
            }
        }
        Ok(decoded)
    }

    /// What a decoder gave for a prompt as proposals, the best first, none twice.
    fn proposals(
        &mut self,
        question: &Question,
        mut decoded: Decoded,
        place: &Place,
    ) -> Vec<Proposal> {
        let (prompt, size) = (&question.prompt, question.image.size());
        let mut proposals: Vec<(Proposal, usize)> = Vec::new();
        for at in std::mem::take(&mut decoded.order) {
            let grid = &decoded.grids[at];
            let logits = if self.decoder.outputs.covers_frame {
                grid.cropped(place)
            } else {
                grid.clone()
            };
            let mask = obey::obeying(logits.mask(size), prompt);
            if proposals.iter().any(|(p, _)| is_same(&p.mask, &mask)) {
                continue;
            }
            let proposal = Proposal {
                mask: Arc::new(mask),
                confidence: decoded.scores[at].clamp(0.0, 1.0),
                soft: Some(Arc::new(logits.soft(size))),
                threshold: 0.5,
                origin: Origin {
                    engine: self.encoder.kind.name.into(),
                    model: self.hash.clone(),
                    who: String::new(),
                },
            };
            proposals.push((proposal, at));
        }
        if let (Boxes::Never, Some(rect)) = (self.decoder.how.boxes, prompt.rect) {
            proposals.sort_by(|a, b| filling(&b.0, rect).total_cmp(&filling(&a.0, rect)));
        }
        let mut grids: Vec<Option<Logits>> = decoded.grids.into_iter().map(Some).collect();
        for (proposal, at) in &proposals {
            if let Some(grid) = grids[*at].take() {
                self.answers.keep(&proposal.mask, grid);
            }
        }
        proposals.into_iter().map(|(p, _)| p).collect()
    }

    /// Answers prompts by one run of the decoder.
    fn propose_together(&mut self, questions: &[Question]) -> Result<Vec<Vec<Proposal>>> {
        let (image, key) = (&questions[0].image, questions[0].image_key);
        let embedding = self.embedding(image, key, &questions[0].cancel)?;
        let place = self.place(&embedding, image.size());
        let decoded = self.decoder.run_all(questions, &embedding, &place, None)?;
        let decoded = questions.iter().zip(decoded);
        Ok(decoded
            .map(|(question, decoded)| self.proposals(question, decoded, &place))
            .collect())
    }
}

impl Engine for Sam {
    fn name(&self) -> &str {
        self.encoder.kind.name
    }

    fn note(&self) -> Option<String> {
        self.encoder.device.note()
    }

    fn is_ready(&self, image_key: u64) -> bool {
        self.embeddings.has(image_key)
    }

    fn prepare(&mut self, image: &Image, image_key: u64, cancel: &Cancel) -> Result<()> {
        self.embedding(image, image_key, cancel).map(|_| ())
    }

    fn propose(&mut self, question: &Question) -> Result<Vec<Proposal>> {
        let prompt = &question.prompt;
        if !prompt.is_answerable() {
            return Err(Error::Prompt(
                "the prompt names no object: give a box or an inside click".into(),
            ));
        }
        let (image, key, cancel) = (&question.image, question.image_key, &question.cancel);
        let embedding = self.embedding(image, key, cancel)?;
        let place = self.place(&embedding, image.size());
        let decoded = self
            .decoder
            .run(question, &embedding, &place, &self.answers)?;
        Ok(self.proposals(question, decoded, &place))
    }

    fn batch(&self) -> usize {
        self.decoder.batch
    }

    fn propose_all(&mut self, questions: &[Question]) -> Vec<Result<Vec<Proposal>>> {
        let together = questions.len() > 1 && self.decoder.takes_together(questions);
        if let Some(answers) = together.then(|| self.propose_together(questions)) {
            match answers {
                Ok(answers) => return answers.into_iter().map(Ok).collect(),
                Err(Error::Cancelled) => {}
                // Exports call dimensions free that are not; what else is wrong shows below.
                Err(_) => self.decoder.batch = 1,
            }
        }
        questions.iter().map(|q| self.propose(q)).collect()
    }
}

/// Whether two masks are one and the same to a person.
fn is_same(a: &Mask, b: &Mask) -> bool {
    let (x, y) = (a.area() as f64, b.area() as f64);
    // The areas alone tell most apart.
    x.min(y) > SAME * x.max(y) && a.iou(b) > SAME
}

/// How well a mask fills a box: the IoU of its bounds with it.
fn filling(proposal: &Proposal, rect: ImageRect) -> f64 {
    let size = proposal.mask.size();
    proposal.mask.bounds().map_or(0.0, |bounds| {
        Mask::from_rect(size, bounds).iou(&Mask::from_rect(size, rect))
    })
}

/// The side of the encoder's input, where its file fixes it.
fn side(encoder: &Header, kind: &Encoder) -> Result<u32> {
    let is_square = kind.layout() == family::Layout::Chw;
    let last = encoder.inputs[0].shape.last().copied().flatten();
    let side = last.filter(|_| is_square).unwrap_or(SIDE as usize);
    sensible(side, &encoder.inputs[0], encoder).map(|side| side as u32)
}

/// A side that memory can be taken for: a damaged file may ask for any.
fn sensible(side: usize, port: &Port, header: &Header) -> Result<usize> {
    if (PATCH..=LARGEST).contains(&side) {
        return Ok(side);
    }
    Err(Error::Model(format!(
        "{}: its input {port} is of a size that no SAM has; copy or export the file again",
        header.path.display()
    )))
}
