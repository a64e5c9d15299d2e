//! Photos in kitty's memory: a coarse one first, then the sharp one in few colours, then in all of
//! its colours, row by row where the terminal can replace parts of a picture.

use super::wire::Wire;
use crate::core::geometry::ImageRect;
use crate::core::raster::Rgba;
use crate::core::scene::Photo;
use crate::term::line::Command;
use crate::term::palette::quantise;
use crate::term::photo::averaged;
use crate::term::png::{Colours, indexed_png, rgb_png};

/// Numbers of the pictures; each photo has two.
const FIRST: u32 = 20;
/// How many photos the terminal keeps.
const KEPT: u32 = 4;
/// Longest side of the coarse picture, and of the sharp one.
const PREVIEW: u32 = 320;
const SHARP: u32 = 1600;
const PREVIEW_COLOURS: u16 = 128;
const SHARP_COLOURS: u16 = 256;

/// How far a photo has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Preview,
    Sharp,
    Full,
    Whole,
}

/// A photo in the terminal's memory.
#[derive(Debug)]
pub struct Slot {
    pub key: u64,
    /// The number of the coarse picture; the sharp one has the next.
    pub id: u32,
    preview: (u32, u32),
    pub sharp: (u32, u32),
    /// What is being sent, and how many of its rows are there.
    pub stage: Stage,
    rows: u32,
}

/// A picture the terminal has: its number and size.
pub type Shown = (u32, (u32, u32));

impl Slot {
    /// The pictures that show the photo now, the lower ones first.
    pub fn shown(&self) -> Vec<Shown> {
        let preview = (self.id, self.preview);
        let sharp = (self.id + 1, self.sharp);
        match (self.stage, self.rows) {
            (Stage::Preview, 0) => Vec::new(),
            (Stage::Preview, _) | (Stage::Sharp, 0) => vec![preview],
            (Stage::Sharp, _) => vec![preview, sharp],
            (Stage::Full | Stage::Whole, _) => vec![sharp],
        }
    }

    fn size(&self) -> (u32, u32) {
        if self.stage == Stage::Preview {
            self.preview
        } else {
            self.sharp
        }
    }

    const fn target(&self) -> u32 {
        match self.stage {
            Stage::Preview => self.id,
            _ => self.id + 1,
        }
    }
}

/// Pixels on their way to the terminal.
#[derive(Debug)]
struct Sheet {
    key: u64,
    stage: Stage,
    pixels: Pixels,
    /// Bytes of an escape sequence a row, as the last rows had.
    row_bytes: f64,
}

#[derive(Debug)]
enum Pixels {
    Few(Vec<u8>, Vec<Rgba>),
    All(Vec<u8>),
}

impl Sheet {
    fn new(photo: &Photo, stage: Stage, (width, height): (u32, u32)) -> Self {
        let image = &photo.image;
        let size = image.size();
        let rgb = if (width, height) == (size.width, size.height) {
            image.pixels().to_vec()
        } else {
            averaged(image, size.bounds(), width, height)
        };
        let colours = match stage {
            Stage::Preview => Some(PREVIEW_COLOURS),
            Stage::Sharp => Some(SHARP_COLOURS),
            Stage::Full | Stage::Whole => None,
        };
        let pixels = match colours {
            Some(colours) => {
                let (palette, indices) = quantise(&rgb, width, height, colours);
                let palette = palette.iter().map(|[r, g, b]| [*r, *g, *b, 255]);
                Pixels::Few(indices, palette.collect())
            }
            None => Pixels::All(rgb),
        };
        let per_pixel = if colours.is_some() { 0.8 } else { 2.0 };
        Self {
            key: photo.key,
            stage,
            pixels,
            row_bytes: f64::from(width) * per_pixel,
        }
    }

    /// So many rows of pixels as PNG.
    fn png(&self, width: u32, from: u32, to: u32) -> Vec<u8> {
        let part = |bytes: u32| {
            let row = (width * bytes) as usize;
            from as usize * row..to as usize * row
        };
        match &self.pixels {
            Pixels::Few(indices, palette) => {
                indexed_png(&indices[part(1)], width, to - from, palette)
            }
            Pixels::All(rgb) => rgb_png(&rgb[part(3)], width, to - from, Colours::All),
        }
    }
}

