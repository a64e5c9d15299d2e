//! An image and a prompt in, a proposal out.

pub mod adapt;
pub mod cache;
pub mod cancel;
pub mod catalog;
pub mod classic;
pub mod click;
pub mod crop;
pub mod evaluate;
pub mod hash;
pub mod header;
pub mod proposals;
pub mod runtime;
pub mod sam;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::cancel::Cancel;
pub use self::runtime::Compute;

use crate::core::adaptation::Adaptation;
use crate::core::document::Proposal;
use crate::core::image::Image;
use crate::core::prompt::Prompt;

/// What a network or algorithm needs to answer.
#[derive(Debug, Clone)]
pub struct Question {
    pub image: Arc<Image>,
    /// Names the image for engines that keep what they computed of it (sha256 of the file, or any
    /// other name that changes with the pixels).
    pub image_key: u64,
    pub prompt: Prompt,
    /// The last answer for the same object, refined by the new prompt.
    pub previous: Option<Proposal>,
    /// What the folder taught the click net about the class; other engines do without.
    pub adaptation: Option<Arc<Adaptation>>,
    /// Which reading of the prompt, from 0; an engine that gives all of its readings at once does
    /// without.
    pub reading: usize,
    /// Withdraws the question, while it is being answered too.
    pub cancel: Cancel,
}

impl Question {
    /// A first question about an object: nothing was answered before, nothing is adapted.
    pub fn new(image: &Arc<Image>, image_key: u64, prompt: Prompt) -> Self {
        Self {
            image: Arc::clone(image),
            image_key,
            prompt,
            previous: None,
            adaptation: None,
            reading: 0,
            cancel: Cancel::default(),
        }
    }
}

/// Why an engine has no answer. The message names the model or library and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Runtime(String),
    #[error("{0}")]
    Model(String),
    #[error("{0}")]
    Prompt(String),
    /// The question was withdrawn.
    #[error("cancelled")]
    Cancelled,
}

pub type Result<T> = std::result::Result<T, Error>;

/// The port: whatever answers a prompt. One engine, one thread.
pub trait Engine: Send {
    /// Its name in files and messages: `click`, `sam`, `grabcut`, …
    fn name(&self) -> &str;

    /// The proposals for a prompt, the best first; never empty. A question that is withdrawn ends in
    /// `Cancelled`, within 50 ms.
    fn propose(&mut self, question: &Question) -> Result<Vec<Proposal>>;

    /// How many questions about one image it answers faster together than in turns.
    fn batch(&self) -> usize {
        1
    }

    /// Answers questions about one image, each as `propose` would.
    fn propose_all(&mut self, questions: &[Question]) -> Vec<Result<Vec<Proposal>>> {
        questions.iter().map(|q| self.propose(q)).collect()
    }

    /// Whether a prompt on this image is answered at once, without a long computation first.
    fn is_ready(&self, _image_key: u64) -> bool {
        true
    }

    /// Does the long computation ahead of the first prompt, if there is one.
    fn prepare(&mut self, _image: &Image, _image_key: u64, _cancel: &Cancel) -> Result<()> {
        Ok(())
    }

    /// Computes once what its answers are made of: the first time takes longer, and this one nobody
    /// waits for.
    fn rehearse(&mut self) {}

    /// What the person should know of how it runs, if anything: why a GPU is not used.
    fn note(&self) -> Option<String> {
        None
    }
}

/// What to do about an answer without a pixel.
pub const NO_PIXEL: &str = "no pixel belongs to that prompt; try another box or click";

/// Engines that need no model.
pub const BUILT_IN: [&str; 4] = ["click", "grabcut", "watershed", "superpixels"];

/// Opens an engine by its name, a model's file or folder, or the name of a folder of models.
pub fn open(name: &str) -> Result<Box<dyn Engine>> {
    open_on(Compute::Best, name)
}

/// Opens an engine that computes where it is told; what needs no model computes on the processor.
pub fn open_on(on: Compute, name: &str) -> Result<Box<dyn Engine>> {
    match name {
        "click" => Ok(Box::new(match on {
            Compute::Best => click::ClickNet::open()?,
            Compute::Processor | Compute::Gpu(_) => click::ClickNet::open_on(on)?,
        })),
        "grabcut" => Ok(Box::new(classic::grabcut::GrabCut)),
        "watershed" => Ok(Box::new(classic::watershed::Watershed)),
        "superpixels" => Ok(Box::new(classic::superpixels::Superpixels::default())),
        _ => {
            let mut sam = sam::Sam::open_on(on, &model_path(name)?)?;
            if let Some(cache) = cache::Cache::open() {
                sam = sam.with_cache(cache);
            }
            Ok(Box::new(sam))
        }
    }
}

/// Where the models lie that `termask models` manages: `$XDG_DATA_HOME/termask/models`.
pub fn models_folder() -> Option<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "termask")?;
    Some(dirs.data_dir().join("models"))
}

/// The file or folder that a name stands for.
///
/// # Errors
/// When there is none; the message says what there is, or how to get it.
pub fn model_path(name: &str) -> Result<PathBuf> {
    let path = Path::new(name);
    if path.exists() {
        return Ok(path.to_path_buf());
    }
    let is_onnx = path.extension().is_some_and(|e| e == "onnx");
    let looks_like_path = path.components().count() > 1 || is_onnx;
    let kept = models_folder().map(|folder| folder.join(name));
    match kept {
        _ if catalog::Entry::named(name).is_ok_and(|e| !e.is_here()) => Err(Error::Model(format!(
            "{name} is not here yet: `termask models pull {name}` fetches it"
        ))),
        Some(kept) if kept.is_dir() && !looks_like_path => Ok(kept),
        _ if looks_like_path => Err(Error::Model(format!(
            "{name}: there is no such file or folder; check the path"
        ))),
        _ => Err(Error::Model(format!(
            "no engine is called {name:?}; there are: {}, a model's file or folder, and what \
             `termask models list` shows",
            BUILT_IN.join(", ")
        ))),
    }
}
