//! What goes out: images with their objects, classes with their numbers, parts.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::core::document::{Object, Verdict};
use crate::core::geometry::Size;

/// One image with what is known of it, on its way out.
#[derive(Debug, Clone)]
pub struct Labelled {
    pub source: PathBuf,
    /// File name in the export; unique in it.
    pub name: String,
    /// Name without ending; unique in the export.
    pub stem: String,
    pub size: Size,
    /// Whether the file's pixels lie otherwise than the masks, and its EXIF says so.
    pub is_turned: bool,
    /// In drawing order.
    pub objects: Vec<Arc<Object>>,
    pub part: Part,
}

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Part {
    #[default]
    Train,
    Val,
    Test,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

/// All that is exported.
#[derive(Debug, Clone, Default)]
pub struct Set {
    pub images: Vec<Labelled>,
    /// In the order of their numbers.
    pub classes: Vec<String>,
    /// Whether the person asked for parts.
    pub is_split: bool,
}

impl Set {
    /// The class's place in `classes`.
    pub fn number(&self, object: &Object) -> usize {
        let found = self.classes.iter().position(|c| **c == *object.class);
        found.expect("the set's classes are those of its objects")
    }

    /// The folder of an image's part, with a slash; empty without a split.
    pub fn folder(&self, image: &Labelled) -> String {
        if self.is_split {
            format!("{}/", image.part.name())
        } else {
            String::new()
        }
    }

    /// The text of a `classes.txt`: a name a line.
    pub fn class_lines(&self) -> String {
        let names = self.classes.iter().map(|c| c.replace('\n', " "));
        names.map(|n| n + "\n").collect()
    }

    /// The parts that have images.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let used: BTreeSet<Part> = self.images.iter().map(|i| i.part).collect();
        used.into_iter()
    }

    pub fn of(&self, part: Part) -> impl Iterator<Item = &Labelled> {
        self.images.iter().filter(move |i| i.part == part)
    }
}

/// Which part each of `count` images belongs to: the same for the same seed, whatever the order.
pub fn part_of(name: &str, shares: [f64; 3], seed: u64) -> Part {
    let digest = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(name)
        .finalize();
    let first: [u8; 8] = digest[..8].try_into().expect("a sha256 has 32 bytes");
    let at = u64::from_le_bytes(first) as f64 / u64::MAX as f64 * shares.iter().sum::<f64>();
    if at < shares[0] {
        Part::Train
    } else if at < shares[0] + shares[1] {
        Part::Val
    } else {
        Part::Test
    }
}

/// Whether an object is exported.
pub fn is_wanted(object: &Object, only: Option<Verdict>, classes: &[String]) -> bool {
    let judged = match only {
        Some(verdict) => object.verdict == verdict,
        None => object.verdict != Verdict::Rejected,
    };
    judged && (classes.is_empty() || classes.iter().any(|c| **c == *object.class))
}
