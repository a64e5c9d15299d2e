//! From more than 8 bits, floating point and transparency to RGB8.

use image::{DynamicImage, RgbImage, RgbaImage};
use rayon::prelude::*;

use super::Depth;

/// Which values become black and white, as percentiles of the picture's own values: scientific
/// images use a part of their range only, and a plain division would show black.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Percent of the values that may be black.
    pub low: f64,
    /// Percent below which values are not white.
    pub high: f64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            low: 0.5,
            high: 99.5,
        }
    }
}

/// Whether the window changes what is shown of a picture.
pub fn depth(picture: &DynamicImage) -> Depth {
    match picture {
        DynamicImage::ImageLuma16(_)
        | DynamicImage::ImageRgb16(_)
        | DynamicImage::ImageRgb32F(_) => Depth::More,
        _ => Depth::Bytes,
    }
}

/// RGB8; values beyond 8 bits through the window, transparency over grey.
pub fn rgb(picture: DynamicImage, window: Window) -> RgbImage {
    let (width, height) = (picture.width(), picture.height());
    match picture {
        DynamicImage::ImageRgb8(rgb) => rgb,
        DynamicImage::ImageLuma16(grey) => grey_to_rgb(width, height, &words(&grey, window)),
        DynamicImage::ImageRgb16(rgb) => {
            let bytes = words(&rgb, window);
            RgbImage::from_raw(width, height, bytes).expect("a byte a value")
        }
        DynamicImage::ImageRgb32F(rgb) => {
            let bytes = floats(rgb.as_raw(), window);
            RgbImage::from_raw(width, height, bytes).expect("a byte a value")
        }
        DynamicImage::ImageLumaA8(_)
        | DynamicImage::ImageRgba8(_)
        | DynamicImage::ImageLumaA16(_)
        | DynamicImage::ImageRgba16(_)
        | DynamicImage::ImageRgba32F(_) => over_grey(picture.into_rgba8()),
        other => other.into_rgb8(),
    }
}

/// A picture of one byte a pixel as RGB.
pub fn grey_to_rgb(width: u32, height: u32, grey: &[u8]) -> RgbImage {
    let mut rgb = vec![0; 3 * grey.len()];
    for (to, from) in rgb.as_chunks_mut::<3>().0.iter_mut().zip(grey) {
        *to = [*from; 3];
    }
    RgbImage::from_raw(width, height, rgb).expect("a byte a pixel")
}

/// 16-bit values through the window.
fn words(values: &[u16], window: Window) -> Vec<u8> {
    let mut histogram = vec![0_u64; 1 << 16];
    for v in values {
        histogram[usize::from(*v)] += 1;
    }
    let passed = |percent: f64| (values.len() as f64 * percent / 100.0) as u64;
    let low = reached(0..=u16::MAX, &histogram, passed(window.low));
    let above = passed(100.0 - window.high);
    let high = reached((0..=u16::MAX).rev(), &histogram, above).max(low + 1);
    values
        .iter()
        .map(|v| ((usize::from(*v).clamp(low, high) - low) * 255 / (high - low)) as u8)
        .collect()
}

/// The first value with which more than `cut` pixels are passed.
fn reached(values: impl Iterator<Item = u16>, histogram: &[u64], cut: u64) -> usize {
    let mut seen = 0;
    let mut values = values.map(usize::from);
    let found = values.find(|v| {
        seen += histogram[*v];
        seen > cut
    });
    found.unwrap_or(0)
}

/// Values of any range through the window; what is no number becomes black.
pub fn floats(values: &[f32], window: Window) -> Vec<u8> {
    let mut finite: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
    let Some(last) = finite.len().checked_sub(1) else {
        return vec![0; values.len()];
    };
    let mut at = |percent: f64| {
        let place = (last as f64 * percent / 100.0).round() as usize;
        *finite
            .select_nth_unstable_by(place.min(last), f32::total_cmp)
            .1
    };
    let (low, high) = (at(window.low), at(window.high));
    // Where all values are one, what lies above it is white.
    let range = (f64::from(high) - f64::from(low)).max(f64::MIN_POSITIVE);
    let byte = |v: &f32| ((f64::from(*v) - f64::from(low)) / range * 255.0) as u8;
    values.par_iter().map(byte).collect()
}

fn over_grey(rgba: RgbaImage) -> RgbImage {
    const GREY: u32 = 128;
    let (width, height) = rgba.dimensions();
    let mix = |c: u8, alpha: u32| ((u32::from(c) * alpha + GREY * (255 - alpha) + 127) / 255) as u8;
    let rgb = narrowed(rgba.into_raw(), |from, to| {
        let (pixels, _) = to.as_chunks_mut::<3>();
        for (to, [r, g, b, a]) in pixels.iter_mut().zip(from.as_chunks::<4>().0) {
            *to = [*r, *g, *b].map(|c| mix(c, u32::from(*a)));
        }
    });
    RgbImage::from_raw(width, height, rgb).expect("3 bytes a pixel")
}

/// Makes three bytes of every four where they lie, a block at a time: a second copy of a large
/// picture would not fit.
pub fn narrowed(mut bytes: Vec<u8>, mut convert: impl FnMut(&[u8], &mut [u8])) -> Vec<u8> {
    const BLOCK: usize = 1 << 20;
    let pixels = bytes.len() / 4;
    let mut held = Vec::with_capacity(4 * BLOCK.min(pixels));
    for first in (0..pixels).step_by(BLOCK) {
        let end = (first + BLOCK).min(pixels);
        held.clear();
        held.extend_from_slice(&bytes[4 * first..4 * end]);
        convert(&held, &mut bytes[3 * first..3 * end]);
    }
    bytes.truncate(3 * pixels);
    bytes.shrink_to_fit();
    bytes
}
