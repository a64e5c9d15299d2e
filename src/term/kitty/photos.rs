//! Photos in kitty's memory: a coarse one first, then the sharp one in few colours, then in all of
//! its colours, part by part where the terminal can replace parts of a picture.

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

/// Bytes of a part before its pixels: keys, palette.
const HEAD: usize = 200;

/// Rows of a part that is narrower than the picture: pixels beside each other have fewer colours in
/// a square than in a line.
const BAND: u32 = 8;
/// A part that took too many bytes is tried with a little fewer pixels than had room.
const FEWER: f64 = 0.95;
/// Columns that are not split.
const NARROW: u32 = 8;

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
    /// What is being sent, how many of its rows are there, and how many columns of those below.
    pub stage: Stage,
    rows: u32,
    columns: u32,
}

/// A picture the terminal has: its number and size.
pub type Shown = (u32, (u32, u32));

impl Slot {
    /// The pictures that show the photo now, the lower ones first.
    pub fn shown(&self) -> Vec<Shown> {
        let preview = (self.id, self.preview);
        let sharp = (self.id + 1, self.sharp);
        match (self.stage, self.rows + self.columns) {
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
    size: (u32, u32),
    /// Bytes a pixel, as the last part had.
    pixel_bytes: f64,
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
        Self {
            key: photo.key,
            stage,
            pixels,
            size: (width, height),
            pixel_bytes: if colours.is_some() { 0.8 } else { 2.0 },
        }
    }

    /// Whether all of it is thought to have room in so many bytes.
    fn fits(&self, room: usize) -> bool {
        let pixels = f64::from(self.size.0) * f64::from(self.size.1);
        pixels * self.pixel_bytes <= room.saturating_sub(HEAD) as f64
    }

    /// The part from a pixel on that so many bytes have room for, and its bytes as `patch` writes
    /// them: whole rows, or some columns of a band.
    fn part(
        &mut self,
        (x, y): (u32, u32),
        room: usize,
        patch: impl Fn((u32, u32), &[u8]) -> Vec<u8>,
    ) -> ((u32, u32), Vec<u8>) {
        let mut pixels = room.saturating_sub(HEAD) as f64 / self.pixel_bytes;
        let (wide, high) = (self.size.0 - x, self.size.1 - y);
        loop {
            let rows = (pixels / f64::from(wide)) as u32;
            let (width, height) = if x == 0 && rows >= BAND {
                (wide, rows.min(high))
            } else {
                let height = BAND.min(high);
                let columns = (pixels / f64::from(height)) as u32;
                (columns.max(NARROW).min(wide), height)
            };
            let bytes = patch((width, height), &self.png((x, y), (width, height)));
            if bytes.len() <= room || width <= NARROW {
                // One colour says little of what comes after it.
                let own = bytes.len().saturating_sub(HEAD).max(bytes.len() / 4);
                self.pixel_bytes = own as f64 / f64::from(width * height);
                return ((width, height), bytes);
            }
            let fewer = FEWER * room as f64 / bytes.len() as f64;
            pixels = f64::from(width * height) * fewer;
        }
    }

    fn png(&self, (x, y): (u32, u32), (width, height): (u32, u32)) -> Vec<u8> {
        let part = |pixels: &[u8], bytes: usize| -> Vec<u8> {
            let row = self.size.0 as usize * bytes;
            let (from, to) = (x as usize * bytes, (x + width) as usize * bytes);
            let rows = pixels.chunks_exact(row).skip(y as usize);
            let rows = rows.take(height as usize);
            rows.flat_map(|row| &row[from..to]).copied().collect()
        };
        match &self.pixels {
            Pixels::Few(indices, palette) => indexed_png(&part(indices, 1), width, height, palette),
            Pixels::All(rgb) => rgb_png(&part(rgb, 3), width, height, Colours::All),
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
            columns: 0,
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
        let (id, at) = (slot.target(), (slot.columns, slot.rows));
        let (columns, rows) = if wire.edits() && !(at == (0, 0) && sheet.fits(room)) {
            if at == (0, 0) && slot.stage != Stage::Full {
                let clear = vec![0; width as usize * height as usize];
                let clear = indexed_png(&clear, width, height, &[[0; 4]]);
                out.extend(wire.transmit(id, &clear));
            }
            let patch = |size: (u32, u32), png: &[u8]| wire.patch(id, at, size, png);
            let (size, part) = sheet.part(at, room.saturating_sub(wire.seal_size()), patch);
            out.extend(wire.seal(&part));
            size
        } else {
            out.extend(wire.transmit(id, &sheet.png((0, 0), (width, height))));
            (width, height)
        };
        slot.columns += columns;
        if slot.columns == width {
            slot.columns = 0;
            slot.rows += rows;
        }
        if slot.rows == height {
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
