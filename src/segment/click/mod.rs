//! The click net: a small network that looks at a crop. Crops and prompts are those it was trained
//! and evaluated with (`models/train/noc.py`).

mod confidence;
mod crowd;
mod edges;
pub mod head;
mod input;
mod kernels;
mod method;
mod obey;
mod part;
mod pass;
mod plane;
mod probability;
mod spread;

use std::mem;
use std::sync::{Arc, OnceLock};

use ort::session::Session;
use ort::value::TensorRef;
use sha2::{Digest, Sha256};

pub use self::input::{Input, READINGS};
pub use self::method::{Method, Step};
pub use self::pass::Pass;

use self::edges::Edges;
use self::head::{Evidence, Features, Layer};
use self::input::{Before, PROMPT, RGB, Reach};
use self::method::Kind;
use self::pass::Facing;
use self::probability::probabilities;
use crate::core::adaptation::Adaptation;
use crate::core::document::{Origin, Proposal};
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::core::prompt::Soft;
use crate::segment::crop::{Square, nearest_byte};
use crate::segment::runtime::{self, Model};
use crate::segment::{Compute, Engine, Error, Question, Result};

static MODEL: &[u8] = include_bytes!("../../../models/click.onnx");

/// Pixels across the network's crop, where it looks closely.
pub const SIZE: usize = 384;
/// How much wider the next look is at what a look cut through.
const WIDER: f64 = 1.6;
/// A pixel belongs to the object above this probability.
pub const THRESHOLD: f32 = 0.49;

/// The built-in engine.
pub struct ClickNet {
    session: Session,
    layer: Layer,
    method: Method,
    /// What a picture's and a prompt's cells are given to the network in, and the room for a prompt.
    cells: [Vec<u8>; 2],
    room: Vec<u8>,
    /// What a byte of the features counts.
    step: f32,
    edges: Edges,
    pub device: runtime::Device,
}

/// First 16 hexadecimal digits of the model's sha256.
pub fn model_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hex::encode(&Sha256::digest(MODEL)[..8]))
}

fn told(why: &ort::Error) -> Error {
    Error::Runtime(format!("the click net did not run: {why}"))
}

impl ClickNet {
    /// Where a net of its size answers soonest.
    pub fn open() -> Result<Self> {
        Self::open_on(Compute::for_a_small_net())
    }

    pub fn open_on(on: Compute) -> Result<Self> {
        Self::load(on, runtime::threads())
    }

    pub fn with_threads(threads: usize) -> Result<Self> {
        Self::load(Compute::Best, threads)
    }

    fn load(on: Compute, threads: usize) -> Result<Self> {
        let name = "the built-in click net";
        let model = Model::Bytes {
            bytes: MODEL,
            kernels: kernels::domain,
        };
        let (session, device) = runtime::session(on, &model, name, threads)?;
        let metadata = session.metadata().map_err(|e| told(&e))?;
        let said = |key: &str| metadata.custom(key);
        let layer = said("last_layer").as_deref().and_then(head::layer);
        let step = said("step").and_then(|text| text.parse().ok());
        let (Some(layer), Some(step)) = (layer, step) else {
            return Err(Error::Model(
                "click.onnx holds no last layer, or not what a byte of its features counts: write it with models/train/export.py".into(),
            ));
        };
        drop(metadata);
        Ok(Self {
            session,
            layer,
            method: Method::default(),
            cells: Default::default(),
            room: Vec::new(),
            step,
            edges: Edges::default(),
            device,
        })
    }

    /// The network's own last layer.
    pub const fn last_layer(&self) -> &Layer {
        &self.layer
    }

    #[must_use]
    pub fn with_method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// The logits of one pass, [size, size].
    pub fn logits(&mut self, input: &Input) -> Result<Vec<f32>> {
        let (weights, bias) = self.layer;
        let mut logits = self.features(input, |features| {
            features.read_out(&weights[..head::FEATURES], bias)
        })?;
        if input.pass.facing == Facing::Mirrored {
            pass::mirror(&mut logits, input.pass.size);
        }
        Ok(logits)
    }

    /// What the last layer sees in one pass.
    pub fn evidence(&mut self, input: &Input) -> Result<Evidence> {
        let features = self.features(input, |features| Features {
            bytes: features.bytes.to_vec(),
            step: features.step,
        })?;
        Ok(Evidence::new(features, &input.rgb, input.pass.size))
    }

