//! What a SAM keeps in memory: embeddings of pictures, and the logits behind its last answers.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use crate::core::document::Proposal;
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::segment::sam::input::Place;
use crate::segment::sam::logits::Logits;
use crate::segment::sam::net::Tensor;

/// Bytes of embeddings that are kept: 120 pictures of SAM, 30 of SAM 2.
const MOST_BYTES: usize = 512 << 20;
/// Answers whose logits are kept: 256 KiB each.
const MOST_ANSWERS: usize = 64;
/// The logit of a pixel that is known, where only the mask is left of an answer.
const SURE: f32 = 10.0;

/// Embeddings by image key, the most recently used last.
#[derive(Debug, Default)]
pub struct Embeddings {
    kept: VecDeque<(u64, Arc<[Tensor]>)>,
}

impl Embeddings {
    pub fn has(&self, key: u64) -> bool {
        self.kept.iter().any(|(k, _)| *k == key)
    }

    pub fn find(&mut self, key: u64) -> Option<Arc<[Tensor]>> {
        let at = self.kept.iter().position(|(k, _)| *k == key)?;
        let entry = self.kept.remove(at)?;
        let found = Arc::clone(&entry.1);
        self.kept.push_back(entry);
        Some(found)
    }

    pub fn keep(&mut self, key: u64, embedding: Arc<[Tensor]>) {
        self.kept.push_back((key, embedding));
        let bytes = |kept: &VecDeque<(u64, Arc<[Tensor]>)>| -> usize {
            let tensors = kept.iter().flat_map(|(_, e)| e.iter());
            tensors.map(Tensor::bytes).sum()
        };
        while self.kept.len() > 1 && bytes(&self.kept) > MOST_BYTES {
            self.kept.pop_front();
        }
    }
}

/// The decoder's logits of the last answers, found again by their masks.
#[derive(Debug, Default)]
pub struct Answers {
    kept: VecDeque<(Weak<Mask>, Logits)>,
}

impl Answers {
    pub fn find(&self, mask: &Arc<Mask>) -> Option<&Logits> {
        let is_same = |kept: &&(Weak<Mask>, Logits)| kept.0.as_ptr() == Arc::as_ptr(mask);
        self.kept.iter().find(is_same).map(|(_, logits)| logits)
    }

    pub fn keep(&mut self, mask: &Arc<Mask>, logits: Logits) {
        self.kept.retain(|(mask, _)| mask.strong_count() > 0);
        self.kept.push_back((Arc::downgrade(mask), logits));
        while self.kept.len() > MOST_ANSWERS {
            self.kept.pop_front();
        }
    }
}

/// The logits that an answer of another engine, or a corrected mask, would have had: those of its
/// probabilities where it has some, else one number inside and its negative outside.
pub fn guess(
    previous: &Proposal,
    size: Size,
    place: &Place,
    (width, height): (usize, usize),
) -> Vec<f32> {
    let across = f64::from(place.frame.width) / width as f64;
    let down = f64::from(place.frame.height) / height as f64;
    let mut values = Vec::with_capacity(width * height);
    for j in 0..height {
        let y = (j as f64 + 0.5) * down / place.scale.1 - 0.5;
        for i in 0..width {
            let x = (i as f64 + 0.5) * across / place.scale.0 - 0.5;
            let (px, py) = (x.round() as i64, y.round() as i64);
            let inside = (0..i64::from(size.width)).contains(&px)
                && (0..i64::from(size.height)).contains(&py);
            values.push(match &previous.soft {
                _ if !inside => -SURE,
                Some(soft) => logit(soft.at(x, y)),
                None if previous.mask.contains(size.clamp(px, py)) => SURE,
                None => -SURE,
            });
        }
    }
    values
}

fn logit(probability: f32) -> f32 {
    (probability / (1.0 - probability)).ln().clamp(-SURE, SURE)
}
