//! Convolutions of single cells, and the sum of two.

use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_set1_ps};

use super::layer::{Layer, Window};
use super::product::{Product, Sums, Windows};
use super::rounding::{FOUR, LANES, rounded};
use super::upsample::Level;

/// A layer, laid out for the processor.
pub struct Pointwise {
    product: Product,
}

/// Four cells of a picture, or fewer, the last one again then.
fn windows(input: &[u8], first: usize, cells: usize, channels: usize) -> Windows<'_> {
    let mut windows = [&input[first * channels..]; FOUR];
    for (k, window) in windows.iter_mut().enumerate() {
        *window = &input[(first + k.min(cells - 1)) * channels..];
    }
    windows
}

impl Pointwise {
    /// None where the layer is of a kind that is not computed here.
    pub fn new(layer: &Layer) -> Option<Self> {
        let product = Product::new(layer)?;
        (layer.window == Window::CELL).then_some(Self { product })
    }

    /// Channels that it sees and that it makes.
    pub fn channels(&self) -> [usize; 2] {
        [self.product.channels, self.product.outputs]
    }

    /// The outputs of some cells.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn cells(&self, input: &[u8], out: &mut [u8]) {
        match self.product.blocks() {
            1 => self.cells_of::<1>(input, out),
            2 => self.cells_of::<2>(input, out),
            3 => self.cells_of::<3>(input, out),
            _ => self.cells_of::<4>(input, out),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn cells_of<const N: usize>(&self, input: &[u8], out: &mut [u8]) {
        let Product {
            channels, outputs, ..
        } = self.product;
        let all = out.len() / outputs;
        for first in (0..all).step_by(FOUR) {
            let cells = FOUR.min(all - first);
            let windows = windows(input, first, cells, channels);
            let sums: Sums<N> = self.product.sums(windows, 0);
            let out = &mut out[first * outputs..];
            self.product.write(&sums, &[0, 1, 2, 3][..cells], out);
        }
    }
}

/// The sum of what two layers make of two pictures.
pub struct ConvAdd {
    products: [Product; 2],
    /// How many of the sum's steps one of each is, and where the sum of none of both begins.
    parts: [f32; 2],
    start: f32,
}

impl ConvAdd {
    /// `made` and `sum` tell what bytes count. None where the layers are of a kind that is not computed here.
    pub fn new(layers: [&Layer; 2], made: [Level; 2], sum: Level) -> Option<Self> {
        let [a, b] = layers;
        let products = [Product::new(a)?, Product::new(b)?];
        let outputs = a.bias.len();
        let is_known = layers.iter().all(|layer| layer.window == Window::CELL)
            && outputs == b.bias.len()
            && outputs.is_multiple_of(LANES);
        let parts = made.map(|level| level.scale / sum.scale);
        let zeros = parts[0] * f32::from(made[0].zero) + parts[1] * f32::from(made[1].zero);
        is_known.then_some(Self {
            products,
            parts,
            start: f32::from(sum.zero) - zeros,
        })
    }

    /// Channels that it sees of each picture, and those that it makes.
    pub fn channels(&self) -> ([usize; 2], usize) {
        let [a, b] = &self.products;
        ([a.channels, b.channels], a.outputs)
    }

    /// The outputs of some cells.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn cells(&self, inputs: [&[u8]; 2], out: &mut [u8]) {
        match self.products[0].blocks() {
            1 => self.cells_of::<1>(inputs, out),
            2 => self.cells_of::<2>(inputs, out),
            3 => self.cells_of::<3>(inputs, out),
            _ => self.cells_of::<4>(inputs, out),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn cells_of<const N: usize>(&self, inputs: [&[u8]; 2], out: &mut [u8]) {
        let [a, b] = &self.products;
        let outputs = a.outputs;
        let all = out.len() / outputs;
        let start = _mm512_set1_ps(self.start);
        let (part_a, part_b) = (_mm512_set1_ps(self.parts[0]), _mm512_set1_ps(self.parts[1]));
        for first in (0..all).step_by(FOUR) {
            let cells = FOUR.min(all - first);
            let of_a: Sums<N> = a.sums(windows(inputs[0], first, cells, a.channels), 0);
            let of_b: Sums<N> = b.sums(windows(inputs[1], first, cells, b.channels), 0);
            for (block, (of_a, of_b)) in of_a.into_iter().zip(of_b).enumerate() {
                let (for_a, for_b) = (a.rounding(block), b.rounding(block));
                let mut values = [start; FOUR];
                for (k, value) in values.iter_mut().enumerate() {
                    *value = _mm512_fmadd_ps(for_a.values(of_a[k]), part_a, *value);
                    *value = _mm512_fmadd_ps(for_b.values(of_b[k]), part_b, *value);
                }
                let places = out[first * outputs..].chunks_exact_mut(outputs);
                for (place, bytes) in places.zip(rounded(values)) {
                    place[block * LANES..][..LANES].copy_from_slice(&bytes);
                }
            }
        }
    }
}
