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
use crate::segment::runtime::Device;
use crate::segment::{Error, Question, Result};

/// A decoder and what it needs to know of its file.
pub struct Decoding {
    net: Net,
    pub how: &'static Decoder,
    pub outputs: Outputs,
    /// Height and width of its mask input.
    feedback: (usize, usize),
    /// How many prompts it is given at once.
    pub batch: usize,
}

/// Prompts that a GPU answers at once. A processor is no faster with several, and its caches are
/// smaller than what several need.
const BATCH: usize = 16;

impl Decoding {
    pub fn new(net: Net, how: &'static Decoder, feedback: (usize, usize)) -> Self {
        let on_gpu = !matches!(net.device, Device::Cpu { .. });
        let mut made = Self {
            outputs: Outputs::of(&net, how),
            net,
            how,
            feedback,
            batch: 1,
        };
        made.take_at_once(if on_gpu { BATCH } else { 1 });
        made
    }

    /// Takes so many prompts at once from now on, if the graph says of itself that it can.
    pub fn take_at_once(&mut self, prompts: usize) {
        let points = self.net.header.input(self.how.points);
        let dimension = points.and_then(|port| port.shape.get(self.how.rank - 3));
        let is_free = matches!(dimension, Some(None));
        self.batch = if is_free { prompts.max(1) } else { 1 };
    }

    /// Whether these prompts can be answered by one run: first ones, of as many points each.
    pub fn takes_together(&self, questions: &[Question]) -> bool {
        let has_box = |q: &Question| q.prompt.rect.is_some();
        let is_alike = |a: &Question, b: &Question| {
            has_box(a) == has_box(b) && a.prompt.clicks.len() == b.prompt.clicks.len()
        };
        let has_own_boxes = matches!(self.how.boxes, Boxes::Input(_));
        questions.len() <= self.batch
            && questions.is_sorted_by(is_alike)
            && questions
                .iter()
                .all(|q| q.previous.is_none() && !(has_own_boxes && has_box(q)))
    }

    /// Answers a prompt on an image. `place` tells where the picture lies in its frame.
    pub fn run(
        &mut self,
        question: &Question,
        embedding: &[Tensor],
        place: &Place,
        answers: &Answers,
    ) -> Result<Decoded> {
        let before = self.before(question, place, answers);
        let questions = std::slice::from_ref(question);
        let decoded = self.run_all(questions, embedding, place, before)?;
        Ok(decoded.into_iter().next().expect("one for each question"))
    }

    /// Answers first prompts on one image, which [`Decoding::takes_together`], or a single one with
    /// the mask that it corrects.
    pub fn run_all(
        &mut self,
        questions: &[Question],
        embedding: &[Tensor],
        place: &Place,
        before: Option<Tensor>,
    ) -> Result<Vec<Decoded>> {
        let key = questions[0].image_key;
        if !self.net.holds(key) {
            let names = self.how.embeddings.iter().copied();
            let inputs: Vec<(&str, &Tensor)> = names.zip(embedding).collect();
            self.net.hold(key, &inputs)?;
        }
        let points = questions
            .iter()
            .map(|q| Points::of(&q.prompt, self.how, place));
        let points = Points::together(points, self.how);
        let mut inputs = vec![
            (self.how.points, &points.coordinates),
            (self.how.labels, &points.labels),
        ];
        if let (Boxes::Input(name), Some(boxes)) = (self.how.boxes, &points.boxes) {
            inputs.push((name, boxes));
        }
        let flag = Tensor::new([1], vec![if before.is_some() { 1.0 } else { 0.0 }]);
        let before = before.unwrap_or_else(|| self.nothing_before(questions.len()));
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
        let cancel = &questions[0].cancel;
        let mut given = self.net.run_held(&inputs, &outputs, cancel)?.into_iter();
        let (Some(scores), Some(masks)) = (given.next(), given.next()) else {
            unreachable!("as many outputs come as were wanted");
        };
        let decoded = self.unpacked(&scores, &masks, questions.len())?;
        let decoded = decoded.into_iter().zip(questions);
        Ok(decoded.map(|(d, q)| ordered(d, &q.prompt)).collect())
    }

    /// The mask input of prompts that correct nothing.
    fn nothing_before(&self, prompts: usize) -> Tensor {
        let port = self
            .how
            .feedback
            .and_then(|f| self.net.header.input(f.mask));
        let first = port.and_then(|p| p.shape.first().copied().flatten());
        let (height, width) = self.feedback;
        let shape = [first.unwrap_or(prompts), 1, height, width];
        Tensor::new(shape, vec![0.0; shape.iter().product()])
    }

    /// Splits the masks, [.., prompts, masks, height, width], by their scores.
    fn unpacked(&self, scores: &Tensor, masks: &Tensor, prompts: usize) -> Result<Vec<Decoded>> {
        let (lead, height, width) = match &masks.shape[..] {
            [lead @ .., height, width] if height * width > 0 => (lead, *height, *width),
            _ => return Err(self.misshapen(scores, masks)),
        };
        let count: usize = lead.iter().product();
        let of_each = count / prompts;
        // What several prompts gave must say so: a graph may do with the first of them.
        let is_split = prompts == 1 || lead.iter().rev().skip(1).product::<usize>() == prompts;
        if of_each == 0 || !is_split || count != scores.values.len() {
            return Err(self.misshapen(scores, masks));
        }
        let grid = |values: &[f32]| Logits {
            width,
            height,
            values: values.to_vec(),
        };
        let grids = masks.values.chunks_exact(of_each * height * width);
        let decoded = grids.zip(scores.values.chunks_exact(of_each));
        let decoded = decoded.map(|(grids, scores)| Decoded {
            grids: grids.chunks_exact(height * width).map(grid).collect(),
            scores: scores.to_vec(),
            order: Vec::new(),
        });
        Ok(decoded.collect())
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
