//! What the network is fed: a crop of the picture, and the prompt drawn on it.

use std::sync::Arc;

use super::pass::{Facing, Pass, mirror};
use crate::core::document::Proposal;
use crate::core::geometry::{ImageRect, Size};
use crate::core::mask::Mask;
use crate::core::prompt::{Prompt, Side, Soft};
use crate::segment::Question;
use crate::segment::crop::{Square, crop, nearest_byte};

/// The first look at a click in a folder whose objects are known: wide enough for larger ones.
const EXPAND_TYPICAL: f64 = 1.6;
/// The first look at a click in each of its readings, as a share of the image's longer side: at all
/// of it (unless the folder's objects are known), at a large part, at a small one. Where that cuts
/// through the object, a wider look follows.
const SHARES: [f64; READINGS] = [1.0, 0.25, 0.12];
/// The looks at a box in each of its readings, as a share of the usual crop.
const WIDTHS: [f64; READINGS] = [1.0, 0.8, 1.6];
/// How many readings there are of a prompt.
pub const READINGS: usize = 3;
/// No crop is smaller than this many pixels of the image.
const LEAST_SIDE: f64 = 32.0;
/// Fewer pixels than this are no object to zoom in on.
const LEAST_PIXELS: u64 = 20;
/// The byte of a colour that counts as none, as what lies beyond the crop does.
const NONE: u8 = 127;
/// Channels of the picture and of the prompt.
pub const RGB: usize = 3;
pub const PROMPT: usize = 4;
const PREVIOUS: usize = 3;

/// Half widths of the rows of a disk of radius 5, as OpenCV's `circle` fills it.
const DISK: [i64; 11] = [0, 3, 4, 4, 4, 5, 4, 4, 4, 3, 0];

/// The network's input for one pass.
#[derive(Debug)]
pub struct Input {
    pub square: Square,
    pub pass: Pass,
    /// [size, size, 3]
    pub rgb: Vec<u8>,
    /// [size, size, 4]: inside disks, outside disks, box, previous probability.
    pub prompt: Vec<u8>,
}

/// The last answer, as the next pass sees it.
pub struct Before {
    mask: Arc<Mask>,
    soft: Option<Arc<Soft>>,
}

impl Before {
    pub fn from_proposal(proposal: &Proposal) -> Self {
        Self {
            mask: Arc::clone(&proposal.mask),
            soft: proposal.soft.clone(),
        }
    }

    pub fn from_soft(soft: Arc<Soft>, mask: Arc<Mask>) -> Self {
        Self {
            mask,
            soft: Some(soft),
        }
    }

    /// Probabilities of image pixels, at every crossing of `rows` and `columns`; of a mask without
    /// probabilities 0 or 1, and 0 beyond the image.
    fn at(&self, columns: &[i64], rows: &[i64]) -> Vec<f32> {
        let size = self.mask.size();
        let mut values = match &self.soft {
            Some(soft) => soft.at_crossings(columns, rows),
            None => rows
                .iter()
                .flat_map(|y| columns.iter().map(|x| size.clamp(*x, *y)))
                .map(|at| f32::from(u8::from(self.mask.contains(at))))
                .collect(),
        };
        let beyond = |at: i64, length: u32| !(0..i64::from(length)).contains(&at);
        let beside: Vec<usize> = (0..columns.len())
            .filter(|i| beyond(columns[*i], size.width))
            .collect();
        for (row, y) in values.chunks_exact_mut(columns.len()).zip(rows) {
            if beyond(*y, size.height) {
                row.fill(0.0);
            }
            for i in &beside {
                row[*i] = 0.0;
            }
        }
        values
    }

    /// Writes the probabilities as the last channel of a prompt: those of the image's pixels, bilinear
    /// between them, as the training had them.
    fn channel(&self, square: Square, size: usize, prompt: &mut [u8]) {
        let scale = square.side / size as f64;
        // Where the crop shrinks the image, a cell in between is as good as the pixel beside it.
        let step = scale.max(1.0);
        let cells = (square.side / step).ceil() as usize + 2;
        let pixels = |start: f64| -> Vec<i64> {
            (0..cells)
                .map(|i| start.floor() as i64 + (i as f64 * step).round() as i64)
                .collect()
        };
        let values = self.at(&pixels(square.x), &pixels(square.y));
        let positions = |start: f64| {
            (0..size)
                .map(move |n| (start - start.floor() + n as f64 * scale) / step)
                .map(|at| (at as usize, at.fract() as f32))
        };
        let columns = Places::new(positions(square.x));
        let mut line = vec![0.0; cells];
        let mut row = vec![0.0; size];
        let (prompt, _) = prompt.as_chunks_mut::<PROMPT>();
        for (out, (j, part)) in prompt.chunks_exact_mut(size).zip(positions(square.y)) {
            let (upper, lower) = values[j * cells..][..2 * cells].split_at(cells);
            for ((value, top), bottom) in line.iter_mut().zip(upper).zip(lower) {
                *value = top + part * (bottom - top);
            }
            columns.values(&line, &mut row);
            set_previous(out, &row);
        }
    }
}

