//! Engines without a model: `GrabCut`, watershed, superpixels, and the snap to image edges.
//!
//! All of them look at a [`window::Window`] around what the prompt names, at a bounded resolution,
//! and sharpen the edge afterwards, so that a large picture costs no more than a small one.

mod colour;
mod cut;
pub mod grabcut;
mod graph;
mod seed;
mod slic;
pub mod snap;
pub mod superpixels;
pub mod watershed;
mod window;

use std::sync::Arc;

use crate::core::document::{Origin, Proposal};
use crate::core::geometry::{ImageRect, Size};
use crate::core::mask::Mask;
use crate::segment::{Error, Question, Result};

pub use slic::{Slic, slic};
pub use watershed::flood;

/// What an engine's window must hold: the box, the previous mask while clicks refine it, and half
/// their size around them to learn what lies outside. Clicks alone name no size: all of the picture.
fn focus(question: &Question, engine: &str) -> Result<ImageRect> {
    let image = question.image.size();
    let prompt = &question.prompt;
    if !prompt.is_answerable() {
        return Err(Error::Prompt(format!(
            "{engine} needs a box or an inside click to know what you mean: give one"
        )));
    }
    let rect = prompt.rect.map(|r| r.intersection(image.bounds()));
    if rect.is_some_and(|r| r.width() < 2 || r.height() < 2) {
        return Err(Error::Prompt(
            "the box lies outside the picture or is thinner than two pixels: draw it again".into(),
        ));
    }
    let mask = previous(question).and_then(Mask::bounds);
    let named = match (rect, mask) {
        (Some(a), Some(b)) => a.union(b),
        (Some(a), None) | (None, Some(a)) => a,
        (None, None) => return Ok(image.bounds()),
    };
    let clicks = prompt.clicks.iter().filter(|c| image.contains(c.at));
    let named = clicks.fold(named, |all, c| {
        all.union(ImageRect::from_corners(c.at, c.at))
    });
    Ok(widened(named, image))
}

/// Half of the rectangle's size more on each side, as far as the picture reaches.
fn widened(rect: ImageRect, image: Size) -> ImageRect {
    let (dx, dy) = ((rect.width() / 2).max(16), (rect.height() / 2).max(16));
    ImageRect::new(
        rect.x0.saturating_sub(dx),
        rect.y0.saturating_sub(dy),
        rect.x1.saturating_add(dx).min(image.width),
        rect.y1.saturating_add(dy).min(image.height),
    )
}

/// The mask that the prompt's clicks correct; a prompt without clicks starts afresh.
fn previous(question: &Question) -> Option<&Mask> {
    let proposal = question.previous.as_ref()?;
    let fits = proposal.mask.size() == question.image.size() && !proposal.mask.is_empty();
    (fits && !question.prompt.clicks.is_empty()).then_some(&*proposal.mask)
}

fn proposal(engine: &str, mask: Mask, confidence: f32) -> Proposal {
    Proposal {
        mask: Arc::new(mask),
        confidence,
        soft: None,
        threshold: 0.5,
        origin: Origin {
            engine: engine.into(),
            ..Origin::default()
        },
    }
}
