//! Depthwise convolution of bytes, channels last, in sums of 32 bits: VNNI adds up four rows of a column at once.

use std::arch::x86_64::{
    __m128i, __m512i, _mm512_castsi128_si512, _mm512_dpbusd_epi32, _mm512_inserti32x4,
    _mm512_mask_mov_epi8, _mm512_mask_mov_epi16, _mm512_permutexvar_epi32, _mm512_rol_epi32,
    _mm512_shuffle_epi8,
};
use std::array;
use std::mem;

use super::expand::Expand;
use super::layer::{Extent, Layer, Rows, Window};
use super::rounding::{FOUR, LANES, Rounding, TURNED, TURNED_WORDS};

/// Rows that one instruction adds up.
const QUAD: usize = 4;
/// Outputs of a row that are made at once.
const TILE: usize = 4;
/// The most columns that they see.
const MOST: usize = (TILE - 1) * 2 + 5;

/// A layer, laid out for the processor.
pub struct Depthwise {
    window: Window,
    /// The byte that stands for none of what it sees.
    zero: u8,
    /// What makes what it sees, where that is not given.
    expand: Option<Expand>,
    /// [block of channels][row of the output that starts in a quad][quad][column]
    kernels: Vec<__m512i>,
    /// A block's sums before anything is added up, and how they become bytes.
    starts: Vec<__m512i>,
    roundings: Vec<Rounding>,
}

/// Columns of two quads of rows, one below the other.
pub type Quads = [Vec<__m512i>; 2];

/// How far below a quad the next one lies that rows of the output see: so near that each of a small kernel sees one only.
const fn below(side: usize) -> usize {
    if side == 3 { QUAD / 2 } else { QUAD }
}

/// Whether a row of the output sees a quad, the one it starts in (0) or the next (1).
const fn sees(row: usize, quad: usize, side: usize, stride: usize) -> bool {
    let (first, top) = (row * stride, quad * below(side));
    if side == 3 {
        first / below(side) == quad
    } else {
        first < top + QUAD && top < first + side
    }
}

impl Depthwise {
    /// None where the layer is of a kind that is not computed here.
    pub fn new(layer: &Layer) -> Option<Self> {
        let &Layer { window, .. } = layer;
        let Window { side, stride, .. } = window;
        let channels = layer.bias.len();
        let is_known = matches!((side, stride), (3 | 5, 1 | 2)) && channels.is_multiple_of(LANES);
        if layer.depth() != Some(1) || !is_known {
            return None;
        }
        let of_channel: Vec<&[i8]> = layer.kernel.chunks_exact(side * side).collect();
        let mut kernels = Vec::new();
        for block in of_channel.chunks_exact(LANES) {
            for output in 0..QUAD / stride {
                for quad in 0..2 {
                    let is_seen = sees(output, quad, side, stride);
                    for column in 0..side {
                        let byte = |k: usize| {
                            let row = quad * below(side) + k % QUAD;
                            let row = row.checked_sub(output * stride);
                            let row = row.filter(|row| is_seen && *row < side);
                            row.map_or(0, |row| block[k / QUAD][row * side + column])
                        };
                        let bytes: [i8; QUAD * LANES] = array::from_fn(byte);
                        kernels.push(bytemuck::cast(bytes));
                    }
                }
            }
        }
        let (starts, roundings) = layer.blocks();
        Some(Self {
            window,
            zero: layer.zero[0],
            expand: None,
            kernels,
            starts,
            roundings,
        })
    }

    /// Of what another layer makes of single cells.
    pub fn expanding(expand: &Layer, layer: &Layer) -> Option<Self> {
        let (expand, depthwise) = (Expand::new(expand)?, Self::new(layer)?);
        let fits = expand.outputs() == layer.bias.len();
        fits.then_some(Self {
            expand: Some(expand),
            ..depthwise
        })
    }

    /// Channels that it sees and that it makes.
    pub fn channels(&self) -> [usize; 2] {
        let made = self.starts.len() * LANES;
        [self.expand.as_ref().map_or(made, Expand::channels), made]
    }