/// Places on a line of values: the value before each, and how far behind it.
struct Places {
    before: Vec<usize>,
    parts: Vec<f32>,
    /// Whether there is one behind every value, from the first on.
    in_step: bool,
}

impl Places {
    fn new(places: impl Iterator<Item = (usize, f32)>) -> Self {
        let (before, parts): (Vec<_>, _) = places.unzip();
        Self {
            in_step: before.iter().enumerate().all(|(n, i)| *i == n),
            before,
            parts,
        }
    }

    fn values(&self, line: &[f32], values: &mut [f32]) {
        let values = values.iter_mut().zip(&self.parts);
        if self.in_step {
            for ((value, part), (a, b)) in values.zip(line.iter().zip(&line[1..])) {
                *value = a + part * (b - a);
            }
        } else {
            for ((value, part), i) in values.zip(&self.before) {
                *value = line[*i] + part * (line[i + 1] - line[*i]);
            }
        }
    }
}

/// Writes probabilities as the last channel. A pixel's channels are one number: the compiler makes wide
/// instructions of that.
fn set_previous(pixels: &mut [[u8; PROMPT]], probabilities: &[f32]) {
    const BEFORE: u32 = 8 * PREVIOUS as u32;
    for (channels, value) in pixels.iter_mut().zip(probabilities) {
        let others = u32::from_le_bytes(*channels) & ((1 << BEFORE) - 1);
        let byte = u32::from(nearest_byte(255.0 * value));
        *channels = (others | byte << BEFORE).to_le_bytes();
    }
}

impl Input {
    /// The tensors of a first pass on a prompt.
    pub fn first(question: &Question, pass: Pass) -> Self {
        Self::new(question, None, pass, Vec::new())
    }

    /// `room` is what the prompt of an input before was in: to be given fresh memory takes longer than to
    /// fill it.
    pub(super) fn new(
        question: &Question,
        before: Option<&Before>,
        pass: Pass,
        room: Vec<u8>,
    ) -> Self {
        let square = region(question, before.map(|b| &*b.mask), pass.expand);
        Self::of(square, question, before, pass, room)
    }

    /// What a pass sees of a square.
    pub(super) fn of(
        square: Square,
        question: &Question,
        before: Option<&Before>,
        pass: Pass,
        room: Vec<u8>,
    ) -> Self {
        let size = pass.size;
        let mut rgb = crop(&question.image, square, size);
        let mut prompt = Channels::draw(&question.prompt, square, size, room).values;
        if let Some(before) = before {
            before.channel(square, size, &mut prompt);
        }
        if pass.facing == Facing::Mirrored {
            mirror(rgb.as_chunks_mut::<RGB>().0, size);
            mirror(prompt.as_chunks_mut::<PROMPT>().0, size);
        }
        Self {
            square,
            pass,
            rgb,
            prompt,
        }
    }

    /// Grey, and nothing asked for.
    pub(super) fn blank(pass: Pass) -> Self {
        let area = pass.size * pass.size;
        let square = Square {
            x: 0.0,
            y: 0.0,
            side: pass.size as f64,
        };
        Self {
            square,
            pass,
            rgb: vec![NONE; RGB * area],
            prompt: vec![0; PROMPT * area],
        }
    }
}

/// Pixels, `PAIR` bytes each two, as cells of two by two, the upper two first: what the network reads.
pub(super) fn cells<const PAIR: usize>(pixels: &[u8], size: usize, out: &mut Vec<u8>) {
    let (pairs, _) = pixels.as_chunks::<PAIR>();
    out.resize(pixels.len(), 0);
    let (out, _) = out.as_chunks_mut::<PAIR>();
    for (out, rows) in out.chunks_exact_mut(size).zip(pairs.chunks_exact(size)) {
        let (upper, lower) = rows.split_at(size / 2);
        for ((cell, above), below) in out.chunks_exact_mut(2).zip(upper).zip(lower) {
            cell[0] = *above;
            cell[1] = *below;
        }
    }
}

/// How far the first look at a click reaches.
pub(super) enum Reach {
    /// Over the whole picture.
    All,
    /// So many pixels, as far as the folder's objects do.
    Known(f64),
    /// So many pixels, as is only tried: the object may be larger.
    Guess(f64),
}

pub(super) fn reach(question: &Question) -> Reach {
    let extent = question.adaptation.as_ref().and_then(|a| a.extent);
    match (question.reading % READINGS, extent) {
        (0, None) => Reach::All,
        (0, Some(extent)) => Reach::Known(f64::from(extent) * EXPAND_TYPICAL),
        (reading, _) => Reach::Guess(SHARES[reading] * f64::from(question.image.size().longest())),
    }
}

