//! Depthwise convolution of bytes, channels last, in sums of 32 bits: VNNI adds up four rows of a column at once.

use std::arch::x86_64::{
    __m256i, __m512, __m512i, _mm256_unpackhi_epi8, _mm256_unpackhi_epi16, _mm256_unpacklo_epi8,
    _mm256_unpacklo_epi16, _mm512_adds_epi16, _mm512_castsi256_si512, _mm512_castsi512_si256,
    _mm512_cvtepi32_ps, _mm512_cvtps_epi32, _mm512_dpbusd_epi32, _mm512_inserti64x4, _mm512_mul_ps,
    _mm512_packs_epi32, _mm512_packus_epi16, _mm512_permutexvar_epi32, _mm512_set1_epi16,
};
use std::array;

use super::layer::{Extent, Layer, Window};

/// Channels that are computed at once, in two registers of 16 sums.
const BLOCK: usize = 32;
const LANES: usize = 16;
/// Rows that one instruction adds up.
const QUAD: usize = 4;
/// Rows of the output that are made at once: they share most of the rows that they read.
const PAIR: usize = 2;
/// The most quads that a pair of outputs reads.
const QUADS: usize = quads(5, 2);
/// Outputs of a row that are made at once.
const TILE: usize = 4;
/// Outputs of a row that all channels are made of before the next: what they read stays at hand.
const REACH: usize = 4 * TILE;
/// The most columns that they read.
const COLUMNS: usize = (REACH - 1) * 2 + 5;

/// A layer, laid out for the processor.
pub struct Depthwise {
    window: Window,
    zero: [u8; 2],
    channels: usize,
    /// The first channel of each block.
    blocks: Vec<usize>,
    /// [block][quad of rows][column][output of a pair]
    kernels: Vec<Pair>,
    /// A block's sums before anything is added up, and what one counts.
    starts: Vec<Pair>,
    scales: Vec<Pair<__m512>>,
}

/// A quad of rows of the picture.
type Rows<'a> = [&'a [u8]; QUAD];
/// A block's sums, or four rows of a column in a block's channels, each channel's four bytes side by side.
type Pair<Register = __m512i> = [Register; 2];
/// Columns of a quad of rows.
type Columns = [Pair; COLUMNS];

/// The channel of a block that a lane of its two registers stands for, as `interleave` leaves them.
const fn channel(register: usize, lane: usize) -> usize {
    let four = 4 * register + lane / 4;
    16 * (four % 2) + 4 * (four / 2) + lane % 4
}

/// What is known of channels, as registers.
fn lanes<T: Copy>(block: &[T]) -> [[T; LANES]; 2] {
    array::from_fn(|register| array::from_fn(|lane| block[channel(register, lane)]))
}

