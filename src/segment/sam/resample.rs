//! Scaling as the SAM pipelines do it: Pillow's `BILINEAR` to the last bit, or torch's antialiased
//! bilinear, which is the same without rounding.
//!
//! A resizing crate rounds its weights more coarsely; a network with a sharp edge shows that.

use rayon::prelude::*;

use crate::core::geometry::Size;
use crate::core::image::Image;
use crate::segment::{Cancel, Result};

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

impl Rounding {
    /// A weight as the passes use it.
    fn weight(self, weight: f64) -> f64 {
        let unit = f64::from(1u32 << BITS);
        match self {
            Self::Bytes => (weight * unit + 0.5).floor() / unit,
            Self::Never => weight,
        }
    }

    /// What a pass makes of a sum. Sums of bytes are exact: they have fewer bits than an f64.
    fn value(self, sum: f64) -> f32 {
        match self {
            Self::Bytes => f32::from((sum + 0.5) as u8),
            Self::Never => sum as f32,
        }
    }
}

/// The picture's RGB, 0 to 255, scaled with a triangle filter that widens where it shrinks.
///
/// # Errors
/// `Cancelled`, within a row.
pub fn scaled(image: &Image, to: Size, rounding: Rounding, cancel: &Cancel) -> Result<Vec<f32>> {
    let from = image.size();
    if from == to {
        return Ok(image.pixels().iter().map(|b| f32::from(*b)).collect());
    }
    let columns = weights(from.width, to.width, rounding);
    let rows = weights(from.height, to.height, rounding);
    let narrow = 3 * to.width as usize;
    let mut across = vec![0.0; narrow * from.height as usize];
    across
        .par_chunks_mut(narrow)
        .enumerate()
        .try_for_each(|(y, out)| {
            cancel.check()?;
            let row = image.row(y as u32).as_chunks::<3>().0;
            for (rgb, taps) in out.as_chunks_mut::<3>().0.iter_mut().zip(&columns) {
                let mut sums = [0.0; 3];
                for (pixel, weight) in row[taps.first..].iter().zip(&taps.weights) {
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum += f64::from(*value) * weight;
                    }
                }
                *rgb = sums.map(|sum| rounding.value(sum));
            }
            Ok(())
        })?;
    let mut out = vec![0.0; narrow * to.height as usize];
    out.par_chunks_mut(narrow)
        .zip(&rows)
        .try_for_each(|(out, taps)| {
            cancel.check()?;
            // Row by row, along memory.
            let mut sums = vec![0.0; narrow];
            let above = across[taps.first * narrow..].chunks_exact(narrow);
            for (row, weight) in above.zip(&taps.weights) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += f64::from(*value) * weight;
                }
            }
            for (value, sum) in out.iter_mut().zip(sums) {
                *value = rounding.value(sum);
            }
            Ok(())
        })?;
    Ok(out)
}

/// Source pixels from `first` on, with their weights.
#[derive(Debug)]
struct Taps {
    first: usize,
    weights: Vec<f64>,
}

/// The taps of each target pixel along one axis, after Pillow's `precompute_coeffs`.
fn weights(from: u32, to: u32, rounding: Rounding) -> Vec<Taps> {
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
        let weights = raw.iter().map(|w| rounding.weight(w / sum)).collect();
        Taps { first, weights }
    });
    taps.collect()
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
        let ours = scaled(&image, Size::new(5, 2), Rounding::Bytes, &Cancel::default());
        let ours = ours.expect("nobody cancelled");
        let first: Vec<f32> = ours.iter().step_by(3).copied().collect();
        assert_eq!(first, PILLOW.concat());
    }
}
