//! What keys mean just now, and how the screen shows things.

use std::sync::Arc;

use crate::core::geometry::{ImagePoint, ImageRect};
use crate::core::image::Image;
use crate::core::mask::Mask;
use crate::core::outline::Outline;

/// What keys mean just now.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Mode {
    #[default]
    Aim,
    /// Nine keys narrow the region.
    Grid {
        region: ImageRect,
    },
    /// The brush follows the cursor.
    Brush(Brush),
    /// A letter takes an object that the engine found.
    Hints,
    /// The next letter names a place, or goes there.
    Mark(Marking),
    /// Points of an outline, in order.
    Polygon {
        points: Vec<ImagePoint>,
    },
    /// The mask's outline is edited point by point.
    Contour(Contour),
    /// One object at a time gets a verdict.
    Review,
    /// Many small objects get theirs at once.
    Sheet,
    /// A line is being typed.
    Typing {
        what: Typing,
        text: String,
        choice: usize,
    },
    Help {
        search: String,
        scroll: u16,
    },
}

/// What the next letter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marking {
    Set,
    Go,
}

/// An outline that is being edited.
#[derive(Debug, Clone, PartialEq)]
pub struct Contour {
    pub outline: Outline,
    /// What the mask would be.
    pub mask: Arc<Mask>,
    /// Whose mask it is.
    pub owner: Owner,
}

/// Whose mask is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Draft,
    /// An object that was taken up for it, and goes back with it.
    Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brush {
    Paint,
    Erase,
}

/// What a typed line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    Class,
    Command,
    Comment,
    Engine,
    /// A comment that flags the object.
    Flag,
    /// Part of an image's name, to go there.
    Image,
}

/// Whether the sides of a box go to strong edges nearby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snapping {
    Off,
    On,
}

/// How masks are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlay {
    #[default]
    Fill,
    Outline,
    /// Outlined, there and gone in turn, so that the edge beneath is seen.
    Blink,
    /// The half of a blink in which the masks are gone.
    Dark,
    Off,
}

impl Overlay {
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Fill => Self::Outline,
            Self::Outline => Self::Blink,
            Self::Blink | Self::Dark => Self::Off,
            Self::Off => Self::Fill,
        }
    }

    /// The other half of a blink.
    pub fn blink(&mut self) {
        match self {
            Self::Blink => *self = Self::Dark,
            Self::Dark => *self = Self::Blink,
            Self::Fill | Self::Outline | Self::Off => {}
        }
    }
}

/// A page of objects, to be judged at a glance.
#[derive(Debug)]
pub struct Sheet {
    /// `None` while it is being drawn.
    pub image: Option<Arc<Image>>,
    /// Equal keys mean equal pixels.
    pub key: u64,
    pub tiles: Vec<Tile>,
}

#[derive(Debug, Clone, Copy)]
pub struct Tile {
    /// Place in the review's queue.
    pub at: usize,
    pub id: u64,
    pub rejected: bool,
}

/// A line for the person, with its weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    Info(String),
    Problem(String),
}
