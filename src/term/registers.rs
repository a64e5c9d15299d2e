//! A scene in one palette a view: the photo's colours, a tinted twin for each of them, and the
//! marks' colours. Nothing is ever quantised again, and only the blocks of cells that changed are
//! written, for terminals that keep no layers.

use super::line::Command;
use super::pace::Speed;
use super::painter::Refined;
use super::patches::{Block, REACH, Rows, Shown, in_pieces, nearest_first};
use super::{palette, photo};
use crate::core::raster::{Marks, Overlay, Rgba, screen_size};
use crate::core::scene::{Layer, Rgb, Scene, Style};
use crate::core::view::View;

/// Registers that every terminal with sixel has.
pub const REGISTERS: usize = 256;
/// Colours for the photo; their tinted twins are the registers after them.
const PHOTO: usize = 112;
/// Registers for marks, outlines and further tints begin here.
const INKS: usize = 2 * PHOTO;
/// No register: such a pixel is to be drawn again.
const GONE: u8 = (REGISTERS - 1) as u8;
/// At this opacity a colour covers the photo.
const OPAQUE: u8 = 150;

/// Pixels of a whole view, each a register, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    pub pixels: &'a [u8],
    pub width: usize,
    pub colours: &'a [Rgb],
}

/// Writes blocks in a terminal's way.
pub trait Pen: Sync {
    /// What is written instead of blocks, where the terminal cannot take them as they are.
    fn snapped(&self, blocks: Vec<Block>, _view: &View) -> Vec<Block> {
        blocks
    }

    fn write(&self, block: &Block, sheet: Sheet<'_>) -> Command;
}

/// What the terminal shows.
#[derive(Debug)]
pub struct Registers {
    speed: Speed,
    picture: Option<Picture>,
    shown: Shown,
    /// The masks whose inside was drawn; on a slow line their outline comes first.
    filled: Vec<Layer>,
}

/// A photo at a view, in registers.
#[derive(Debug)]
struct Picture {
    key: u64,
    view: View,
    colours: Vec<Rgb>,
    indices: Vec<u8>,
    /// What the twins are tinted with.
    tint: Option<Rgba>,
}

impl Default for Registers {
    fn default() -> Self {
        Self {
            speed: Speed::Fast,
            picture: None,
            shown: Shown::default(),
            filled: Vec::new(),
        }
    }
}

impl Registers {
    /// Takes up the photo and view of a scene. The view before it, where that was another.
    pub fn turn_to(&mut self, scene: &Scene) -> Option<View> {
        let view = &scene.view;
        let is_same = |p: &Picture| p.key == scene.photo.key && p.view == *view;
        if self.picture.as_ref().is_some_and(is_same) {
            return None;
        }
        let before = self.picture.replace(Picture::new(scene));
        self.shown = Shown::nothing(view);
        before.map(|p| p.view)
    }

    /// What shows a scene that was turned to, as soon as possible.
    pub fn paint(&mut self, scene: &Scene, pen: &impl Pen) -> Vec<Command> {
        if self.speed == Speed::Fast {
            self.filled.clone_from(&scene.layers);
            return self.draw(scene, &scene.layers, (Rows::All, usize::MAX), pen);
        }
        let layers = if self.filled == scene.layers {
            scene.layers.clone()
        } else {
            outlines(&scene.layers)
        };
        self.draw(scene, &layers, (Rows::Known, usize::MAX), pen)
    }

    /// About so many bytes more.
    pub fn refine(&mut self, scene: &Scene, room: usize, pen: &impl Pen) -> Refined {
        let out = self.draw(scene, &scene.layers, (Rows::All, room), pen);
        if out.is_empty() {
            self.filled.clone_from(&scene.layers);
            return Refined::Done;
        }
        Refined::Step(out.concat())
    }

    /// Draws what differs, of some rows, until so many bytes are full.
    fn draw(
        &mut self,
        scene: &Scene,
        layers: &[Layer],
        (which, room): (Rows, usize),
        pen: &impl Pen,
    ) -> Vec<Command> {
        let Some(picture) = &mut self.picture else {
            return Vec::new();
        };
        let view = &scene.view;
        let overlay = Overlay::draw(view, layers, &scene.marks, Marks::Near(REACH));
        if picture.retint(&overlay) {
            let twins = PHOTO as u8..INKS as u8;
            self.shown
                .forget(GONE, |register| twins.contains(&register));
        }
        let next = picture.registers(&overlay);
        let sheet = Sheet {
            pixels: &next,
            width: screen_size(view).0 as usize,
            colours: &picture.colours,
        };
        let dirty = self.shown.dirty(view, &next, which);
        let blocks = match self.speed {
            Speed::Fast => pen.snapped(dirty, view),
            Speed::Slow => nearest_first(pen.snapped(in_pieces(dirty, view), view), scene),
        };
        let write = |block: &Block| pen.write(block, sheet);
        self.shown.write((view, &next), &blocks, room, write)
    }

