//! The SAM families: an encoder makes an embedding of a picture once, a decoder answers prompts.

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

use self::family::{Boxes, Decoder, Encoder};
use self::input::Place;
use self::logits::Logits;
use self::memory::{Answers, Embeddings};
use self::net::Net;
use self::outputs::{Outputs, ordered};
use self::points::Points;
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
    encoder: Net,
    kind: &'static Encoder,
    decoder: Net,
    how: &'static Decoder,
    /// First 16 hexadecimal digits of the sha256 over both files' sha256.
    hash: String,
    side: u32,
    /// Height and width of the decoder's mask input.
    feedback: (usize, usize),
    outputs: Outputs,
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
        let feedback = feedback_size(&pair.decoder.0, pair.decoder.1)?;
        let hash = hash::of_files(&[&pair.encoder.0.path, &pair.decoder.0.path])?;
        let threads = runtime::threads();
        let (encoder, kind) = (Net::open(on, pair.encoder.0, threads)?, pair.encoder.1);
        let (decoder, how) = (Net::open(on, pair.decoder.0, threads)?, pair.decoder.1);
        let outputs = Outputs::of(&decoder, how);
        Ok(Self {
            side,
            feedback,
            encoder,
            kind,
            decoder,
            how,
            hash,
            outputs,
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
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let made: Arc<[Tensor]> = self.encode(&self.feed().tensor(image), cancel)?.into();
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
            kind: self.kind,
            side: self.side,
        }
    }

    /// Runs the encoder; the embedding is kept nowhere.
    ///
    /// # Errors
    /// When it does not run, or is cancelled.
    pub fn encode(&mut self, picture: &Tensor, cancel: &Cancel) -> Result<Vec<Tensor>> {
        let name = self.encoder.header.inputs[0].name.clone();
        let made = self.encoder.run(&[(&name, picture)], cancel)?;
        self.for_decoder(made)
    }

    /// The encoder's outputs in the order of the decoder's `embeddings`.
    fn for_decoder(&self, mut made: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let names = self.how.embeddings;
        if names.len() == 1 {
            made.truncate(1);
            return Ok(made);
        }
        if names[1] == "interm_embeddings" {
            let rest = made.split_off(1);
            if rest.iter().any(|t| t.shape != rest[0].shape) {
                let path = self.encoder.header.path.display();
                return Err(Error::Model(format!(
                    "{path}: its features are of different shapes; export the encoder again"
                )));
            }
            let shape = [&[rest.len()], &rest[0].shape[..]].concat();
            let values = rest.into_iter().flat_map(|t| t.values).collect();
            made.push(Tensor::new(shape, values));
            return Ok(made);
        }
        let ports = &self.encoder.header.outputs;
        let mut named: Vec<(String, Tensor)> =
            ports.iter().map(|p| p.name.clone()).zip(made).collect();
        let mut take = |name: &&str| {
            let at = named.iter().position(|(n, _)| n == name);
            at.map(|at| named.swap_remove(at).1).ok_or_else(|| {
                let path = self.encoder.header.path.display();
                Error::Model(format!("{path}: it gave no {name}; copy the file again"))
            })
        };
        names.iter().map(&mut take).collect()
    }

    /// Runs the decoder for a prompt on an image. `place` tells where the picture lies in its frame.
    fn decode(
        &mut self,
        question: &Question,
        embedding: &[Tensor],
        place: &Place,
    ) -> Result<Decoded> {
        let prompt = &question.prompt;
        if !self.decoder.holds(question.image_key) {
            let names = self.how.embeddings.iter().copied();
            let inputs: Vec<(&str, &Tensor)> = names.zip(embedding).collect();
            self.decoder.hold(question.image_key, &inputs)?;
        }
        let points = Points::of(prompt, self.how, place);
        let mut inputs = vec![
            (self.how.points, &points.coordinates),
            (self.how.labels, &points.labels),
        ];
        if let (Boxes::Input(name), Some(boxes)) = (self.how.boxes, &points.boxes) {
            inputs.push((name, boxes));
        }
        let before = self.before(question, place);
        let flag = Tensor::new([1], vec![if before.is_some() { 1.0 } else { 0.0 }]);
        let before = before.unwrap_or_else(|| {
            let (height, width) = self.feedback;
            Tensor::new([1, 1, height, width], vec![0.0; height * width])
        });
        if let Some(feedback) = self.how.feedback {
            inputs.extend([(feedback.mask, &before), (feedback.flag, &flag)]);
        }
        let content = place.content;
        let wanted = [content.height as f32, content.width as f32].to_vec();
        let wanted = Tensor::new([2], wanted);
        if let Some(name) = self.how.size {
            inputs.push((name, &wanted));
        }
        let outputs = [self.outputs.scores, self.outputs.masks];
        let mut given = self.decoder.run_held(&inputs, &outputs)?.into_iter();
        let (Some(scores), Some(masks)) = (given.next(), given.next()) else {
            unreachable!("as many outputs come as were wanted");
        };
        let decoded = self.unpacked(scores, &masks)?;
        Ok(ordered(decoded, prompt))
    }

    /// Splits the masks, [.., height, width], by their scores.
    fn unpacked(&self, scores: Tensor, masks: &Tensor) -> Result<Decoded> {
        let (height, width) = match masks.shape[..] {
            [.., height, width] if height > 0 && width > 0 => (height, width),
            _ => return Err(self.misshapen(&scores, masks)),
        };
        let count = masks.values.len() / (height * width);
        if count == 0 || count != scores.values.len() {
            return Err(self.misshapen(&scores, masks));
        }
        let grids = masks.values.chunks_exact(height * width);
        Ok(Decoded {
            grids: grids
                .map(|values| Logits {
                    width,
                    height,
                    values: values.to_vec(),
                })
                .collect(),
            scores: scores.values,
            order: Vec::new(),
        })
    }

    fn misshapen(&self, scores: &Tensor, masks: &Tensor) -> Error {
        Error::Model(format!(
            "{}: it gave masks of shape {:?} and scores of shape {:?}, which do not go together; \
             export the decoder again",
            self.decoder.header.path.display(),
            masks.shape,
            scores.shape
        ))
    }

    /// The mask that the prompt corrects, as the decoder's mask input wants it.
    fn before(&self, question: &Question, place: &Place) -> Option<Tensor> {
        self.how.feedback?;
        let previous = question.previous.as_ref()?;
        let size = question.image.size();
        let fits = previous.mask.size() == size && !previous.mask.is_empty();
        if !fits {
            return None;
        }
        let (height, width) = self.feedback;
        let exact = self.answers.find(&previous.mask);
        let values = match exact {
            Some(grid) if grid.width == width && grid.height == height => grid.values.clone(),
            _ => memory::guess(previous, size, place, (width, height)),
        };
        Some(Tensor::new([1, 1, height, width], values))
    }

    fn place(&self, embedding: &[Tensor], size: Size) -> Place {
        // EfficientViT-SAM scales the picture itself: its embedding tells the frame.
        let cells = embedding[0].shape.last().copied().unwrap_or(0);
        Place::of(self.kind.frame, size, (cells * PATCH) as u32)
    }

    /// The logits that answer a question, as the decoder gave them, before they become masks.
    ///
    /// # Errors
    /// As `propose`.
    pub fn logits(&mut self, question: &Question) -> Result<Decoded> {
        let image = Arc::clone(&question.image);
        let embedding = self.embedding(&image, question.image_key, &Cancel::default())?;
        let place = self.place(&embedding, image.size());
        let mut decoded = self.decode(question, &embedding, &place)?;
        if self.outputs.covers_frame {
            for grid in &mut decoded.grids {
                *grid = grid.cropped(&place);
            }
        }
        Ok(decoded)
    }
}

