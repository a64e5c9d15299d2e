//! What a decoder gives: where it stands among the outputs, and in which order it is offered.

use super::family::{Decoder, Output};
use super::logits::Logits;
use super::net::Net;
use crate::core::prompt::Prompt;

/// Positions of what is read of the decoder.
#[derive(Debug, Clone, Copy)]
pub struct Outputs {
    pub scores: usize,
    pub masks: usize,
    /// Whether the masks cover the frame, or the size that was asked for.
    pub covers_frame: bool,
}

/// What a decoder gave for one prompt.
#[derive(Debug)]
pub struct Decoded {
    /// Logits of each mask as the graph gave them.
    pub grids: Vec<Logits>,
    pub scores: Vec<f32>,
    /// The order in which they are to be offered.
    pub order: Vec<usize>,
}

impl Outputs {
    pub fn of(decoder: &Net, how: &Decoder) -> Self {
        let ports = &decoder.header.outputs;
        let at = |output: Output| match output {
            Output::Named(name) => ports.iter().position(|p| p.name == name).unwrap_or(0),
            Output::At(at) => at,
        };
        // Graphs that scale the masks themselves freeze the crop of the picture they were exported
        // with, or cost as much as the picture is large: their small masks are scaled here.
        let small = ports.iter().position(|p| p.name == "low_res_masks");
        Self {
            scores: at(how.scores),
            masks: small.unwrap_or_else(|| at(how.masks)),
            covers_frame: small.is_some() || how.size.is_none(),
        }
    }
}

/// Meta's rule: of four masks the first is for prompts of several points, the other three are the
/// readings of a single click. Else the best score counts.
pub fn ordered(mut decoded: Decoded, prompt: &Prompt) -> Decoded {
    let scores = &decoded.scores;
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    if scores.len() == 4 {
        order.retain(|i| *i != 0);
        let is_single_click = prompt.rect.is_none() && prompt.clicks.len() == 1;
        order.insert(if is_single_click { 3 } else { 0 }, 0);
    }
    decoded.order = order;
    decoded
}