/// The photos that the terminal has, the last used at the end.
#[derive(Debug, Default)]
pub struct Photos {
    slots: Vec<Slot>,
    sheet: Option<Sheet>,
}

impl Photos {
    pub fn slot(&self, key: u64) -> Option<&Slot> {
        self.slots.iter().find(|s| s.key == key)
    }

    /// Makes room for a photo: under the numbers of the one that was not used for longest.
    /// Deleting would not do: kitty 0.26 frees every picture without a placement along with it.
    pub fn claim(&mut self, photo: &Photo) {
        if let Some(i) = self.slots.iter().position(|s| s.key == photo.key) {
            let slot = self.slots.remove(i);
            self.slots.push(slot);
            return;
        }
        let count = self.slots.len() as u32;
        let id = if count < KEPT {
            FIRST + 2 * count
        } else {
            self.slots.remove(0).id
        };
        let size = photo.image.size();
        let fitted = |longest: u32| {
            let k = (f64::from(longest) / f64::from(size.longest().max(1))).min(1.0);
            let side = |length: u32| ((f64::from(length) * k).round() as u32).max(1);
            (side(size.width), side(size.height))
        };
        self.slots.push(Slot {
            key: photo.key,
            id,
            preview: fitted(PREVIEW),
            sharp: fitted(SHARP),
            stage: Stage::Preview,
            rows: 0,
        });
    }

    /// Sends more of a photo, up to a stage: about `room` bytes where the terminal takes parts,
    /// else a whole picture. `None` where it has come that far.
    pub fn send(
        &mut self,
        photo: &Photo,
        until: Stage,
        room: usize,
        wire: &mut Wire,
    ) -> Option<Command> {
        let slot = self.slots.iter_mut().find(|s| s.key == photo.key)?;
        if slot.stage >= until {
            return None;
        }
        let (width, height) = slot.size();
        let fits = |s: &Sheet| s.key == slot.key && s.stage == slot.stage;
        let sheet = match self.sheet.take().filter(fits) {
            Some(sheet) => self.sheet.insert(sheet),
            None => self
                .sheet
                .insert(Sheet::new(photo, slot.stage, (width, height))),
        };
        let mut out = Vec::new();
        let from = slot.rows;
        let to = if wire.edits() {
            let rows = (room as f64 / sheet.row_bytes) as u32;
            // Parts of few rows would be more head than pixels.
            from.saturating_add(rows.max(1)).min(height)
        } else {
            height
        };
        let png = sheet.png(width, from, to);
        let id = slot.target();
        let is_new = from == 0 && slot.stage != Stage::Full;
        if to - from == height {
            out.extend(wire.transmit(id, &png));
        } else {
            if is_new {
                let clear = vec![0; width as usize * height as usize];
                let clear = indexed_png(&clear, width, height, &[[0; 4]]);
                out.extend(wire.transmit(id, &clear));
            }
            let part = wire.edit(id, (0, from), (width, to - from), &png);
            sheet.row_bytes = part.len() as f64 / f64::from(to - from);
            out.extend(part);
        }
        slot.rows = to;
        if to == height {
            slot.rows = 0;
            slot.stage = match slot.stage {
                Stage::Preview => Stage::Sharp,
                Stage::Sharp => Stage::Full,
                Stage::Full | Stage::Whole => Stage::Whole,
            };
            self.sheet = None;
        }
        Some(out)
    }

    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

/// The part of a picture of `size` that shows `source` of an image of `whole` pixels.
pub fn scaled(source: ImageRect, whole: (u32, u32), size: (u32, u32)) -> ImageRect {
    let axis = |low: u32, high: u32, sent: u32, whole: u32| {
        let k = f64::from(sent) / f64::from(whole.max(1));
        let from = ((f64::from(low) * k).round() as u32).min(sent - 1);
        let to = (f64::from(high) * k).round() as u32;
        (from, to.clamp(from + 1, sent))
    };
    let (x0, x1) = axis(source.x0, source.x1, size.0, whole.0);
    let (y0, y1) = axis(source.y0, source.y1, size.1, whole.1);
    ImageRect::new(x0, y0, x1, y1)
}
