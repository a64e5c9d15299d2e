//! The click net: a small network that looks at a crop. Crops and prompts are those it was trained
//! and evaluated with (`models/train/noc.py`).

use std::sync::{Arc, OnceLock};

use ort::session::Session;
use ort::value::TensorRef;
use sha2::{Digest, Sha256};

use crate::core::document::{Origin, Proposal};
use crate::core::geometry::{ImageRect, Size};
use crate::core::mask::Mask;
use crate::core::prompt::{Prompt, Side, Soft};
use crate::segment::crop::{Square, crop};
use crate::segment::{Engine, Error, Question, Result, runtime};

static MODEL: &[u8] = include_bytes!("../../models/click.onnx");

/// Pixels across the network's crop.
pub const SIZE: usize = 384;
/// A pixel belongs to the object above this probability.
pub const THRESHOLD: f32 = 0.49;
/// How much larger than what is looked for the crop is.
const EXPAND: f64 = 1.4;
/// Fewer pixels than this are no object to zoom in on.
const LEAST_PIXELS: u64 = 20;
/// The training's normalisation of RGB/255.
const MEAN: f32 = 0.498;
const STD: f32 = 0.502;

/// Half widths of the rows of a disk of radius 5, as OpenCV's `circle` fills it.
const DISK: [i64; 11] = [0, 3, 4, 4, 4, 5, 4, 4, 4, 3, 0];

/// The built-in engine.
pub struct ClickNet {
    session: Session,
    pub device: runtime::Device,
}

/// The network's input for one pass.
#[derive(Debug)]
pub struct Input {
    pub square: Square,
    /// [3, SIZE, SIZE], normalised.
    pub image: Vec<f32>,
    /// [4, SIZE, SIZE]: inside disks, outside disks, box, previous probability.
    pub prompt: Vec<f32>,
}

/// First 16 hexadecimal digits of the model's sha256.
pub fn model_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hex::encode(&Sha256::digest(MODEL)[..8]))
}

impl ClickNet {
    pub fn open() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with_threads(cores.min(4))
    }

    pub fn with_threads(threads: usize) -> Result<Self> {
        let (session, device) = runtime::session(MODEL, "the built-in click net", threads)?;
        Ok(Self { session, device })
    }

    /// The logits, [SIZE, SIZE], of one pass.
    pub fn logits(&mut self, input: &Input) -> Result<Vec<f32>> {
        let told = |e: ort::Error| Error::Runtime(format!("the click net did not run: {e}"));
        let shape = |channels: usize| [1, channels, SIZE, SIZE];
        let image = TensorRef::from_array_view((shape(3), &*input.image)).map_err(told)?;
        let prompt = TensorRef::from_array_view((shape(4), &*input.prompt)).map_err(told)?;
        let outputs = self
            .session
            .run(ort::inputs!["image" => image, "prompt" => prompt])
            .map_err(told)?;
        let (_, logits) = outputs["logits"]
            .try_extract_tensor::<f32>()
            .map_err(told)?;
        Ok(logits.to_vec())
    }

    /// One pass: the probabilities of the crop that the prompt and the last answer ask for.
    fn pass(&mut self, question: &Question, before: Option<&Before>) -> Result<Soft> {
        let input = input(question, before);
        let logits = self.logits(&input)?;
        Ok(Soft {
            x: input.square.x,
            y: input.square.y,
            scale: input.square.side / SIZE as f64,
            width: SIZE as u32,
            height: SIZE as u32,
            values: logits
                .iter()
                .map(|l| (255.0 / (1.0 + (-l).exp())).round() as u8)
                .collect(),
        })
    }
}

