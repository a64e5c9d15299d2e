//! What the canvas shows: photo, masks, crosshair, box, markers. The terminal layer draws it with
//! whatever protocol there is; [`Scene::render`] is the reference that all of them equal.

use std::sync::Arc;

use super::geometry::{CellRect, ImagePoint, ImageRect};
use super::image::Image;
use super::mask::Mask;
use super::prompt::Click;
use super::view::View;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// A picture with a name that changes when its pixels do.
#[derive(Debug, Clone)]
pub struct Photo {
    /// Equal keys mean equal pixels: the terminal need not get them again.
    pub key: u64,
    pub image: Arc<Image>,
}

impl PartialEq for Photo {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

/// How a mask is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Tinted, with a contour.
    Fill,
    /// The contour alone.
    Outline,
    /// Tinted strongly, with a white contour: the one being worked on.
    Strong,
    /// A broken contour alone: a proposal nobody asked for yet.
    Hint,
}

/// One mask as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    pub mask: Arc<Mask>,
    pub colour: Rgb,
    pub style: Style,
}

/// Something thin drawn above the masks.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// Lines across the whole picture through the centre of this pixel.
    Crosshair(ImagePoint),
    /// A frame around these pixels.
    Box(ImageRect),
    /// A given click: inside is a filled green disk, outside a red ring.
    Click(Click),
    /// The region the next grid key narrows, with its nine parts.
    Grid(ImageRect),
    /// An open or closed line through image pixels.
    Path {
        points: Vec<ImagePoint>,
        closed: bool,
    },
    /// The brush's rim.
    Brush { at: ImagePoint, radius: f64 },
    /// One or two letters on a small plate.
    Label { at: ImagePoint, text: String },
}

/// A small picture beside the canvas.
#[derive(Debug, Clone, PartialEq)]
pub struct Thumbnail {
    pub photo: Photo,
    /// Where it has its place, as large as fits there.
    pub cells: CellRect,
}

/// All that the canvas shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    pub photo: Photo,
    pub view: View,
    /// In drawing order.
    pub layers: Vec<Layer>,
    pub marks: Vec<Mark>,
    /// Photos that may be shown next, the likeliest first: sent ahead where the line is idle.
    pub next: Vec<Photo>,
    /// For terminals that show pictures wherever there are cells.
    pub thumbnails: Vec<Thumbnail>,
}