    /// Rows of the output, the first of them a multiple of 4.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn rows(&self, input: &[u8], extent: Extent, rows: Rows, room: &mut Quads) {
        match (self.window.side, self.window.stride) {
            (3, 1) => self.rows_of::<3, 1, 4>(input, extent, rows, room),
            (3, _) => self.rows_of::<3, 2, 2>(input, extent, rows, room),
            (_, 1) => self.rows_of::<5, 1, 4>(input, extent, rows, room),
            _ => self.rows_of::<5, 2, 2>(input, extent, rows, room),
        }
    }

    /// `ROWS` of the output start in a quad.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn rows_of<const SIDE: usize, const STRIDE: usize, const ROWS: usize>(
        &self,
        input: &[u8],
        extent: Extent,
        rows: Rows,
        [upper, lower]: &mut Quads,
    ) {
        let Rows { first, across, out } = rows;
        let row_length = across * self.starts.len() * LANES;
        let columns = (across.next_multiple_of(TILE) - 1) * STRIDE + SIDE;
        for quad in [&mut *upper, &mut *lower] {
            quad.clear();
            quad.resize(columns, bytemuck::cast([self.zero; QUAD * LANES]));
        }
        for block in 0..self.starts.len() {
            let mut top = first * STRIDE;
            self.look(input, extent, block, top, upper);
            for out in out.chunks_mut(ROWS * row_length) {
                top += QUAD;
                self.look(input, extent, block, top, lower);
                for start in (0..across).step_by(TILE) {
                    let seen = [&upper[start * STRIDE..], &lower[start * STRIDE..]];
                    let sums = self.tile::<SIDE, STRIDE, ROWS>(seen, block);
                    for (row, sums) in out.chunks_mut(row_length).zip(sums) {
                        self.write(sums, block, start, row);
                    }
                }
                mem::swap(upper, lower);
            }
        }
    }

    /// What a block's outputs see of a quad of rows, of which the first lies the padding above `top`. What lies beside the
    /// picture is left as it is.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn look(&self, input: &[u8], extent: Extent, block: usize, top: usize, seen: &mut [__m512i]) {
        let [padding, _] = self.window.padding;
        let inside = extent.width.min(seen.len() - padding);
        let seen = &mut seen[padding..][..inside];
        let length = extent.width * extent.channels;
        let row = |k: usize| (top + k).saturating_sub(padding).min(extent.height - 1);
        let rows = [row(0), row(1), row(2), row(3)].map(|row| &input[row * length..][..length]);
        match &self.expand {
            Some(expand) => expand.quad(rows, block, seen),
            None => interleave(rows, block * LANES, extent.channels, seen),
        }
        let mut beyond = 0;
        for k in 0..QUAD {
            let is_within = (padding..padding + extent.height).contains(&(top + k));
            beyond |= u64::from(!is_within) << k;
        }
        if beyond != 0 {
            let none = bytemuck::cast([self.zero; QUAD * LANES]);
            let beyond = beyond * (u64::MAX / 0b1111);
            for column in seen {
                *column = _mm512_mask_mov_epi8(*column, beyond, none);
            }
        }
    }

    /// Brings a block of a tile's sums into a row of the output, from `first` on, as far as it goes.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn write(&self, sums: [__m512i; TILE], block: usize, first: usize, row: &mut [u8]) {
        let blocks = self.starts.len();
        let rounding = self.roundings[block];
        let (row, _) = row.as_chunks_mut::<LANES>();
        let places = (first * blocks + block..).step_by(blocks);
        for (place, bytes) in places.zip(rounding.bytes(sums)) {
            if let Some(cell) = row.get_mut(place) {
                *cell = bytes;
            }
        }
    }

    /// Sums of a tile, which sees two quads of columns.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn tile<const SIDE: usize, const STRIDE: usize, const ROWS: usize>(
        &self,
        seen: [&[__m512i]; 2],
        block: usize,
    ) -> [[__m512i; TILE]; ROWS] {
        let kernels = &self.kernels[block * ROWS * 2 * SIDE..][..ROWS * 2 * SIDE];
        let count = (TILE - 1) * STRIDE + SIDE;
        let [upper, lower] = [&seen[0][..count], &seen[1][..count]];
        let mut sums = [[self.starts[block]; TILE]; ROWS];
        let mut columns = [self.starts[block]; MOST];
        for quad in 0..2 {
            for (column, (upper, lower)) in columns.iter_mut().zip(upper.iter().zip(lower)) {
                *column = match (quad, SIDE) {
                    (0, _) => *upper,
                    (_, 3) => halfway(*upper, *lower),
                    _ => *lower,
                };
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                if !sees(row, quad, SIDE, STRIDE) {
                    continue;
                }
                for column in 0..SIDE {
                    let kernel = kernels[(row * 2 + quad) * SIDE + column];
                    for (t, sum) in sums.iter_mut().enumerate() {
                        *sum = _mm512_dpbusd_epi32(*sum, columns[t * STRIDE + column], kernel);
                    }
                }
            }
        }
        sums
    }
}

/// The quad between two, of the lower rows of one and the upper ones of the next.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn halfway(upper: __m512i, lower: __m512i) -> __m512i {
    const UPPER: u32 = 0x5555_5555;
    _mm512_rol_epi32::<16>(_mm512_mask_mov_epi16(upper, UPPER, lower))
}

/// A block of channels of four rows, each channel's four bytes side by side. The first column begins `start` bytes into
/// the rows, the next ones `channels` bytes on each.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
fn interleave(rows: [&[u8]; QUAD], start: usize, channels: usize, columns: &mut [__m512i]) {
    // Of one length, so that one check of bounds does for the four.
    let length = rows[0].len();
    let [a, b, c, d] = rows;
    let [a, b, c, d] = [&a[..length], &b[..length], &c[..length], &d[..length]];
    let (dwords, turned) = (bytemuck::cast(TURNED_WORDS), bytemuck::cast([TURNED; FOUR]));
    let mut at = start;
    for column in columns {
        let cell = at..at + LANES;
        let (a, b) = (read(&a[cell.clone()]), read(&b[cell.clone()]));
        let (c, d) = (read(&c[cell.clone()]), read(&d[cell]));
        let both = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(a), b);
        let all = _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(both, c), d);
        let fours = _mm512_permutexvar_epi32(dwords, all);
        *column = _mm512_shuffle_epi8(fours, turned);
        at += channels;
    }
}

#[inline]
fn read(block: &[u8]) -> __m128i {
    bytemuck::cast(*block.first_chunk::<LANES>().expect("a block of channels"))
}