impl Depthwise {
    /// None where the layer is of a kind that is not computed here.
    pub fn new(layer: &Layer) -> Option<Self> {
        let &Layer { window, zero, .. } = layer;
        let Window { side, stride, .. } = window;
        let channels = layer.bias.len();
        let is_known = matches!((side, stride), (3 | 5, 1 | 2)) && channels >= BLOCK;
        if layer.depth() != Some(1) || !is_known {
            return None;
        }
        let of_channel: Vec<&[i8]> = layer.kernel.chunks_exact(side * side).collect();
        let all_starts = layer.starts();
        let mut blocks: Vec<usize> = (0..channels / BLOCK).map(|n| n * BLOCK).collect();
        if !channels.is_multiple_of(BLOCK) {
            // It makes some channels that the one before it makes too.
            blocks.push(channels - BLOCK);
        }
        let (mut kernels, mut starts, mut scales) = (Vec::new(), Vec::new(), Vec::new());
        for first in &blocks {
            let all = *first..first + BLOCK;
            starts.push(lanes(&all_starts[all.clone()]).map(bytemuck::cast));
            scales.push(lanes(&layer.scale[all.clone()]).map(bytemuck::cast));
            let of_channel = lanes(&of_channel[all]);
            for quad in 0..quads(side, stride) {
                for column in 0..side {
                    for output in 0..PAIR {
                        let byte = |of_channel: &[i8], at: usize| {
                            let row = (QUAD * quad + at).checked_sub(output * stride);
                            let row = row.filter(|row| *row < side);
                            row.map_or(0, |row| of_channel[row * side + column])
                        };
                        let registers = of_channel.map(|of_channel| {
                            let bytes: [i8; QUAD * LANES] =
                                array::from_fn(|k| byte(of_channel[k / QUAD], k % QUAD));
                            bytemuck::cast(bytes)
                        });
                        kernels.push(registers);
                    }
                }
            }
        }
        Some(Self {
            window,
            zero,
            channels,
            blocks,
            kernels,
            starts,
            scales,
        })
    }

    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows of the output, `across` outputs each, from the row `first` on, which is even.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn rows(&self, input: &[u8], extent: Extent, first: usize, across: usize, out: &mut [u8]) {
        match (self.window.side, self.window.stride) {
            (3, 1) => self.rows_of::<3, 1>(input, extent, first, across, out),
            (3, _) => self.rows_of::<3, 2>(input, extent, first, across, out),
            (_, 1) => self.rows_of::<5, 1>(input, extent, first, across, out),
            _ => self.rows_of::<5, 2>(input, extent, first, across, out),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn rows_of<const SIDE: usize, const STRIDE: usize>(
        &self,
        input: &[u8],
        extent: Extent,
        first: usize,
        across: usize,
        out: &mut [u8],
    ) {
        let channels = extent.channels;
        let row_length = extent.width * channels;
        let [padding, _] = self.window.padding;
        let beside = vec![self.zero[0]; row_length];
        let none = [bytemuck::cast([self.zero[0]; QUAD * LANES]); 2];
        let mut seen: [Columns; QUADS] = [[none; COLUMNS]; QUADS];
        for (pair, out) in out.chunks_mut(PAIR * across * channels).enumerate() {
            let top = (first + PAIR * pair) * STRIDE;
            let row = |at: usize| {
                let row = (top + at).checked_sub(padding);
                let is_seen = at < STRIDE + SIDE;
                let row = row.filter(|row| is_seen && *row < extent.height);
                row.map_or(&beside[..], |row| &input[row * row_length..][..row_length])
            };
            let rows: [Rows; QUADS] =
                array::from_fn(|quad| array::from_fn(|at| row(QUAD * quad + at)));
            for start in (0..across).step_by(REACH) {
                let outputs = (across - start).min(REACH).next_multiple_of(TILE);
                let columns = (outputs - 1) * STRIDE + SIDE;
                for block in 0..self.blocks.len() {
                    for (rows, seen) in rows.iter().zip(&mut seen).take(quads(SIDE, STRIDE)) {
                        self.look(rows, extent, block, start * STRIDE, &mut seen[..columns]);
                    }
                    for x in (0..outputs).step_by(TILE) {
                        let sums = self.tile::<SIDE, STRIDE>(&seen, x * STRIDE, block);
                        let rows = out.chunks_mut(across * channels);
                        for (row, sums) in rows.zip(&sums) {
                            self.write(sums, block, start + x, row);
                        }
                    }
                }
            }
        }
    }

    /// What a block's outputs see of a quad of rows, from the column `first` on: some columns may lie beside the picture.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn look(&self, rows: &Rows, extent: Extent, block: usize, first: usize, seen: &mut [Pair]) {
        let none = [bytemuck::cast([self.zero[0]; QUAD * LANES]); 2];
        let [padding, _] = self.window.padding;
        let left = padding.saturating_sub(first);
        let from = first + left - padding;
        let inside = (first + seen.len() - padding).min(extent.width) - from;
        let (within, beside) = seen[left..].split_at_mut(inside);
        let at = from * extent.channels + self.blocks[block];
        interleave(rows, at, extent.channels, within);
        beside.fill(none);
        seen[..left].fill(none);
    }

    /// Brings a block of a tile's sums into a row of the output, from `first` on, as far as it goes.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn write(&self, sums: &[Pair; TILE], block: usize, first: usize, row: &mut [u8]) {
        let zero = _mm512_set1_epi16(i16::from(self.zero[1]));
        for (x, sums) in (first..).zip(sums) {
            let at = x * self.channels + self.blocks[block];
            if let Some(cell) = row.get_mut(at..at + BLOCK) {
                cell.copy_from_slice(&written(*sums, self.scales[block], zero));
            }
        }
    }

