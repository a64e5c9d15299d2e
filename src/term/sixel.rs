//! Sixel: no layers and no memory, so only the cells that changed are drawn, each with the photo,
//! the masks and the marks in it. The photo gets one fixed palette a view, with a tinted twin for
//! each of its colours, so that nothing is ever quantised again.

mod encode;

use self::encode::{REGISTERS, encode};
use super::line::Command;
use super::pace::Speed;
use super::painter::{Painter, Refined};
use super::patches::{Rows, Shown, erase};
use super::{Way, palette, photo, tmux};
use crate::core::raster::{Marks, Overlay, Rgba, screen_size};
use crate::core::scene::{Layer, Rgb, Scene, Style};
use crate::core::view::View;

/// Colours for the photo; their tinted twins are the registers after them.
const PHOTO: usize = 112;
/// Registers for marks, outlines and further tints begin here.
const INKS: usize = 2 * PHOTO;
/// No register: such a pixel is to be drawn again.
const GONE: u8 = (REGISTERS - 1) as u8;
/// At this opacity a colour covers the photo.
const OPAQUE: u8 = 150;
/// Pixels of the crosshair's arms: each cell costs a few hundred bytes.
const REACH: u32 = 20;

/// What the terminal shows.
#[derive(Debug)]
pub struct Sixel {
    way: Way,
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

impl Default for Sixel {
    fn default() -> Self {
        Self::new(Way::Direct)
    }
}

impl Sixel {
    pub fn new(way: Way) -> Self {
        Self {
            way,
            speed: Speed::Fast,
            picture: None,
            shown: Shown::default(),
            filled: Vec::new(),
        }
    }

    /// Draws what differs, of some rows, until so many bytes are full.
    fn draw(&mut self, scene: &Scene, layers: &[Layer], which: Rows, room: usize) -> Vec<Command> {
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
        let corner = match self.way {
            Way::Passed => tmux::place(),
            _ => Some((0, 0)),
        };
        // Where tmux shows another window, nothing is drawn into it.
        let Some((left, top)) = corner else {
            return Vec::new();
        };
        let stride = screen_size(view).0 as usize;
        let (mut out, mut full) = (Vec::new(), 0);
        for block in self.shown.dirty(view, &next, 1, which) {
            if full >= room {
                break;
            }
            let (row, col) = (top + block.row + 1, left + block.col + 1);
            let mut patch = format!("\x1b7\x1b[{row};{col}H").into_bytes();
            encode(&next, stride, block.pixels, &picture.colours, &mut patch);
            patch.extend_from_slice(b"\x1b8");
            if self.way == Way::Passed {
                patch = tmux::wrap(&patch);
            }
            full += patch.len();
            out.push(patch);
            self.shown.draw(view, &block, &next, 1);
        }
        out
    }
}

impl Painter for Sixel {
    fn paint(&mut self, scene: &Scene) -> Vec<Command> {
        let view = &scene.view;
        let mut out = Vec::new();
        let is_same = |p: &Picture| p.key == scene.photo.key && p.view == *view;
        if !self.picture.as_ref().is_some_and(is_same) {
            let before = self.picture.take();
            out.extend(before.and_then(|p| erase(&p.view, view)));
            self.picture = Some(Picture::new(scene));
            self.shown = Shown::nothing(view, 1);
        }
        if self.speed == Speed::Fast {
            self.filled.clone_from(&scene.layers);
            out.extend(self.draw(scene, &scene.layers, Rows::All, usize::MAX));
            return out;
        }
        let layers = if self.filled == scene.layers {
            scene.layers.clone()
        } else {
            outlines(&scene.layers)
        };
        out.extend(self.draw(scene, &layers, Rows::Known, usize::MAX));
        out
    }

    fn refine(&mut self, scene: &Scene, room: usize) -> Refined {
        let out = self.draw(scene, &scene.layers, Rows::All, room);
        if out.is_empty() {
            self.filled.clone_from(&scene.layers);
            return Refined::Done;
        }
        Refined::Step(out.concat())
    }

    fn forget(&mut self) {
        *self = Self::new(self.way);
    }

    fn hide(&mut self) -> Vec<Command> {
        // The registers stay, for when the picture comes back.
        if let Some(picture) = &self.picture {
            self.shown = Shown::nothing(&picture.view, 1);
        }
        Vec::new()
    }

    fn pace(&mut self, speed: Speed) {
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
