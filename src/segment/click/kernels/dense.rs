//! Convolution of bytes, channels last, for pictures that are mostly alike from cell to cell, as a prompt is: where a
//! kernel sees what it saw at the output before, the outputs are the same.

use std::arch::x86_64::{
    __m512, __m512i, _mm512_add_epi32, _mm512_cvtepi32_ps, _mm512_cvtps_epi32,
    _mm512_cvtusepi32_epi8, _mm512_dpbusd_epi32, _mm512_max_epi32, _mm512_mul_ps,
    _mm512_set1_epi32, _mm512_setzero_si512,
};
use std::array;

use super::layer::{Extent, Layer, Window};

/// Channels of the output in a register.
const LANES: usize = 16;
/// Bytes that one instruction adds up.
const WORD: usize = 4;
/// Bytes that are compared at once.
const EIGHT: usize = 8;
/// Outputs that are made at once.
const TILE: usize = 4;
/// The most registers of an output.
const BLOCKS: usize = 4;

/// A layer, laid out for the processor.
pub struct Dense {
    window: Window,
    zero: [u8; 2],
    channels: usize,
    outputs: usize,
    /// [row][word of the row's bytes][block of outputs]
    kernels: Vec<__m512i>,
    /// Each block's sums before anything is added up, and what one counts.
    starts: Vec<__m512i>,
    scales: Vec<__m512>,
}

impl Dense {
    /// None where the layer is of a kind that is not computed here.
    pub fn new(layer: &Layer) -> Option<Self> {
        let channels = layer.depth()?;
        let &Layer { window, zero, .. } = layer;
        let side = window.side;
        let outputs = layer.bias.len();
        let blocks = outputs.div_ceil(LANES);
        if blocks > BLOCKS || !channels.is_multiple_of(EIGHT) {
            return None;
        }
        let of_output: Vec<&[i8]> = layer.kernel.chunks_exact(channels * side * side).collect();
        let mut kernels = Vec::new();
        for row in 0..side {
            for word in 0..side * channels / WORD {
                for block in 0..blocks {
                    let byte = |at: usize| {
                        let within = WORD * word + at % WORD;
                        let (column, channel) = (within / channels, within % channels);
                        let kernel = of_output.get(LANES * block + at / WORD);
                        kernel.map_or(0, |k| k[(channel * side + row) * side + column])
                    };
                    let bytes: [i8; WORD * LANES] = array::from_fn(byte);
                    kernels.push(bytemuck::cast(bytes));
                }
            }
        }
        let mut starts = layer.starts();
        let mut scales = layer.scale.to_vec();
        starts.resize(blocks * LANES, 0);
        scales.resize(blocks * LANES, 0.0);
        let (starts, _) = starts.as_chunks::<LANES>();
        let (scales, _) = scales.as_chunks::<LANES>();
        Some(Self {
            window,
            zero,
            channels,
            outputs,
            kernels,
            starts: starts.iter().map(|s| bytemuck::cast(*s)).collect(),
            scales: scales.iter().map(|s| bytemuck::cast(*s)).collect(),
        })
    }

    /// Channels that it sees and that it makes.
    pub fn channels(&self) -> [usize; 2] {
        [self.channels, self.outputs]
    }

