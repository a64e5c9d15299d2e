//! iTerm2's inline images: no layers, so the cells that changed are sent, blended here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::line::Command;
use super::pace::Speed;
use super::painter::{Painter, Refined};
use super::patches::{Block, Rows, Shown, erase, in_pieces, nearest_first};
use super::png::{Colours, rgb_png};
use super::{Way, photo};
use crate::core::raster::{Marks, Overlay, screen_size};
use crate::core::scene::Scene;
use crate::core::view::View;

/// Bytes a pixel.
const UNIT: usize = 3;
/// Pixels of the crosshair's arms.
const REACH: u32 = 40;

/// What the terminal shows.
#[derive(Debug)]
pub struct Iterm {
    way: Way,
    photo: Option<(u64, View, Vec<u8>)>,
    shown: Shown,
    speed: Speed,
}

impl Iterm {
    pub fn new(way: Way) -> Self {
        Self {
            way,
            photo: None,
            shown: Shown::default(),
            speed: Speed::Fast,
        }
    }

    /// Sends what differs, of some rows, until so many bytes are full.
    fn draw(&mut self, scene: &Scene, which: Rows, room: usize) -> Vec<Command> {
        let Some((_, _, rgb)) = &self.photo else {
            return Vec::new();
        };
        // Where tmux shows another window, nothing is drawn into it.
        let Some(corner) = self.way.corner() else {
            return Vec::new();
        };
        let view = &scene.view;
        let mut next = rgb.clone();
        Overlay::draw(view, &scene.layers, &scene.marks, Marks::Near(REACH)).blend(&mut next);
        let width = screen_size(view).0 as usize;
        let (mut out, mut full) = (Vec::new(), 0);
        let dirty = self.shown.dirty(view, &next, UNIT, which);
        let blocks = match self.speed {
            Speed::Fast => dirty,
            Speed::Slow => nearest_first(in_pieces(dirty, view), scene),
        };
        for block in blocks {
            if full >= room {
                break;
            }
            let patch = patch(&block, corner, width, &next);
            let patch = self.way.sent(patch);
            full += patch.len();
            out.push(patch);
            self.shown.draw(view, &block, &next, UNIT);
        }
        out
    }
}

impl Painter for Iterm {
    fn paint(&mut self, scene: &Scene) -> Vec<Command> {
        let view = &scene.view;
        let is_same = |(key, at, _): &(u64, View, Vec<u8>)| *key == scene.photo.key && at == view;
        let mut out = Vec::new();
        if !self.photo.as_ref().is_some_and(is_same) {
            let before = self.photo.take();
            out.extend(before.and_then(|p| erase(&p.1, view)));
            let rgb = photo::at_view(&scene.photo.image, view);
            self.photo = Some((scene.photo.key, *view, rgb));
            self.shown = Shown::nothing(view, UNIT);
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
        if let Some((_, view, _)) = &self.photo {
            self.shown = Shown::nothing(view, UNIT);
        }
        Vec::new()
    }

    fn pace(&mut self, speed: Speed) {
        self.speed = speed;
    }
}

/// An image over whole cells. Its size is said, and the cursor placed, because not all terminals
/// guess the one or leave the other.
fn patch(block: &Block, (left, top): (u16, u16), width: usize, pixels: &[u8]) -> Command {
    let [x0, y0, x1, y1] = block.pixels;
    let row = |y: usize| &pixels[UNIT * (y * width + x0)..UNIT * (y * width + x1)];
    let part: Vec<u8> = (y0..y1).flat_map(row).copied().collect();
    let png = rgb_png(&part, (x1 - x0) as u32, (y1 - y0) as u32, Colours::All);
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
