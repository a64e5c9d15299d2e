//! What a review pass looks at: a filter over objects, and an order.

use std::path::Path;
use std::sync::Arc;

use super::document::{Document, Object, Verdict};

/// Which objects are looked at. The default is all that nobody has seen yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// Names; empty means every class.
    pub classes: Vec<String>,
    /// Empty means every verdict.
    pub verdicts: Vec<Verdict>,
    /// Predicted IoU, both ends included. An object without one passes only the default.
    pub confidence: (f32, f32),
    /// Pixels, both ends included.
    pub area: (u64, u64),
    /// Part of the name of who made it.
    pub who: Option<String>,
    /// Pattern for the image's file name.
    pub image: Option<glob::Pattern>,
    /// Whether the image has an unfinished draft.
    pub draft: Option<Presence>,
}

/// Whether something must be there or must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    With,
    Without,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            classes: Vec::new(),
            verdicts: vec![Verdict::Unseen],
            confidence: (0.0, 1.0),
            area: (0, u64::MAX),
            who: None,
            image: None,
            draft: None,
        }
    }
}

impl Filter {
    pub fn takes_name(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.image.as_ref().is_none_or(|p| p.matches(&name))
    }

    pub fn takes_document(&self, document: &Document) -> bool {
        let has = !document.draft.is_empty();
        self.draft.is_none_or(|d| (d == Presence::With) == has)
    }

    pub fn takes(&self, object: &Object) -> bool {
        let (low, high) = self.confidence;
        let sure = match object.confidence {
            Some(c) => (low..=high).contains(&c),
            None => (low, high) == (0.0, 1.0),
        };
        let class = &*object.class;
        sure && (self.classes.is_empty() || self.classes.iter().any(|c| c == class))
            && (self.verdicts.is_empty() || self.verdicts.contains(&object.verdict))
            && (self.area.0..=self.area.1).contains(&object.mask.area())
            && self
                .who
                .as_ref()
                .is_none_or(|w| object.origin.who.contains(w))
    }
}

/// In which order a person looks at objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As the images come.
    #[default]
    File,
    /// Those the engine is least sure of come first; objects without a confidence last.
    Confidence,
    /// The smallest first.
    Area,
    Class,
    /// Shuffled by a seed: the same seed gives the same order.
    Random(u64),
}

/// An object that a filter takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Which image of the list it is on.
    pub image: usize,
    pub id: u64,
    pub class: Arc<str>,
    pub confidence: Option<f32>,
    /// Pixels.
    pub area: u64,
}

impl Found {
    pub fn new(image: usize, object: &Object) -> Self {
        Self {
            image,
            id: object.id,
            class: Arc::clone(&object.class),
            confidence: object.confidence,
            area: object.mask.area(),
        }
    }
}

impl Order {
    /// Sorts; what is equal stays in the images' order.
    pub fn sort(self, found: &mut [Found]) {
        match self {
            Self::File => {}
            Self::Confidence => found.sort_by(|a, b| {
                let key = |f: &Found| f.confidence.unwrap_or(f32::INFINITY);
                key(a).total_cmp(&key(b))
            }),
            Self::Area => found.sort_by_key(|f| f.area),
            Self::Class => found.sort_by(|a, b| a.class.cmp(&b.class)),
            Self::Random(seed) => found.sort_by_key(|f| scatter(f.image, f.id, seed)),
        }
    }
}

/// A number that looks random and depends on the object and the seed alone: `SplitMix64` (Steele,
/// Lea, Flood 2014).
pub fn scatter(image: usize, id: u64, seed: u64) -> u64 {
    let mix = |x: u64| {
        let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    mix(mix(mix(seed) ^ image as u64) ^ id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(image: usize, id: u64, confidence: Option<f32>) -> Found {
        Found {
            image,
            id,
            class: Arc::from("cat"),
            confidence,
            area: 10,
        }
    }

    #[test]
    fn the_least_sure_come_first_and_the_unknown_last() {
        let mut all = [
            found(0, 1, None),
            found(1, 1, Some(0.9)),
            found(2, 1, Some(0.2)),
        ];
        Order::Confidence.sort(&mut all);
        assert_eq!(all.map(|f| f.image), [2, 1, 0]);
    }

    #[test]
    fn a_seed_names_one_shuffle() {
        let list = || -> Vec<_> { (0..50).map(|i| found(i, 1, None)).collect() };
        let (mut one, mut same, mut other) = (list(), list(), list());
        Order::Random(7).sort(&mut one);
        Order::Random(7).sort(&mut same);
        Order::Random(8).sort(&mut other);
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_ne!(one, list());
    }
}
