//! What a layer of the network is.

use std::arch::x86_64::__m512i;

use super::rounding::{LANES, Rounding};

/// A convolution of bytes, as the file holds it.
pub struct Layer<'a> {
    /// [outputs, inputs of each, side, side]
    pub kernel: &'a [i8],
    /// [outputs]
    pub bias: &'a [i32],
    /// What one of a sum counts in the output, [outputs].
    pub scale: &'a [f32],
    pub window: Window,
    /// The bytes that stand for none, of what goes in and of what comes out.
    pub zero: [u8; 2],
}

/// What of a picture the outputs of a convolution see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub side: usize,
    pub stride: usize,
    /// So many cells beside the picture the first and the last output see at most.
    pub padding: [usize; 2],
}

impl Window {
    /// An output's own cell alone.
    pub const CELL: Self = Self {
        side: 1,
        stride: 1,
        padding: [0; 2],
    };

    /// How many outputs there are along a side of the picture.
    pub const fn outputs(self, length: usize) -> usize {
        let [before, after] = self.padding;
        (before + length + after).saturating_sub(self.side) / self.stride + 1
    }
}

/// A picture of bytes, [height, width, channels].
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

/// Rows of what a layer makes.
pub struct Rows<'a> {
    /// Which row the first is.
    pub first: usize,
    /// How many outputs each has.
    pub across: usize,
    pub out: &'a mut [u8],
}

impl Layer<'_> {
    /// How many channels an output sees; none where the layer's parts do not fit each other, or an output sees nothing of
    /// the picture.
    pub fn depth(&self) -> Option<usize> {
        let (outputs, side) = (self.bias.len(), self.window.side);
        let depth = self.kernel.len().checked_div(outputs * side * side)?;
        let is_whole = depth > 0
            && self.kernel.len() == outputs * depth * side * side
            && self.scale.len() == outputs;
        let is_known =
            self.window.stride > 0 && self.window.padding.iter().all(|cells| *cells < side);
        (is_whole && is_known).then_some(depth)
    }

    /// The sums before anything is added up. What is beside the picture is the byte that stands for none, so every sum
    /// holds as much of it.
    pub fn starts(&self) -> Vec<i32> {
        let each = self.kernel.len() / self.bias.len();
        let start = |(bias, kernel): (&i32, &[i8])| {
            let all: i32 = kernel.iter().map(|k| i32::from(*k)).sum();
            bias - i32::from(self.zero[0]) * all
        };
        let kernels = self.kernel.chunks_exact(each);
        self.bias.iter().zip(kernels).map(start).collect()
    }

    /// The same in registers, and how sums become bytes: a block of outputs each, the last one filled up.
    pub fn blocks(&self) -> (Vec<__m512i>, Vec<Rounding>) {
        let (mut starts, mut scales) = (self.starts(), self.scale.to_vec());
        let filled = starts.len().next_multiple_of(LANES);
        starts.resize(filled, 0);
        scales.resize(filled, 0.0);
        let (starts, _) = starts.as_chunks::<LANES>();
        let (scales, _) = scales.as_chunks::<LANES>();
        let rounding = |scale: &[f32; LANES]| Rounding {
            scale: bytemuck::cast(*scale),
            zero: self.zero[1],
        };
        (
            starts.iter().map(|block| bytemuck::cast(*block)).collect(),
            scales.iter().map(rounding).collect(),
        )
    }
}