    /// Sums of a tile in a pair of rows, whose first output sees the columns from `first` on.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn tile<const SIDE: usize, const STRIDE: usize>(
        &self,
        seen: &[Columns; QUADS],
        first: usize,
        block: usize,
    ) -> [[Pair; TILE]; PAIR] {
        let each = quads(SIDE, STRIDE) * SIDE * PAIR;
        let kernels = &self.kernels[block * each..][..each];
        let mut sums = [[self.starts[block]; TILE]; PAIR];
        for (quad, seen) in seen.iter().enumerate().take(quads(SIDE, STRIDE)) {
            let seen = &seen[first..][..(TILE - 1) * STRIDE + SIDE];
            for (x, column) in seen.iter().enumerate() {
                for (output, sums) in sums.iter_mut().enumerate() {
                    let rows = output * STRIDE..output * STRIDE + SIDE;
                    if QUAD * quad >= rows.end || QUAD * (quad + 1) <= rows.start {
                        continue;
                    }
                    for (t, sum) in sums.iter_mut().enumerate() {
                        if x >= t * STRIDE && x - t * STRIDE < SIDE {
                            let kernel = (quad * SIDE + x - t * STRIDE) * PAIR + output;
                            for (register, sum) in sum.iter_mut().enumerate() {
                                *sum = _mm512_dpbusd_epi32(
                                    *sum,
                                    column[register],
                                    kernels[kernel][register],
                                );
                            }
                        }
                    }
                }
            }
        }
        sums
    }
}

/// How many quads of rows a pair of outputs sees.
const fn quads(side: usize, stride: usize) -> usize {
    (side + stride).div_ceil(QUAD)
}

/// Columns of a quad of rows. The first begins `start` bytes into the rows, the next ones `channels` bytes on each.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
fn interleave(rows: &Rows, start: usize, channels: usize, columns: &mut [Pair]) {
    // Of one length, so that one check of bounds does for the four.
    let length = rows[0].len();
    let [a, b, c, d] = *rows;
    let [a, b, c, d] = [&a[..length], &b[..length], &c[..length], &d[..length]];
    let mut at = start;
    for column in columns {
        let cell = at..at + BLOCK;
        let (a, b) = (read(&a[cell.clone()]), read(&b[cell.clone()]));
        let (c, d) = (read(&c[cell.clone()]), read(&d[cell]));
        let (low, high) = (_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b));
        let (below, above) = (_mm256_unpacklo_epi8(c, d), _mm256_unpackhi_epi8(c, d));
        let (first, second) = (
            _mm256_unpacklo_epi16(low, below),
            _mm256_unpackhi_epi16(low, below),
        );
        let (third, fourth) = (
            _mm256_unpacklo_epi16(high, above),
            _mm256_unpackhi_epi16(high, above),
        );
        *column = [
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(first), second),
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(third), fourth),
        ];
        at += channels;
    }
}

#[inline]
fn read(block: &[u8]) -> __m256i {
    bytemuck::cast(*block.first_chunk::<BLOCK>().expect("a block of channels"))
}

/// A block's bytes of its sums: times what one counts, rounded half to even, as ONNX Runtime does.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
fn written(sums: Pair, scale: Pair<__m512>, zero: __m512i) -> [u8; BLOCK] {
    let low = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sums[0]), scale[0]));
    let high = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sums[1]), scale[1]));
    let words = _mm512_adds_epi16(_mm512_packs_epi32(low, high), zero);
    let bytes = _mm512_packus_epi16(words, words);
    let order = bytemuck::cast([0_i32, 8, 1, 9, 4, 12, 5, 13, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytemuck::cast(_mm512_castsi512_si256(_mm512_permutexvar_epi32(
        order, bytes,
    )))
}