    /// Rows of the output, `across` outputs each, from the row `first` on.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn rows(&self, input: &[u8], extent: Extent, first: usize, across: usize, out: &mut [u8]) {
        match self.starts.len() {
            1 => self.rows_of::<1>(input, extent, first, across, out),
            2 => self.rows_of::<2>(input, extent, first, across, out),
            3 => self.rows_of::<3>(input, extent, first, across, out),
            _ => self.rows_of::<BLOCKS>(input, extent, first, across, out),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn rows_of<const N: usize>(
        &self,
        input: &[u8],
        extent: Extent,
        first: usize,
        across: usize,
        out: &mut [u8],
    ) {
        let (channels, step) = (self.channels, self.window.stride * self.channels);
        let length = (across - 1) * step + self.window.side * channels;
        let [padding, _] = self.window.padding;
        let left = padding * channels;
        let inside = (extent.width * channels).min(length - left);
        let mut seen = vec![self.zero[0]; self.window.side * length];
        let mut change = vec![0; length];
        let mut places = Vec::with_capacity(across);
        for (y, out) in (first..).zip(out.chunks_exact_mut(across * self.outputs)) {
            change.fill(0);
            for (row, seen) in seen.chunks_exact_mut(length).enumerate() {
                let row = (y * self.window.stride + row).checked_sub(padding);
                let seen_inside = &mut seen[left..][..inside];
                match row.filter(|row| *row < extent.height) {
                    Some(row) => seen_inside
                        .copy_from_slice(&input[row * extent.width * channels..][..inside]),
                    None => seen_inside.fill(self.zero[0]),
                }
                let on = step.min(length);
                let pairs = seen[on..].iter().zip(&*seen);
                for (change, (now, before)) in change[on..].iter_mut().zip(pairs) {
                    *change |= now ^ before;
                }
            }
            self.list_fresh(&change, across, &mut places);
            for places in places.chunks(TILE) {
                let mut windows = [&seen[places[0] * step..]; TILE];
                for (window, place) in windows.iter_mut().zip(places) {
                    *window = &seen[place * step..];
                }
                let sums = self.tile::<N>(windows, length);
                for (x, sums) in places.iter().zip(&sums) {
                    for (block, sums) in sums.iter().enumerate() {
                        let bytes = rounded(*sums, self.scales[block], self.zero[1]);
                        // What is too much is written over by the next output.
                        let out = &mut out[x * self.outputs + block * LANES..];
                        match out.first_chunk_mut() {
                            Some(cell) => *cell = bytes,
                            None => out.copy_from_slice(&bytes[..out.len()]),
                        }
                    }
                }
            }
            let ends = places.iter().skip(1).copied().chain([across]);
            for (from, to) in places.iter().zip(ends) {
                repeat(
                    &mut out[from * self.outputs..to * self.outputs],
                    self.outputs,
                );
            }
        }
    }

    /// The outputs that do not see what the one before them sees. `change` holds how each byte of the rows differs from
    /// the one that the output before sees.
    fn list_fresh(&self, change: &[u8], across: usize, places: &mut Vec<usize>) {
        places.clear();
        places.push(0);
        let (words, _) = change.as_chunks();
        let is_changed = |words: &[[u8; EIGHT]]| {
            words
                .iter()
                .fold(0, |all, word| all | u64::from_ne_bytes(*word))
                != 0
        };
        if !is_changed(words) {
            return;
        }
        let mut cells = words.chunks_exact(self.channels / EIGHT);
        let mut alike = 0;
        for x in 0..across {
            for cell in cells.by_ref().take(if x == 0 {
                self.window.side
            } else {
                self.window.stride
            }) {
                alike = if is_changed(cell) { 0 } else { alike + 1 };
            }
            if x > 0 && alike < self.window.side {
                places.push(x);
            }
        }
    }

    /// Sums of outputs, each told where the first row that it sees begins; rows are `length` bytes apart.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn tile<const N: usize>(&self, windows: [&[u8]; TILE], length: usize) -> [[__m512i; N]; TILE] {
        let starts: &[__m512i; N] = self.starts.first_chunk().expect("a start a block");
        let mut sums = [*starts; TILE];
        let words = self.window.side * self.channels / WORD;
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
                for (sums, bytes) in sums.iter_mut().zip([a[word], b[word], c[word], d[word]]) {
                    let bytes = _mm512_set1_epi32(i32::from_le_bytes(bytes));
                    for (sum, kernel) in sums.iter_mut().zip(kernels) {
                        *sum = _mm512_dpbusd_epi32(*sum, bytes, *kernel);
                    }
                }
            }
        }
        sums
    }
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

/// Bytes of sums: times what one counts, rounded half to even, as ONNX Runtime does.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
fn rounded(sums: __m512i, scale: __m512, zero: u8) -> [u8; LANES] {
    let values = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale));
    let values = _mm512_add_epi32(values, _mm512_set1_epi32(i32::from(zero)));
    let values = _mm512_max_epi32(values, _mm512_setzero_si512());
    bytemuck::cast(_mm512_cvtusepi32_epi8(values))
}
