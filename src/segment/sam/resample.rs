//! Scaling as the SAM pipelines do it: Pillow's `BILINEAR` to the last bit, or torch's antialiased
//! bilinear, which is the same without rounding.
//!
//! A resizing crate rounds its weights more coarsely; a network with a sharp edge shows that.

use rayon::prelude::*;

use crate::core::geometry::Size;
use crate::core::image::Image;

/// Pillow's fixed point: weights have 22 bits after the point.
const BITS: u32 = 32 - 8 - 2;

/// Whether the values between and after the two passes are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// As Pillow does with pictures.
    Bytes,
    /// As torch does with tensors.
    Never,
}

/// The picture's RGB, 0 to 255, scaled with a triangle filter that widens where it shrinks.
pub fn scaled(image: &Image, to: Size, rounding: Rounding) -> Vec<f32> {
    let from = image.size();
    if from == to {
        return image.pixels().iter().map(|b| f32::from(*b)).collect();
    }
    let columns = Weights::of(from.width, to.width);
    let rows = Weights::of(from.height, to.height);
    let narrow = 3 * to.width as usize;
    let mut across = vec![0.0; narrow * from.height as usize];
    across
        .par_chunks_mut(narrow)
        .enumerate()
        .for_each(|(y, out)| {
            let row = image.row(y as u32).as_chunks::<3>().0;
            for (rgb, taps) in out.as_chunks_mut::<3>().0.iter_mut().zip(&columns.taps) {
                let pixels = &row[taps.first..][..taps.exact.len()];
                *rgb = std::array::from_fn(|k| {
                    taps.sum(pixels.iter().map(|p| f32::from(p[k])), rounding)
                });
            }
        });
    let mut out = vec![0.0; narrow * to.height as usize];
    out.par_chunks_mut(narrow)
        .zip(&rows.taps)
        .for_each(|(out, taps)| {
            let above = &across[taps.first * narrow..][..taps.exact.len() * narrow];
            for (x, value) in out.iter_mut().enumerate() {
                *value = taps.sum(above.iter().skip(x).step_by(narrow).copied(), rounding);
            }
        });
    out
}

/// The weights of each target pixel along one axis.
#[derive(Debug)]
struct Weights {
    taps: Vec<Taps>,
}

/// Source pixels from `first` on, with their weights.
#[derive(Debug)]
struct Taps {
    first: usize,
    exact: Vec<f32>,
    fixed: Vec<i64>,
}

impl Weights {
    /// After Pillow's `precompute_coeffs`.
    fn of(from: u32, to: u32) -> Self {
        let scale = f64::from(from) / f64::from(to);
        let support = scale.max(1.0);
        let taps = (0..to).map(|i| {
            let centre = (f64::from(i) + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5) as usize).min(from as usize);
            let raw: Vec<f64> = (first..end)
                .map(|x| (1.0 - ((x as f64 + 0.5 - centre) / support).abs()).max(0.0))
                .collect();
            let sum: f64 = raw.iter().sum();
            Taps {
                first,
                exact: raw.iter().map(|w| (w / sum) as f32).collect(),
                fixed: raw
                    .iter()
                    .map(|w| (w / sum * f64::from(1u32 << BITS) + 0.5) as i64)
                    .collect(),
            }
        });
        Self {
            taps: taps.collect(),
        }
    }
}

impl Taps {
    fn sum(&self, values: impl Iterator<Item = f32>, rounding: Rounding) -> f32 {
        match rounding {
            Rounding::Never => values.zip(&self.exact).map(|(v, w)| v * w).sum(),
            Rounding::Bytes => {
                let products = values.zip(&self.fixed).map(|(v, w)| v as i64 * w);
                let sum = products.sum::<i64>() + (1 << (BITS - 1));
                (sum >> BITS).clamp(0, 255) as f32
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Image.fromarray(a).resize((5, 2), Image.Resampling.BILINEAR)` of Pillow 13.0.0 for
    /// `a[y, x, c] = (37 * x + 91 * y + 53 * c) % 256`, 3 rows of 4 pixels; the first channel.
    const PILLOW: [[f32; 5]; 2] = [
        [34.0, 60.0, 90.0, 119.0, 145.0],
        [148.0, 174.0, 124.0, 73.0, 99.0],
    ];

    #[test]
    fn scaling_is_pillows() {
        let size = Size::new(4, 3);
        let pixels = (0..36)
            .map(|i| ((37 * (i / 3 % 4) + 91 * (i / 12) + 53 * (i % 3)) % 256) as u8)
            .collect();
        let image = Image::from_rgb(size, pixels);
        let ours = scaled(&image, Size::new(5, 2), Rounding::Bytes);
        let first: Vec<f32> = ours.iter().step_by(3).copied().collect();
        assert_eq!(first, PILLOW.concat());
    }
}