/// The square to look at. The mask with the inside clicks, or the box, `expand` times as large and
/// kept on the picture. Without a box and with nothing found yet what surrounds the click, where the
/// folder's objects are known; else the whole image.
fn region(question: &Question, mask: Option<&Mask>, expand: f64) -> Square {
    let (prompt, size) = (&question.prompt, question.image.size());
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let pixels = || {
        let inside = prompt.points(Side::Inside);
        inside.map(|p| ImageRect::from_corners(p, p))
    };
    let found = mask
        .filter(|m| m.area() >= LEAST_PIXELS)
        .and_then(Mask::bounds);
    let wanted = found
        .map(|bounds| pixels().fold(bounds, ImageRect::union))
        .or(prompt.rect);
    if let Some(wanted) = wanted {
        let longest = f64::from(wanted.width().max(wanted.height()));
        let width = prompt
            .rect
            .map_or(1.0, |_| WIDTHS[question.reading % READINGS]);
        return around(wanted, longest * expand * width, size);
    }
    let near = match reach(question) {
        Reach::All => None,
        Reach::Known(near) | Reach::Guess(near) => Some(near),
    };
    if let (Some(near), Some(clicks)) = (near, pixels().reduce(ImageRect::union)) {
        let spread = f64::from(clicks.width().max(clicks.height()) - 1);
        // A wider pass than usual looks as much further.
        let near = (near + spread) * expand / Pass::LOOK.expand;
        return around(clicks, near, size);
    }
    let side = w.max(h);
    Square {
        x: (w - side) / 2.0,
        y: (h - side) / 2.0,
        side,
    }
}

/// A square about the middle of a rectangle, kept on the picture where it fits.
fn around(rect: ImageRect, side: f64, size: Size) -> Square {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let side = side.max(LEAST_SIDE).min(1.1 * w.max(h));
    let keep = |low: u32, high: u32, length: f64| {
        let start = (f64::from(low) + f64::from(high) - side) / 2.0;
        if side <= length {
            start.clamp(0.0, length - side)
        } else {
            (length - side) / 2.0
        }
    };
    Square {
        x: keep(rect.x0, rect.x1, w),
        y: keep(rect.y0, rect.y1, h),
        side,
    }
}

/// Inside disks, outside disks, filled box; the fourth channel is left empty.
struct Channels {
    size: usize,
    values: Vec<u8>,
}

impl Channels {
    fn draw(prompt: &Prompt, square: Square, size: usize, mut values: Vec<u8>) -> Self {
        values.clear();
        values.resize(PROMPT * size * size, 0);
        let mut channels = Self { size, values };
        let scale = size as f64 / square.side;
        for click in &prompt.clicks {
            let channel = match click.side {
                Side::Inside => 0,
                Side::Outside => 1,
            };
            let x = ((f64::from(click.at.x) - square.x) * scale) as i64;
            let y = ((f64::from(click.at.y) - square.y) * scale) as i64;
            for (row, half) in DISK.iter().enumerate() {
                let v = y + row as i64 - 5;
                channels.fill(channel, v, x - half, x + half + 1);
            }
        }
        if let Some(rect) = prompt.rect {
            let at = |v: u32, o: f64| ((f64::from(v) - o) * scale).round_ties_even() as i64;
            for v in at(rect.y0, square.y)..at(rect.y1, square.y) {
                let (u0, u1) = (at(rect.x0, square.x), at(rect.x1, square.x));
                channels.fill(2, v, u0, u1);
            }
        }
        channels
    }

    fn fill(&mut self, channel: usize, row: i64, from: i64, to: i64) {
        let size = self.size as i64;
        if !(0..size).contains(&row) {
            return;
        }
        let (from, to) = (from.clamp(0, size), to.clamp(0, size));
        if from < to {
            let (cells, _) = self.values.as_chunks_mut::<PROMPT>();
            let row = &mut cells[row as usize * self.size..][..self.size];
            for channels in &mut row[from as usize..to as usize] {
                channels[channel] = u8::MAX;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_two_by_two_pixels_the_upper_two_first() {
        // Each byte tells its row, column and channel.
        let pixels: Vec<u8> = (0..4)
            .flat_map(|y| (0..4).flat_map(move |x| (0..3).map(move |k| 100 * (y % 2) + 10 * x + k)))
            .collect();
        let mut found = Vec::new();
        cells::<6>(&pixels, 4, &mut found);
        let first = [0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112];
        assert_eq!(found[..12], first);
        assert_eq!(found[12..24], first.map(|byte| byte + 20));
        assert_eq!(found[24..36], first);
        assert_eq!(found.len(), pixels.len());
    }
}