    /// Runs the network and has its features read.
    fn features<T>(&mut self, input: &Input, read: impl FnOnce(Features<&[u8]>) -> T) -> Result<T> {
        let size = input.pass.size;
        let [image, prompt] = &mut self.cells;
        input::cells::<{ 2 * RGB }>(&input.rgb, size, image);
        input::cells::<{ 2 * PROMPT }>(&input.prompt, size, prompt);
        let shape = |channels: usize| [1, size / 2, size / 2, 4 * channels];
        let image =
            TensorRef::from_array_view((shape(RGB), image.as_slice())).map_err(|e| told(&e))?;
        let prompt =
            TensorRef::from_array_view((shape(PROMPT), prompt.as_slice())).map_err(|e| told(&e))?;
        let outputs = self
            .session
            .run(ort::inputs!["image" => image, "prompt" => prompt])
            .map_err(|e| told(&e))?;
        let (_, bytes) = outputs["features"]
            .try_extract_tensor::<u8>()
            .map_err(|e| told(&e))?;
        let step = self.step;
        Ok(read(Features { bytes, step }))
    }

    /// The last pass for a prompt, and what it looks at: the passes before it are made here.
    pub fn last_input(&mut self, question: &Question) -> Result<Input> {
        let size = question.image.size();
        let is_single = self.method.has(Step::Single);
        let kind = Kind::of(question);
        let previous = question.previous.as_ref();
        let mut before = previous.map(|last| self.before(last, question, kind));
        let passes = self.method.passes(kind);
        let mut question = question.clone();
        let (last, earlier) = passes.split_last().expect("every method has a pass");
        for mut pass in earlier.iter().copied() {
            let is_search = kind == Kind::Click && before.is_none();
            let mut soft = loop {
                question.cancel.check()?;
                let room = mem::take(&mut self.room);
                let input = Input::new(&question, before.as_ref(), pass, room);
                let soft = soft(&input, &probabilities(self.logits(&input)?));
                self.room = input.prompt;
                match is_search.then(|| input::reach(&question)) {
                    Some(Reach::Guess(_)) if is_cut(&soft, size) => pass = pass.wider(WIDER),
                    Some(Reach::All) if is_single && crowd::is_all(&soft, size) => {
                        question.reading += 1;
                    }
                    _ => break soft,
                }
            };
            if is_search && is_single {
                crowd::leave_clicked(&mut soft, &question.prompt);
            }
            let mask = soft.mask(size, THRESHOLD);
            before = Some(Before::from_soft(Arc::new(soft), mask));
        }
        let room = mem::take(&mut self.room);
        Ok(Input::new(&question, before.as_ref(), *last, room))
    }

    /// The last answer as the next look is shown it.
    fn before(&self, last: &Proposal, question: &Question, kind: Kind) -> Before {
        let soft = last.soft.as_ref().filter(|_| self.method.spreads(kind));
        let (image, prompt) = (&question.image, &question.prompt);
        let spread = soft.and_then(|soft| spread::spread(image, prompt, soft, last.threshold));
        let Some(soft) = spread else {
            return Before::from_proposal(last);
        };
        let mask = soft.mask(image.size(), last.threshold);
        Before::from_soft(Arc::new(soft), mask)
    }

    /// The logits of one pass, by what the folder taught, and the threshold that goes with them.
    fn taught(&mut self, question: &Question, input: &Input) -> Result<(Vec<f32>, f32)> {
        let taught = question.adaptation.as_deref();
        Ok(match taught.filter(|taught| !taught.weights.is_empty()) {
            Some(taught) => (self.evidence(input)?.logits(taught), taught.threshold),
            None => (self.logits(input)?, THRESHOLD),
        })
    }

    /// Looks at the part about the newest click, and brings into what is known what that shows.
    fn look_at_part(&mut self, question: &Question, known: &mut Soft) -> Result<()> {
        let Some(newest) = question.prompt.clicks.last() else {
            return Ok(());
        };
        question.cancel.check()?;
        let square = part::about(newest.at, known);
        // Where probabilities are known and the square is given, the mask is only asked for its size.
        let mask = Arc::new(Mask::empty(question.image.size()));
        let before = Before::from_soft(Arc::new(known.clone()), mask);
        let room = mem::take(&mut self.room);
        let input = Input::of(square, question, Some(&before), Pass::GLANCE, room);
        let (logits, _) = self.taught(question, &input)?;
        part::bring_in(known, &soft(&input, &probabilities(logits)));
        self.room = input.prompt;
        Ok(())
    }