    /// The cells show nothing any more. The registers stay, for when the picture comes back.
    pub fn hide(&mut self) {
        if let Some(picture) = &self.picture {
            self.shown = Shown::nothing(&picture.view);
        }
    }

    pub fn forget(&mut self) {
        *self = Self {
            speed: self.speed,
            ..Self::default()
        };
    }

    pub fn pace(&mut self, speed: Speed) {
        self.speed = speed;
    }
}

/// The masks without their insides.
fn outlines(layers: &[Layer]) -> Vec<Layer> {
    let outline = |layer: &Layer| Layer {
        style: match layer.style {
            Style::Fill => Style::Outline,
            other => other,
        },
        ..layer.clone()
    };
    layers.iter().map(outline).collect()
}

impl Picture {
    fn new(scene: &Scene) -> Self {
        let (width, height) = screen_size(&scene.view);
        let rgb = photo::at_view(&scene.photo.image, &scene.view);
        let (mut colours, indices) = palette::quantise(&rgb, width, height, PHOTO as u16);
        colours.resize(INKS, [0; 3]);
        Self {
            key: scene.photo.key,
            view: scene.view,
            colours,
            indices,
            tint: None,
        }
    }

    /// Gives the twins the tint that is in use, if theirs is not any more. Whether it did.
    fn retint(&mut self, overlay: &Overlay) -> bool {
        let is_tint = |c: &&Rgba| c[3] > 0 && c[3] < OPAQUE;
        if self
            .tint
            .is_some_and(|tint| overlay.palette.contains(&tint))
        {
            return false;
        }
        // The last layer is the one that is being worked on.
        let Some(tint) = overlay.palette.iter().rev().find(is_tint).copied() else {
            return false;
        };
        self.tint = Some(tint);
        for i in 0..PHOTO {
            self.colours[PHOTO + i] = tinted(self.colours[i], tint);
        }
        true
    }

    /// The photo with an overlay: each pixel's register.
    fn registers(&mut self, overlay: &Overlay) -> Vec<u8> {
        let inks: Vec<u8> = overlay.palette.iter().map(|c| self.ink(*c)).collect();
        let mut next = self.indices.clone();
        let width = overlay.width as usize;
        for (i, index) in overlay.indices.iter().enumerate().filter(|(_, v)| **v != 0) {
            let colour = overlay.palette[usize::from(*index)];
            if Some(colour) == self.tint {
                next[i] += PHOTO as u8;
            } else if colour[3] >= OPAQUE || (i % width + i / width).is_multiple_of(3) {
                // Further tints are a diagonal weave of their colour.
                next[i] = inks[usize::from(*index)];
            }
        }
        next
    }

    /// The register of a colour, taken anew where there is room, else the nearest.
    fn ink(&mut self, [r, g, b, alpha]: Rgba) -> u8 {
        if alpha == 0 {
            return 0;
        }
        let colour = [r, g, b];
        let inks = &self.colours[INKS..];
        if let Some(i) = inks.iter().position(|c| *c == colour) {
            return (INKS + i) as u8;
        }
        if self.colours.len() < usize::from(GONE) {
            self.colours.push(colour);
            return (self.colours.len() - 1) as u8;
        }
        let distance = |c: &Rgb| -> u32 {
            let parts = c.iter().zip(colour);
            parts.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
        };
        let nearest = inks.iter().enumerate().min_by_key(|(_, c)| distance(c));
        (INKS + nearest.map_or(0, |(i, _)| i)) as u8
    }
}

fn tinted(photo: Rgb, [r, g, b, alpha]: Rgba) -> Rgb {
    let mix = |tint: u8, photo: u8| {
        let alpha = u32::from(alpha);
        ((u32::from(tint) * alpha + u32::from(photo) * (255 - alpha)) / 255) as u8
    };
    [mix(r, photo[0]), mix(g, photo[1]), mix(b, photo[2])]
}
