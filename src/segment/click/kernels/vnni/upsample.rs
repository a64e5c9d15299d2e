//! Pictures of bytes, channels last, made twice as large, bilinear between the cells' middles, and added to others. The
//! steps are ONNX Runtime's, in its order, so that ties are rounded as it rounds them.

use std::arch::x86_64::{__m512, _mm512_setzero_ps};

use super::layer::Extent;
use super::rounding::{FOUR, LANES, together};

/// Channels come in so many: two cells fill the registers that become bytes at once.
pub const CHANNELS: usize = LANES * FOUR / 2;

/// How bytes are made of bytes.
pub struct UpsampleAdd {
    pub small: Level,
    pub large: Level,
    /// What is added, and the sum.
    pub other: Level,
    pub sum: Level,
}

/// What a byte counts.
#[derive(Clone, Copy)]
pub struct Level {
    pub scale: f32,
    /// The byte that stands for none.
    pub zero: u8,
}

/// The two cells of a small side that a cell of the large one lies between, and how much of each it is.
struct Between {
    cells: [usize; 2],
    parts: [f32; 2],
}

impl Between {
    fn new(at: usize, length: usize) -> Self {
        let (low, last) = (at.div_ceil(2), length - 1);
        let (cells, parts) = match at {
            _ if low > last || last == 0 => ([last; 2], [0.5; 2]),
            0 => ([0, 1], [1.0, 0.0]),
            _ if at.is_multiple_of(2) => ([low - 1, low], [0.25, 0.75]),
            _ => ([low - 1, low], [0.75, 0.25]),
        };
        Self { cells, parts }
    }

    /// The same of a block of the cells' channels.
    fn of_block(self, block: usize, blocks: usize) -> Self {
        Self {
            cells: self.cells.map(|cell| cell * blocks + block),
            ..self
        }
    }
}

impl UpsampleAdd {
    /// Rows of the sum from the row `first` on. The channels are some times `CHANNELS`.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub fn rows(&self, small: &[u8], extent: Extent, other: &[u8], first: usize, out: &mut [u8]) {
        let Extent {
            height,
            width,
            channels,
        } = extent;
        let (length, blocks) = (width * channels, channels / LANES);
        let across: Vec<Between> = (0..2 * width * blocks)
            .map(|at| Between::new(at / blocks, width).of_block(at % blocks, blocks))
            .collect();
        let mut lines = [vec![0.0; length], vec![0.0; length]];
        let mut known = [usize::MAX; 2];
        let rows = out.chunks_exact_mut(2 * length);
        let others = other.chunks_exact(2 * length).skip(first);
        for (y, (out, other)) in (first..).zip(rows.zip(others)) {
            let down = Between::new(y, height);
            if known[1] == down.cells[0] {
                known.swap(0, 1);
                lines.swap(0, 1);
            }
            for ((line, known), row) in lines.iter_mut().zip(&mut known).zip(down.cells) {
                if *known != row {
                    self.small.value(&small[row * length..][..length], line);
                    *known = row;
                }
            }
            let [upper, lower] = [&lines[0], &lines[1]].map(|line| line.as_chunks().0);
            let (out, _) = out.as_chunks_mut();
            let others = other.chunks_exact(LANES * FOUR);
            for (four, (out, others)) in out.iter_mut().zip(others).enumerate() {
                let (others, _) = others.as_chunks();
                let mut sums = [_mm512_setzero_ps(); FOUR];
                for (k, (sum, other)) in sums.iter_mut().zip(others).enumerate() {
                    let between = &across[FOUR * four + k];
                    let [left, right] = between.cells;
                    let corners = [&upper[left], &upper[right], &lower[left], &lower[right]];
                    let ([left, right], [up, low]) = (between.parts, down.parts);
                    let parts = [left * up, right * up, left * low, right * low];
                    *sum = self.sums(corners, parts, other);
                }
                *out = together(sums);
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn sums(&self, corners: [&[f32; LANES]; 4], parts: [f32; 4], other: &[u8; LANES]) -> __m512 {
        let [a, b, c, d] = corners;
        let large = f32::from(self.large.zero);
        let [of_large, of_other] = [self.large, self.other].map(|l| l.scale / self.sum.scale);
        let zeros = of_large * large + of_other * f32::from(self.other.zero);
        let start = f32::from(self.sum.zero) - zeros;
        let mut sums = [0.0; LANES];
        for k in 0..LANES {
            let value = parts[0] * a[k] + parts[1] * b[k] + parts[2] * c[k] + parts[3] * d[k];
            let byte = (value / self.large.scale).round_ties_even() + large;
            let byte = byte.clamp(0.0, 255.0);
            sums[k] = f32::from(other[k]).mul_add(of_other, byte.mul_add(of_large, start));
        }
        bytemuck::cast(sums)
    }
}

impl Level {
    /// What bytes count.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn value(self, bytes: &[u8], values: &mut [f32]) {
        for (value, byte) in values.iter_mut().zip(bytes) {
            *value = (f32::from(*byte) - f32::from(self.zero)) * self.scale;
        }
    }
}