impl Engine for Sam {
    fn name(&self) -> &str {
        self.kind.name
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
        let size = question.image.size();
        let embedding = self.embedding(&question.image, question.image_key, &Cancel::default())?;
        let place = self.place(&embedding, size);
        let mut decoded = self.decode(question, &embedding, &place)?;
        let mut proposals: Vec<(Proposal, usize)> = Vec::new();
        for at in std::mem::take(&mut decoded.order) {
            let grid = &decoded.grids[at];
            let logits = if self.outputs.covers_frame {
                grid.cropped(&place)
            } else {
                grid.clone()
            };
            let mask = obey::obeying(logits.mask(size), prompt);
            if proposals.iter().any(|(p, _)| p.mask.iou(&mask) > SAME) {
                continue;
            }
            let proposal = Proposal {
                mask: Arc::new(mask),
                confidence: decoded.scores[at].clamp(0.0, 1.0),
                soft: Some(Arc::new(logits.soft(size))),
                threshold: 0.5,
                origin: Origin {
                    engine: self.kind.name.into(),
                    model: self.hash.clone(),
                    who: String::new(),
                },
            };
            proposals.push((proposal, at));
        }
        if let (Boxes::Never, Some(rect)) = (self.how.boxes, prompt.rect) {
            proposals.sort_by(|a, b| filling(&b.0, rect).total_cmp(&filling(&a.0, rect)));
        }
        let mut grids: Vec<Option<Logits>> = decoded.grids.into_iter().map(Some).collect();
        for (proposal, at) in &proposals {
            if let Some(grid) = grids[*at].take() {
                self.answers.keep(&proposal.mask, grid);
            }
        }
        Ok(proposals.into_iter().map(|(p, _)| p).collect())
    }
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

/// Height and width of the decoder's mask input.
fn feedback_size(decoder: &Header, how: &Decoder) -> Result<(usize, usize)> {
    const USUAL: usize = 256;
    let port = how.feedback.and_then(|f| decoder.input(f.mask));
    let dimension = |back: usize| {
        let Some(port) = port else { return Ok(USUAL) };
        let at = port.shape.len().checked_sub(back);
        let fixed = at.and_then(|at| port.shape[at]);
        sensible(fixed.unwrap_or(USUAL), port, decoder)
    };
    Ok((dimension(2)?, dimension(1)?))
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
