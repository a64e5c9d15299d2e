//! An image and a prompt in, a proposal out.

pub mod classic;
pub mod click;
pub mod crop;
pub mod evaluate;
pub mod runtime;

use std::sync::Arc;

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

    /// The proposals for a prompt, the best first; never empty.
    fn propose(&mut self, question: &Question) -> Result<Vec<Proposal>>;
}

/// Opens an engine by name.
pub fn open(name: &str) -> Result<Box<dyn Engine>> {
    match name {
        "click" => Ok(Box::new(click::ClickNet::open()?)),
        "grabcut" => Ok(Box::new(classic::grabcut::GrabCut)),
        "watershed" => Ok(Box::new(classic::watershed::Watershed)),
        "superpixels" => Ok(Box::new(classic::superpixels::Superpixels::default())),
        _ => Err(Error::Model(format!(
            "no engine is called {name:?}; there are: click, grabcut, watershed, superpixels"
        ))),
    }
}
