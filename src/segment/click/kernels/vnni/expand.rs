//! Convolution of single cells to more channels, made for a depthwise one: four rows at once, laid out as that one reads
//! them, and never written out.

use std::arch::x86_64::{__m512i, _mm512_dpbusd_epi32, _mm512_set1_epi32, _mm512_shuffle_epi8};
use std::array;

use super::layer::{Layer, Window};
use super::product::WORD;
use super::rounding::{FOUR, LANES, Rounding, TURNED};

/// Cells of a row that are made at once.
const TILE: usize = 4;

/// A layer, laid out for the processor.
pub struct Expand {
    /// Channels that it sees.
    channels: usize,
    /// [block of outputs][word of a cell's bytes]
    kernels: Vec<__m512i>,
    /// Each block's sums before anything is added up, and how they become bytes.
    starts: Vec<__m512i>,
    roundings: Vec<Rounding>,
}

impl Expand {
    /// None where the layer is of a kind that is not computed here.
    pub fn new(layer: &Layer) -> Option<Self> {
        let channels = layer.depth()?;
        let outputs = layer.bias.len();
        let is_known = layer.window == Window::CELL
            && channels.is_multiple_of(WORD)
            && outputs.is_multiple_of(LANES);
        if !is_known {
            return None;
        }
        let (starts, roundings) = layer.blocks();
        let words = channels / WORD;
        let kernels = (0..outputs / LANES * words)
            .map(|at| {
                let (block, word) = (at / words, at % words);
                let byte = |k: usize| {
                    let output = block * LANES + k / WORD;
                    layer.kernel[output * channels + word * WORD + k % WORD]
                };
                let bytes: [i8; WORD * LANES] = array::from_fn(byte);
                bytemuck::cast(bytes)
            })
            .collect();
        Some(Self {
            channels,
            kernels,
            starts,
            roundings,
        })
    }

    /// Channels that it sees.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Channels that it makes.
    pub fn outputs(&self) -> usize {
        self.starts.len() * LANES
    }

    /// A block of channels of four rows, each channel's four bytes side by side.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    pub fn quad(&self, rows: [&[u8]; FOUR], block: usize, columns: &mut [__m512i]) {
        let words = self.channels / WORD;
        let kernels = &self.kernels[block * words..][..words];
        let (tiles, rest) = columns.as_chunks_mut::<TILE>();
        let across = tiles.len() * TILE;
        for (tile, columns) in tiles.iter_mut().enumerate() {
            self.cells(rows, tile * TILE, block, kernels, columns);
        }
        for (x, column) in (across..).zip(rest) {
            self.cells::<1>(rows, x, block, kernels, array::from_mut(column));
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn cells<const N: usize>(
        &self,
        rows: [&[u8]; FOUR],
        first: usize,
        block: usize,
        kernels: &[__m512i],
        columns: &mut [__m512i; N],
    ) {
        let words = self.channels / WORD;
        let from = first * self.channels;
        let mut sums = [[self.starts[block]; FOUR]; N];
        let [a, b, c, d] = rows;
        let [a, b, c, d] = [
            &a[from..].as_chunks::<WORD>().0[..N * words],
            &b[from..].as_chunks::<WORD>().0[..N * words],
            &c[from..].as_chunks::<WORD>().0[..N * words],
            &d[from..].as_chunks::<WORD>().0[..N * words],
        ];
        for (word, kernel) in kernels.iter().enumerate() {
            for (x, sums) in sums.iter_mut().enumerate() {
                let at = x * words + word;
                let bytes = [a[at], b[at], c[at], d[at]];
                for (sum, bytes) in sums.iter_mut().zip(bytes) {
                    let bytes = _mm512_set1_epi32(i32::from_le_bytes(bytes));
                    *sum = _mm512_dpbusd_epi32(*sum, bytes, *kernel);
                }
            }
        }
        let rounding = self.roundings[block];
        let turned = bytemuck::cast([TURNED; FOUR]);
        for (column, sums) in columns.iter_mut().zip(sums) {
            *column = _mm512_shuffle_epi8(rounding.mixed(sums), turned);
        }
    }
}