    /// The proposal that the last pass's logits make.
    pub fn finish(
        &mut self,
        question: &Question,
        input: &Input,
        logits: Vec<f32>,
        threshold: f32,
    ) -> Proposal {
        let soft = self.drawn(input, logits, threshold);
        self.proposal(question, soft, threshold)
    }

    /// The probabilities that logits mean, drawn to the picture.
    fn drawn(&mut self, input: &Input, logits: Vec<f32>, threshold: f32) -> Soft {
        let mut values = probabilities(logits);
        if self.method.has(Step::Edges) {
            let size = input.pass.size;
            self.edges.follow(&mut values, &input.rgb, size, threshold);
        }
        soft(input, &values)
    }

    fn proposal(&self, question: &Question, soft: Soft, threshold: f32) -> Proposal {
        let mut mask = soft.mask(question.image.size(), threshold);
        if self.method.has(Step::Obeyed) {
            mask = obey::obeying(&mask, &question.prompt, soft.scale);
        }
        Proposal {
            mask,
            confidence: confidence::predicted_iou(&soft, threshold, &question.prompt),
            soft: Some(Arc::new(soft)),
            threshold,
            origin: Origin {
                engine: "click".into(),
                model: model_hash().into(),
                who: String::new(),
            },
        }
    }
}

impl Engine for ClickNet {
    fn name(&self) -> &'static str {
        "click"
    }

    fn note(&self) -> Option<String> {
        self.device.note()
    }

    fn rehearse(&mut self) {
        for pass in [Pass::LOOK, Pass::GLANCE] {
            let input = Input::blank(pass);
            // What does not work is told when it is asked for.
            if let Ok(logits) = self.logits(&input) {
                self.drawn(&input, logits, THRESHOLD);
            }
            self.room = input.prompt;
        }
    }

    fn propose(&mut self, question: &Question) -> Result<Vec<Proposal>> {
        if !question.prompt.is_answerable() {
            return Err(Error::Prompt(
                "the prompt names no object: give a box or an inside click".into(),
            ));
        }
        question.adaptation.as_deref().map(checked).transpose()?;
        let input = self.last_input(question)?;
        question.cancel.check()?;
        let (logits, threshold) = self.taught(question, &input)?;
        let mut soft = self.drawn(&input, logits, threshold);
        self.room = input.prompt;
        if self.method.looks_at_part(Kind::of(question)) {
            self.look_at_part(question, &mut soft)?;
        }
        Ok(vec![self.proposal(question, soft, threshold)])
    }
}

/// Refuses what was fitted to another net.
fn checked(adaptation: &Adaptation) -> Result<&Adaptation> {
    let fits = adaptation.weights.is_empty() || adaptation.weights.len() == head::INPUTS;
    if adaptation.model == model_hash() && fits {
        return Ok(adaptation);
    }
    Err(Error::Model(format!(
        "the folder's termask.toml holds an adaptation to the net {}, this one is {}: run `termask adapt` on the folder again, or with --revert",
        adaptation.model,
        model_hash()
    )))
}

fn soft(input: &Input, probabilities: &[f32]) -> Soft {
    let Square { x, y, side } = input.square;
    Soft {
        x,
        y,
        scale: side / input.pass.size as f64,
        width: input.pass.size as u32,
        height: input.pass.size as u32,
        values: probabilities
            .iter()
            .map(|p| nearest_byte(255.0 * p))
            .collect(),
    }
}

/// Whether the crop ends within the object, on a side where the picture goes on.
fn is_cut(soft: &Soft, picture: Size) -> bool {
    let (width, height) = (soft.width as usize, soft.height as usize);
    let reach = |start: f64, cells: usize| start + cells as f64 * soft.scale;
    let goes_on = [
        soft.x > 0.0,
        soft.y > 0.0,
        reach(soft.x, width) < f64::from(picture.width),
        reach(soft.y, height) < f64::from(picture.height),
    ];
    let column = |x: usize| (0..height).map(move |y| y * width + x).collect();
    let row = |y: usize| (y * width..(y + 1) * width).collect();
    let sides: [Vec<usize>; 4] = [column(0), row(0), column(width - 1), row(height - 1)];
    let is_object = |cell: &usize| f32::from(soft.values[*cell]) > 255.0 * THRESHOLD;
    sides.iter().zip(goes_on).any(|(side, goes_on)| {
        // A few cells are a thin part, or chance.
        goes_on && side.iter().copied().filter(is_object).count() * 16 > side.len()
    })
}