impl Engine for ClickNet {
    fn name(&self) -> &'static str {
        "click"
    }

    fn propose(&mut self, question: &Question) -> Result<Vec<Proposal>> {
        if !question.prompt.is_answerable() {
            return Err(Error::Prompt(
                "the prompt names no object: give a box or an inside click".into(),
            ));
        }
        let size = question.image.size();
        let before = question.previous.as_ref().map(Before::from_proposal);
        let mut soft = self.pass(question, before.as_ref())?;
        // A first click without a box looks twice: at the whole, then at what it found.
        if before.is_none() && question.prompt.rect.is_none() {
            let found = Before::from_soft(soft, size);
            soft = self.pass(question, Some(&found))?;
        }
        let mask = obeying(&soft.mask(size, THRESHOLD), &question.prompt);
        let confidence = expected_iou(&soft, THRESHOLD);
        Ok(vec![Proposal {
            mask,
            confidence,
            soft: Some(Arc::new(soft)),
            threshold: THRESHOLD,
            origin: Origin {
                engine: "click".into(),
                model: model_hash().into(),
                who: String::new(),
            },
        }])
    }
}

/// The last answer, as the next pass sees it.
struct Before {
    mask: Arc<Mask>,
    soft: Option<Arc<Soft>>,
}

impl Before {
    fn from_proposal(proposal: &Proposal) -> Self {
        Self {
            mask: Arc::clone(&proposal.mask),
            soft: proposal.soft.clone(),
        }
    }

    fn from_soft(soft: Soft, size: Size) -> Self {
        Self {
            mask: soft.mask(size, THRESHOLD),
            soft: Some(Arc::new(soft)),
        }
    }

    /// Probability of an image pixel; of a mask without probabilities 0 or 1.
    fn at(&self, x: i64, y: i64) -> f32 {
        let size = self.mask.size();
        let inside =
            (0..i64::from(size.width)).contains(&x) && (0..i64::from(size.height)).contains(&y);
        if !inside {
            return 0.0;
        }
        match &self.soft {
            Some(soft) => soft.at(x as f64, y as f64),
            None => f32::from(u8::from(self.mask.contains(size.clamp(x, y)))),
        }
    }

    /// The probabilities as the network's fourth prompt channel: those of the image's pixels,
    /// bilinear between them, as the training had them.
    fn channel(&self, square: Square, out: &mut [f32]) {
        let scale = square.side / SIZE as f64;
        let (x0, y0) = (square.x.floor() as i64, square.y.floor() as i64);
        // Where the crop shrinks the image, a cell in between is as good as the pixel beside it.
        let step = scale.max(1.0);
        let cells = (square.side / step).ceil() as usize + 2;
        let mut pixels = vec![0.0; cells * cells];
        for (j, row) in pixels.chunks_exact_mut(cells).enumerate() {
            for (i, value) in row.iter_mut().enumerate() {
                let (x, y) = (i as f64 * step, j as f64 * step);
                *value = self.at(x0 + x.round() as i64, y0 + y.round() as i64);
            }
        }
        for (n, value) in out.iter_mut().enumerate() {
            let u = (square.x - x0 as f64 + (n % SIZE) as f64 * scale) / step;
            let v = (square.y - y0 as f64 + (n / SIZE) as f64 * scale) / step;
            let (i, j) = (u as usize, v as usize);
            let (fu, fv) = (u.fract() as f32, v.fract() as f32);
            let upper = &pixels[j * cells + i..];
            let lower = &pixels[(j + 1) * cells + i..];
            let top = upper[0] + fu * (upper[1] - upper[0]);
            let bottom = lower[0] + fu * (lower[1] - lower[0]);
            *value = top + fv * (bottom - top);
        }
    }
}

/// The tensors of one pass.
fn input(question: &Question, before: Option<&Before>) -> Input {
    let square = region(
        &question.prompt,
        before.map(|b| &*b.mask),
        question.image.size(),
    );
    let rgb = crop(&question.image, square, SIZE);
    let mut image = vec![0.0; 3 * SIZE * SIZE];
    for (i, pixel) in rgb.chunks_exact(3).enumerate() {
        for k in 0..3 {
            image[k * SIZE * SIZE + i] = (pixel[k] / 255.0 - MEAN) / STD;
        }
    }
    let mut prompt = prompt_channels(&question.prompt, square);
    if let Some(before) = before {
        before.channel(square, &mut prompt[3 * SIZE * SIZE..]);
    }
    Input {
        square,
        image,
        prompt,
    }
}

/// The tensors of a first pass on a prompt, for comparison with the reference.
pub fn first_input(question: &Question) -> Input {
    input(question, None)
}

