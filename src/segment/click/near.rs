//! A first click whose answer is unsure is looked at nearby, too: in a crowd the whole picture shows
//! the crowd, and a small crop the one that was meant.

use std::sync::Arc;

use super::input::{Before, Input};
use super::method::{Kind, Step};
use super::{Answer, ClickNet, THRESHOLD, is_cut, probabilities, soft};
use crate::core::document::Proposal;
use crate::core::mask::Mask;
use crate::core::prompt::{Prompt, Side};
use crate::segment::{Question, Result};

/// Readings of a click from the smallest crop on.
const NEARBY: [usize; 2] = [2, 1];
/// Whoever expects this `IoU` of an answer need not look further.
const SURE: f32 = 0.7;
/// A nearby answer has to promise so much more, and this at least. The three were chosen on photos
/// with one salient object, which lose next to nothing by it, and on crowds of small ones.
const MORE: f32 = 0.2;
const LEAST: f32 = 0.5;
/// Who finds this share of the picture has found no object.
const ALL: f64 = 0.9;

impl ClickNet {
    /// The answer of a nearby look that ends within its crop and is clearly surer than the answer
    /// to the usual looks.
    pub(super) fn nearby(
        &mut self,
        question: &Question,
        usual: &Answer,
    ) -> Result<Option<Proposal>> {
        let prompt = &question.prompt;
        let is_first = question.previous.is_none() && prompt.rect.is_none();
        let taught = question.adaptation.as_ref();
        let is_known = taught.is_some_and(|taught| taught.extent.is_some());
        let is_wanted = is_first && !is_known && question.reading == 0;
        if !is_wanted || !self.method.has(Step::Near) {
            return Ok(None);
        }
        let promised = promise(usual, prompt);
        if promised >= SURE {
            return Ok(None);
        }
        let size = question.image.size();
        let passes = self.method.passes(Kind::Click);
        for reading in NEARBY {
            let near = Question {
                reading,
                ..question.clone()
            };
            question.cancel.check()?;
            let first = Input::first(&near, passes[0]);
            let seen = soft(&first, &probabilities(&self.logits(&first)?));
            if is_cut(&seen, size) {
                continue;
            }
            let mask = seen.mask(size, THRESHOLD);
            let before = Before::from_soft(Arc::new(seen), mask);
            question.cancel.check()?;
            let last = Input::new(&near, Some(&before), passes[1]);
            let answer = self.answer(&near, &last)?;
            if !answer.is_cut && promise(&answer, prompt) >= LEAST.max(promised + MORE) {
                return Ok(Some(answer.proposal));
            }
        }
        Ok(None)
    }
}

/// The `IoU` to expect if the pieces that were clicked are all of the object, which the picture
/// itself is not: that is what a dense crowd looks like.
fn promise(answer: &Answer, prompt: &Prompt) -> f32 {
    let mask = &answer.proposal.mask;
    if mask.area() as f64 > ALL * mask.size().area() as f64 {
        return 0.0;
    }
    let is_clicked = |part: &&Mask| prompt.points(Side::Inside).any(|at| part.contains(at));
    let parts = mask.parts();
    let clicked: u64 = parts.iter().filter(is_clicked).map(Mask::area).sum();
    answer.expected * (clicked as f64 / mask.area().max(1) as f64) as f32
}
