//! What a convolution's kernels make of the windows that its outputs see, all channels of a window added up.

use std::arch::x86_64::{__m512i, _mm512_dpbusd_epi32, _mm512_set1_epi32};
use std::array;

use super::layer::Layer;
use super::rounding::{FOUR, LANES, Rounding};

/// Bytes that one instruction adds up.
pub const WORD: usize = 4;
/// Outputs come in so many.
const HALF: usize = LANES / 2;
/// The most blocks of 16 outputs.
const BLOCKS: usize = 4;

/// A layer's kernels, laid out for the processor.
pub struct Product {
    /// Channels that it sees.
    pub channels: usize,
    pub outputs: usize,
    /// Words of a row of a window.
    words: usize,
    /// [row][word][block of outputs]
    kernels: Vec<__m512i>,
    /// Each block's sums before anything is added up, and how they become bytes.
    starts: Vec<__m512i>,
    roundings: Vec<Rounding>,
}

/// Where in the picture, or in rows of it, the windows of four outputs begin.
pub type Windows<'a> = [&'a [u8]; FOUR];
/// Sums of `N` blocks of outputs, of four windows each.
pub type Sums<const N: usize> = [[__m512i; FOUR]; N];

impl Product {
    /// None where the layer is of a kind that is not computed here.
    pub fn new(layer: &Layer) -> Option<Self> {
        let channels = layer.depth()?;
        let (side, outputs) = (layer.window.side, layer.bias.len());
        let blocks = outputs.div_ceil(LANES);
        let is_known = channels.is_multiple_of(WORD) && outputs.is_multiple_of(HALF);
        if blocks > BLOCKS || !is_known {
            return None;
        }
        let of_output: Vec<&[i8]> = layer.kernel.chunks_exact(channels * side * side).collect();
        let words = side * channels / WORD;
        let mut kernels = Vec::with_capacity(side * words * blocks);
        for row in 0..side {
            for word in 0..words {
                for block in 0..blocks {
                    let byte = |k: usize| {
                        let within = WORD * word + k % WORD;
                        let (column, channel) = (within / channels, within % channels);
                        let kernel = of_output.get(LANES * block + k / WORD);
                        kernel.map_or(0, |k| k[(channel * side + row) * side + column])
                    };
                    let bytes: [i8; WORD * LANES] = array::from_fn(byte);
                    kernels.push(bytemuck::cast(bytes));
                }
            }
        }
        let (starts, roundings) = layer.blocks();
        Some(Self {
            channels,
            outputs,
            words,
            kernels,
            starts,
            roundings,
        })
    }

    pub fn blocks(&self) -> usize {
        self.starts.len()
    }

    pub fn rounding(&self, block: usize) -> Rounding {
        self.roundings[block]
    }

    /// Sums of four windows, whose rows are `length` bytes apart.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    pub fn sums<const N: usize>(&self, windows: Windows, length: usize) -> Sums<N> {
        let starts: &[__m512i; N] = self.starts.first_chunk().expect("a start a block");
        let mut sums = [[starts[0]; FOUR]; N];
        for (sums, start) in sums.iter_mut().zip(starts) {
            *sums = [*start; FOUR];
        }
        let words = self.words;
        let (kernels, _) = self.kernels.as_chunks::<N>();
        for (row, kernels) in kernels.chunks_exact(words).enumerate() {
            let [a, b, c, d] = windows;
            let from = row * length;
            let [a, b, c, d] = [
                a[from..].as_chunks::<WORD>().0,
                b[from..].as_chunks::<WORD>().0,
                c[from..].as_chunks::<WORD>().0,
                d[from..].as_chunks::<WORD>().0,
            ];
            let [a, b, c, d] = [&a[..words], &b[..words], &c[..words], &d[..words]];
            for (word, kernels) in kernels.iter().enumerate() {
                let bytes = [a[word], b[word], c[word], d[word]];
                for (k, bytes) in bytes.into_iter().enumerate() {
                    let bytes = _mm512_set1_epi32(i32::from_le_bytes(bytes));
                    for (sums, kernel) in sums.iter_mut().zip(kernels) {
                        sums[k] = _mm512_dpbusd_epi32(sums[k], bytes, *kernel);
                    }
                }
            }
        }
        sums
    }

    /// Brings what four windows' sums are into the output, at these of its cells.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    pub fn write<const N: usize>(&self, sums: &Sums<N>, cells: &[usize], out: &mut [u8]) {
        for (block, sums) in sums.iter().enumerate() {
            let first = block * LANES;
            let is_whole = first + LANES <= self.outputs;
            for (cell, bytes) in cells.iter().zip(self.rounding(block).bytes(*sums)) {
                let out = &mut out[cell * self.outputs..][first..self.outputs];
                // Of lengths that the compiler knows.
                if is_whole {
                    out[..LANES].copy_from_slice(&bytes);
                } else {
                    out[..HALF].copy_from_slice(&bytes[..HALF]);
                }
            }
        }
    }
}
