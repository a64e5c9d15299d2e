//! iTerm2's inline images: no layers, so the cells that changed are sent, blended here. First in few
//! colours, and on a fast line then in all.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::line::Command;
use super::pace::Speed;
use super::painter::{Painter, Refined};
use super::palette::quantise;
use super::patches::{Block, REACH, Rows, Shown, erase, in_pieces, nearest_first};
use super::png::{Colours, indexed_png, rgb_png};
use super::{Way, photo};
use crate::core::raster::{Marks, Overlay, Rgba, blended, screen_size};
use crate::core::scene::{Rgb, Scene};
use crate::core::view::View;

/// Colours that pixels of an overlay are numbered by, of more, all is drawn anew; and those of a
/// palette.
const COLOURS: usize = 256;

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
    /// The same in few colours, which take a third of the bytes.
    few: Vec<Rgb>,
    indices: Vec<u8>,
    /// Rows of cells, from the first on, that show all colours.
    sharp: u16,
    colours: Vec<Rgba>,
}

impl Picture {
    fn new(scene: &Scene) -> Self {
        let (width, height) = screen_size(&scene.view);
        let rgb = photo::at_view(&scene.photo.image, &scene.view);
        let (few, indices) = quantise(&rgb, width, height, COLOURS as u16);
        Self {
            key: scene.photo.key,
            view: scene.view,
            rgb,
            few,
            indices,
            sharp: 0,
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
    fn png(&self, block: &Block, numbers: &[u8]) -> Vec<u8> {
        let [x0, y0, x1, y1] = block.pixels;
        let (width, height) = ((x1 - x0) as u32, (y1 - y0) as u32);
        match self.in_few(block, numbers) {
            Some((indices, palette)) => indexed_png(&indices, width, height, &palette),
            None => rgb_png(&self.in_all(block, numbers), width, height, Colours::All),
        }
    }

    /// Where in the picture a block's rows of pixels are.
    fn rows(&self, block: &Block) -> impl Iterator<Item = Range<usize>> + use<> {
        let width = screen_size(&self.view).0 as usize;
        let [x0, y0, x1, y1] = block.pixels;
        (y0..y1).map(move |y| y * width + x0..y * width + x1)
    }

    /// A block of few colours as indices into them; none where it is sharp, or the overlay makes them
    /// too many.
    fn in_few(&self, block: &Block, numbers: &[u8]) -> Option<(Vec<u8>, Vec<Rgba>)> {
        if block.row - self.view.cells.row < self.sharp {
            return None;
        }
        let mut palette: Vec<Rgba> = Vec::new();
        // Of each colour of the photo under each of the overlay.
        let mut known: Vec<Option<u8>> = vec![None; COLOURS * self.colours.len()];
        let mut indices = Vec::new();
        for at in self.rows(block).flatten() {
            let (photo, over) = (usize::from(self.indices[at]), usize::from(numbers[at]));
            let index = &mut known[COLOURS * over + photo];
            if index.is_none() && palette.len() < COLOURS {
                let [r, g, b] = blended(self.few[photo], self.colours[over]);
                *index = Some(palette.len() as u8);
                palette.push([r, g, b, 255]);
            }
            indices.push((*index)?);
        }
        Some((indices, palette))
    }

    /// A block's RGB, in all colours where it is sharp.
    fn in_all(&self, block: &Block, numbers: &[u8]) -> Vec<u8> {
        let end = Block::of(&self.view, [0, 0, 1, self.sharp]).pixels[3];
        let width = screen_size(&self.view).0 as usize;
        let mut rgb = Vec::new();
        for at in self.rows(block).flatten() {
            let photo = if at < end * width {
                std::array::from_fn(|k| self.rgb[3 * at + k])
            } else {
                self.few[usize::from(self.indices[at])]
            };
            rgb.extend(blended(photo, self.colours[usize::from(numbers[at])]));
        }
        rgb
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

    /// The cells show nothing any more, and no colour is numbered.
    fn begin(&mut self) {
        if let Some(picture) = &mut self.picture {
            picture.sharp = 0;
            picture.colours.truncate(1);
            self.shown = Shown::nothing(&picture.view);
        }
    }

    /// Sends what differs, of some rows, until so many bytes are full.
    fn draw(&mut self, scene: &Scene, which: Rows, room: usize) -> Vec<Command> {
        let view = &scene.view;
        let overlay = Overlay::draw(view, &scene.layers, &scene.marks, Marks::Near(REACH));
        let colours = self.picture.as_ref().map_or(0, |p| p.colours.len());
        if colours + overlay.palette.len() > COLOURS {
            self.begin();
        }
        // Where tmux shows another window, nothing is drawn into it.
        let (Some(picture), Some(corner)) = (&mut self.picture, self.way.corner()) else {
            return Vec::new();
        };
        let next = picture.numbers(overlay);
        let dirty = self.shown.dirty(view, &next, which);
        let blocks = match self.speed {
            Speed::Fast => dirty,
            Speed::Slow => nearest_first(in_pieces(dirty, view), scene),
        };
        let (picture, way) = (&*picture, self.way);
        let write = |block: &Block| way.sent(patch(block, corner, &picture.png(block, &next)));
        self.shown.write((view, &next), &blocks, room, write)
    }

    /// Sends further rows in all their colours, until so many bytes are full.
    fn sharpen(&mut self, room: usize) -> Vec<Command> {
        let (Some(picture), Some(corner)) = (&mut self.picture, self.way.corner()) else {
            return Vec::new();
        };
        let (mut out, mut full) = (Vec::new(), 0);
        while full < room && picture.sharp < picture.view.cells.rows {
            let row = picture.sharp;
            picture.sharp += 1;
            let cells = [0, row, picture.view.cells.cols, row + 1];
            let block = Block::of(&picture.view, cells);
            let png = picture.png(&block, self.shown.pixels());
            let patch = self.way.sent(patch(&block, corner, &png));
            full += patch.len();
            out.push(patch);
        }
        out
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
            self.begin();
        }
        let rows = match self.speed {
            Speed::Fast => Rows::All,
            Speed::Slow => Rows::Known,
        };
        out.extend(self.draw(scene, rows, usize::MAX));
        out
    }

    fn refine(&mut self, scene: &Scene, room: usize) -> Refined {
        let mut out = self.draw(scene, Rows::All, room);
        if out.is_empty() && self.speed == Speed::Fast {
            out = self.sharpen(room);
        }
        if out.is_empty() {
            return Refined::Done;
        }
        Refined::Step(out.concat())
    }

    fn forget(&mut self) {
        *self = Self::new(self.way);
    }

    fn hide(&mut self) -> Vec<Command> {
        self.begin();
        Vec::new()
    }

    fn pace(&mut self, speed: Speed) {
        self.speed = speed;
    }
}

/// An image over whole cells. Its size is said, and the cursor placed, because not all terminals
/// guess the one or leave the other.
fn patch(block: &Block, (left, top): (u16, u16), png: &[u8]) -> Command {
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
    let words = [place.as_str(), &head, &STANDARD.encode(png), "\x07\x1b8"];
    words.concat().into_bytes()
}
