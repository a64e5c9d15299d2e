//! The decoder at work: prompts on an embedding become grids of logits.

use super::family::{Boxes, Decoder};
use super::input::Place;
use super::logits::Logits;
use super::memory::{self, Answers};
use super::net::{Net, Tensor};
use super::outputs::{Decoded, Outputs, ordered};
use super::points::Points;
use super::sensible;
use crate::segment::header::Header;
use crate::segment::{Error, Question, Result};

/// A decoder and what it needs to know of its file.
pub struct Decoding {
    net: Net,
    pub how: &'static Decoder,
    pub outputs: Outputs,
    /// Height and width of its mask input.
    feedback: (usize, usize),
}

impl Decoding {
    pub fn new(net: Net, how: &'static Decoder, feedback: (usize, usize)) -> Self {
        Self {
            outputs: Outputs::of(&net, how),
            net,
            how,
            feedback,
        }
    }

    /// Answers a prompt on an image. `place` tells where the picture lies in its frame.
    pub fn run(
        &mut self,
        question: &Question,
        embedding: &[Tensor],
        place: &Place,
        answers: &Answers,
    ) -> Result<Decoded> {
        let prompt = &question.prompt;
        if !self.net.holds(question.image_key) {
            let names = self.how.embeddings.iter().copied();
            let inputs: Vec<(&str, &Tensor)> = names.zip(embedding).collect();
            self.net.hold(question.image_key, &inputs)?;
        }
        let points = Points::of(prompt, self.how, place);
        let mut inputs = vec![
            (self.how.points, &points.coordinates),
            (self.how.labels, &points.labels),
        ];
        if let (Boxes::Input(name), Some(boxes)) = (self.how.boxes, &points.boxes) {
            inputs.push((name, boxes));
        }
        let before = self.before(question, place, answers);
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
        let mut given = self.net.run_held(&inputs, &outputs)?.into_iter();
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
            self.net.header.path.display(),
            masks.shape,
            scores.shape
        ))
    }

    /// The mask that the prompt corrects, as the decoder's mask input wants it.
    fn before(&self, question: &Question, place: &Place, answers: &Answers) -> Option<Tensor> {
        self.how.feedback?;
        let previous = question.previous.as_ref()?;
        let size = question.image.size();
        let fits = previous.mask.size() == size && !previous.mask.is_empty();
        if !fits {
            return None;
        }
        let (height, width) = self.feedback;
        let exact = answers.find(&previous.mask);
        let values = match exact {
            Some(grid) if grid.width == width && grid.height == height => grid.values.clone(),
            _ => memory::guess(previous, size, place, (width, height)),
        };
        Some(Tensor::new([1, 1, height, width], values))
    }
}

/// Height and width of the decoder's mask input.
pub fn feedback_size(decoder: &Header, how: &Decoder) -> Result<(usize, usize)> {
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