/// The square to look at. Without a box and with nothing found yet the whole image; else the mask
/// with the inside clicks, or the box, 1.4 times as large and kept on the picture.
fn region(prompt: &Prompt, mask: Option<&Mask>, size: Size) -> Square {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let found = mask
        .filter(|m| m.area() >= LEAST_PIXELS)
        .and_then(Mask::bounds);
    let wanted = found
        .map(|bounds| {
            let inside = prompt.points(Side::Inside);
            let pixels = inside.map(|p| ImageRect::from_corners(p, p));
            pixels.fold(bounds, ImageRect::union)
        })
        .or(prompt.rect);
    let Some(wanted) = wanted else {
        let side = w.max(h);
        return Square {
            x: (w - side) / 2.0,
            y: (h - side) / 2.0,
            side,
        };
    };
    let longest = f64::from(wanted.width().max(wanted.height()));
    let side = (longest * EXPAND).max(32.0).min(1.1 * w.max(h));
    let keep = |low: u32, high: u32, length: f64| {
        let start = (f64::from(low) + f64::from(high) - side) / 2.0;
        if side <= length {
            start.clamp(0.0, length - side)
        } else {
            (length - side) / 2.0
        }
    };
    Square {
        x: keep(wanted.x0, wanted.x1, w),
        y: keep(wanted.y0, wanted.y1, h),
        side,
    }
}

/// Inside disks, outside disks, filled box; the fourth channel is left empty.
fn prompt_channels(prompt: &Prompt, square: Square) -> Vec<f32> {
    let mut channels = vec![0.0; 4 * SIZE * SIZE];
    let scale = SIZE as f64 / square.side;
    for click in &prompt.clicks {
        let channel = match click.side {
            Side::Inside => 0,
            Side::Outside => 1,
        };
        let x = ((f64::from(click.at.x) - square.x) * scale) as i64;
        let y = ((f64::from(click.at.y) - square.y) * scale) as i64;
        for (row, half) in DISK.iter().enumerate() {
            let v = y + row as i64 - 5;
            fill(&mut channels, channel, v, x - half, x + half + 1);
        }
    }
    if let Some(rect) = prompt.rect {
        let at = |v: u32, o: f64| ((f64::from(v) - o) * scale).round_ties_even() as i64;
        for v in at(rect.y0, square.y)..at(rect.y1, square.y) {
            let (u0, u1) = (at(rect.x0, square.x), at(rect.x1, square.x));
            fill(&mut channels, 2, v, u0, u1);
        }
    }
    channels
}

fn fill(channels: &mut [f32], channel: usize, row: i64, from: i64, to: i64) {
    let size = SIZE as i64;
    if !(0..size).contains(&row) {
        return;
    }
    let (from, to) = (from.clamp(0, size), to.clamp(0, size));
    if from < to {
        let start = channel * SIZE * SIZE + row as usize * SIZE;
        channels[start + from as usize..start + to as usize].fill(1.0);
    }
}

/// Pieces that hold an outside click and no inside click are dropped: the person said so.
fn obeying(mask: &Arc<Mask>, prompt: &Prompt) -> Arc<Mask> {
    let disobeys = prompt.points(Side::Outside).any(|p| mask.contains(p));
    if !disobeys {
        return Arc::clone(mask);
    }
    let holds = |part: &Mask, side| prompt.points(side).any(|p| part.contains(p));
    let kept = mask
        .parts()
        .into_iter()
        .filter(|part| !holds(part, Side::Outside) || holds(part, Side::Inside))
        .fold(Mask::empty(mask.size()), |all, part| all.union(&part));
    Arc::new(kept)
}

/// The IoU to expect if each probability is right: what lies inside over all that may.
fn expected_iou(soft: &Soft, threshold: f32) -> f32 {
    let cut = (threshold * 255.0) as u8;
    let (mut inside, mut sure, mut beyond) = (0_u32, 0.0_f32, 0.0_f32);
    for v in &soft.values {
        let p = f32::from(*v) / 255.0;
        if *v > cut {
            inside += 1;
            sure += p;
        } else {
            beyond += p;
        }
    }
    if inside == 0 {
        return 0.0;
    }
    sure / (inside as f32 + beyond)
}
