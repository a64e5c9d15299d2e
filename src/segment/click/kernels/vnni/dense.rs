//! Convolution of bytes, channels last, for pictures that are mostly alike from cell to cell, as a prompt is: where a
//! kernel sees what it saw at the output before, the outputs are the same.

use std::arch::x86_64::{__m512i, _mm512_mask_cmpneq_epi8_mask};
use std::mem;
use std::ops::Range;

use super::layer::{Extent, Layer, Rows, Window};
use super::product::Product;
use super::rounding::FOUR;

/// Bytes that are compared at once, of a cell at most.
const MANY: usize = 64;

/// A layer, laid out for the processor.
pub struct Dense {
    window: Window,
    /// The byte that stands for none of what it sees.
    zero: u8,
    product: Product,
}

/// Rows of a picture with what is seen beside it.
#[derive(Default)]
pub struct Lines {
    bytes: Vec<u8>,
    length: usize,
    /// A bit of each byte of a row that the next output sees there: whether it is another.
    changed: Vec<u64>,
    /// Words of bits of a row.
    words: usize,
    /// What changed in any of the rows that a row of the output sees, and the outputs that see it.
    of_row: Vec<u64>,
    places: Vec<usize>,
}

impl Dense {
    /// None where the layer is of a kind that is not computed here.
    pub fn new(layer: &Layer) -> Option<Self> {
        let product = Product::new(layer)?;
        let is_known = product.channels <= MANY;
        is_known.then_some(Self {
            window: layer.window,
            zero: layer.zero[0],
            product,
        })
    }

    /// Channels that it sees and that it makes.
    pub fn channels(&self) -> [usize; 2] {
        [self.product.channels, self.product.outputs]
    }

    /// Rows of the output.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn rows(&self, input: &[u8], extent: Extent, rows: Rows, room: &mut Lines) {
        match self.product.blocks() {
            1 => self.rows_of::<1>(input, extent, rows, room),
            2 => self.rows_of::<2>(input, extent, rows, room),
            3 => self.rows_of::<3>(input, extent, rows, room),
            _ => self.rows_of::<4>(input, extent, rows, room),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn rows_of<const N: usize>(&self, input: &[u8], extent: Extent, rows: Rows, lines: &mut Lines) {
        let Window { side, stride, .. } = self.window;
        let (outputs, step) = (self.product.outputs, stride * self.product.channels);
        let Rows { first, across, out } = rows;
        let rows = out.chunks_exact_mut(across * outputs);
        self.look(input, extent, first * stride, across, rows.len(), lines);
        let mut places = mem::take(&mut lines.places);
        for (y, out) in rows.enumerate() {
            lines.merge(y * stride..y * stride + side);
            // Where nearly all is another it is not worth looking what is not.
            let of_changed = lines.of_row.iter().filter(|word| **word != 0).count();
            let is_like_none = of_changed > lines.words * 7 / 8;
            places.clear();
            if is_like_none {
                places.extend(0..across);
            } else {
                self.list_fresh(&lines.of_row, across, &mut places);
            }
            let seen = &lines.bytes[y * stride * lines.length..];
            for places in places.chunks(FOUR) {
                let mut windows = [&seen[places[0] * step..]; FOUR];
                for (window, place) in windows.iter_mut().zip(places) {
                    *window = &seen[place * step..];
                }
                let sums = self.product.sums::<N>(windows, lines.length);
                self.product.write(&sums, places, out);
            }
            if is_like_none {
                continue;
            }
            let ends = places.iter().skip(1).copied().chain([across]);
            for (from, to) in places.iter().zip(ends) {
                repeat(&mut out[from * outputs..to * outputs], outputs);
            }
        }
        lines.places = places;
    }

    /// What `rows` rows of the output see, from the row `top` on, counted from the first that any sees.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn look(
        &self,
        input: &[u8],
        extent: Extent,
        top: usize,
        across: usize,
        rows: usize,
        lines: &mut Lines,
    ) {
        let Window {
            side,
            stride,
            padding: [padding, _],
        } = self.window;
        let channels = self.product.channels;
        let (step, left) = (stride * channels, padding * channels);
        let length = (across - 1) * step + side * channels;
        let count = (rows - 1) * stride + side;
        // Where the next output sees a byte: those of the last output have no next.
        let compared = length - step;
        let words = compared.div_ceil(MANY);
        (lines.length, lines.words) = (length, words);
        // With what the last comparison reads behind them.
        lines.bytes.resize(count * length + MANY, 0);
        lines.changed.resize(count * words, 0);
        let inside = (extent.width * channels).min(length - left);
        for line in 0..count {
            let changed = &mut lines.changed[line * words..][..words];
            let here = &mut lines.bytes[line * length..][..length + MANY];
            let row = (top + line).checked_sub(padding);
            let Some(row) = row.filter(|row| *row < extent.height) else {
                here.fill(self.zero);
                changed.fill(0);
                continue;
            };
            let row = &input[row * extent.width * channels..][..inside];
            here[..left].fill(self.zero);
            here[left..][..inside].copy_from_slice(row);
            here[left + inside..].fill(self.zero);
            for (word, changed) in changed.iter_mut().enumerate() {
                let at = word * MANY;
                let within = u64::MAX >> MANY.saturating_sub(compared - at);
                let (here, next) = (many(&here[at..]), many(&here[at + step..]));
                *changed = _mm512_mask_cmpneq_epi8_mask(within, here, next);
            }
        }
    }

    /// The outputs that do not see what the one before them sees, by what changed in the rows that they see.
    fn list_fresh(&self, changed: &[u64], across: usize, places: &mut Vec<usize>) {
        places.push(0);
        if changed.iter().all(|word| *word == 0) {
            return;
        }
        let Window { side, stride, .. } = self.window;
        let channels = self.product.channels;
        let of_cell = u64::MAX >> (MANY - channels);
        let is_alike = |cell: usize| {
            let (word, bit) = (cell * channels / MANY, cell * channels % MANY);
            let both = u128::from(changed[word]) | u128::from(changed[word + 1]) << MANY;
            (both >> bit) as u64 & of_cell == 0
        };
        let mut alike = 0;
        let mut cells = 0..;
        for x in 1..across {
            let entered = if x == 1 { side } else { stride };
            for cell in cells.by_ref().take(entered) {
                alike = if is_alike(cell) { alike + 1 } else { 0 };
            }
            if alike < side {
                places.push(x);
            }
        }
    }
}

impl Lines {
    /// Finds what changed in any of some rows; behind it lies a word more.
    fn merge(&mut self, rows: Range<usize>) {
        self.of_row.clear();
        self.of_row.resize(self.words + 1, 0);
        for row in rows {
            let changed = &self.changed[row * self.words..][..self.words];
            for (merged, changed) in self.of_row.iter_mut().zip(changed) {
                *merged |= changed;
            }
        }
    }
}

#[inline]
fn many(bytes: &[u8]) -> __m512i {
    bytemuck::cast(*bytes.first_chunk::<MANY>().expect("as much lies behind"))
}

/// Fills a slice with copies of its first bytes.
fn repeat(bytes: &mut [u8], known: usize) {
    let mut known = known;
    while known < bytes.len() {
        let more = known.min(bytes.len() - known);
        bytes.copy_within(..more, known);
        known += more;
    }
}
