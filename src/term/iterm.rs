//! iTerm2's inline images: no layers, so the cells that changed are sent, blended here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::line::Command;
use super::pace::Speed;
use super::painter::{Painter, Refined};
use super::patches::{Block, Rows, Shown, erase, in_pieces, nearest_first};
use super::png::{Colours, rgb_png};
use super::{Way, photo};
use crate::core::raster::{Marks, Overlay, Rgba, blended, screen_size};
use crate::core::scene::Scene;
use crate::core::view::View;

/// Colours that pixels of an overlay are numbered by; of more, all is drawn anew.
const COLOURS: usize = 256;
/// Pixels of the crosshair's arms.
const REACH: u32 = 40;

/// What the terminal shows.
#[derive(Debug)]
pub struct Iterm {
    way: Way,
    picture: Option<Picture>,
    shown: Shown,
    speed: Speed,
}

/// A photo at a view, and the colours of what lies over it: a pixel's colour there has the same
/// number in all frames, so that numbers tell what has changed.
#[derive(Debug)]
struct Picture {
    key: u64,
    view: View,
    rgb: Vec<u8>,
    colours: Vec<Rgba>,
}

impl Picture {
    fn new(scene: &Scene) -> Self {
        Self {
            key: scene.photo.key,
            view: scene.view,
            rgb: photo::at_view(&scene.photo.image, &scene.view),
            colours: vec![[0; 4]],
        }
    }

    /// The overlay's pixels as numbers of colours.
    fn numbers(&mut self, overlay: Overlay) -> Vec<u8> {
        let mut numbers = [0; 256];
        for (number, colour) in numbers.iter_mut().zip(&overlay.palette) {
            *number = self.number(*colour);
        }
        let mut pixels = overlay.indices;
        for pixel in &mut pixels {
            *pixel = numbers[usize::from(*pixel)];
        }
        pixels
    }

    fn number(&mut self, colour: Rgba) -> u8 {
        let known = self.colours.iter().position(|c| *c == colour);
        let number = known.unwrap_or_else(|| {
            self.colours.push(colour);
            self.colours.len() - 1
        });
        number as u8
    }

    /// A block's pixels as they are seen.
    fn part(&self, block: &Block, pixels: &[u8]) -> Vec<u8> {
        let width = screen_size(&self.view).0 as usize;
        let [x0, y0, x1, y1] = block.pixels;
        let mut part = Vec::with_capacity(3 * (x1 - x0) * (y1 - y0));
        for y in y0..y1 {
            let (from, to) = (y * width + x0, y * width + x1);
            let photo = self.rgb[3 * from..3 * to].chunks_exact(3);
            for (rgb, number) in photo.zip(&pixels[from..to]) {
                let colour = self.colours[usize::from(*number)];
                part.extend(blended([rgb[0], rgb[1], rgb[2]], colour));
            }
        }
        part
    }
}

impl Iterm {
    pub fn new(way: Way) -> Self {
        Self {
            way,
            picture: None,
            shown: Shown::default(),
            speed: Speed::Fast,
        }
    }

    /// Sends what differs, of some rows, until so many bytes are full.
    fn draw(&mut self, scene: &Scene, which: Rows, room: usize) -> Vec<Command> {
        let Some(picture) = &mut self.picture else {
            return Vec::new();
        };
        // Where tmux shows another window, nothing is drawn into it.
        let Some(corner) = self.way.corner() else {
            return Vec::new();
        };
        let view = &scene.view;
        let overlay = Overlay::draw(view, &scene.layers, &scene.marks, Marks::Near(REACH));
        if picture.colours.len() + overlay.palette.len() > COLOURS {
            picture.colours.truncate(1);
            self.shown = Shown::nothing(view);
        }
        let next = picture.numbers(overlay);
        let dirty = self.shown.dirty(view, &next, which);
        let blocks = match self.speed {
            Speed::Fast => dirty,
            Speed::Slow => nearest_first(in_pieces(dirty, view), scene),
        };
        let (picture, way) = (&*picture, self.way);
        let write = |block: &Block| way.sent(patch(block, corner, &picture.part(block, &next)));
        self.shown.write((view, &next), blocks, room, write)
    }
}

impl Painter for Iterm {
    fn paint(&mut self, scene: &Scene) -> Vec<Command> {
        let view = &scene.view;
        let is_same = |p: &Picture| p.key == scene.photo.key && p.view == *view;
        let mut out = Vec::new();
        if !self.picture.as_ref().is_some_and(is_same) {
            let before = self.picture.replace(Picture::new(scene));
            out.extend(before.and_then(|p| erase(&p.view, view)));
            self.shown = Shown::nothing(view);
        }
        let rows = match self.speed {
            Speed::Fast => Rows::All,
            Speed::Slow => Rows::Known,
        };
        out.extend(self.draw(scene, rows, usize::MAX));
        out
    }

    fn refine(&mut self, scene: &Scene, room: usize) -> Refined {
        let out = self.draw(scene, Rows::All, room);
        if out.is_empty() {
            return Refined::Done;
        }
        Refined::Step(out.concat())
    }

    fn forget(&mut self) {
        *self = Self::new(self.way);
    }

    fn hide(&mut self) -> Vec<Command> {
        if let Some(picture) = &self.picture {
            self.shown = Shown::nothing(&picture.view);
        }
        Vec::new()
    }

    fn pace(&mut self, speed: Speed) {
        self.speed = speed;
    }
}

/// An image over whole cells. Its size is said, and the cursor placed, because not all terminals
/// guess the one or leave the other.
fn patch(block: &Block, (left, top): (u16, u16), rgb: &[u8]) -> Command {
    let [x0, y0, x1, y1] = block.pixels;
    let png = rgb_png(rgb, (x1 - x0) as u32, (y1 - y0) as u32, Colours::All);
    let place = format!(
        "\x1b7\x1b[{};{}H",
        top + block.row + 1,
        left + block.col + 1
    );
    let head = format!(
        "\x1b]1337;File=inline=1;size={};width={};height={};preserveAspectRatio=0:",
        png.len(),
        block.cols,
        block.rows
    );
    let words = [place.as_str(), &head, &STANDARD.encode(&png), "\x07\x1b8"];
    words.concat().into_bytes()
}
