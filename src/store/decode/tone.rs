//! From more than 8 bits, floating point and transparency to RGB8.

use image::{DynamicImage, RgbImage, RgbaImage};

use super::Depth;
use super::range::{Range, Values, Window};

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
        DynamicImage::ImageLuma16(grey) => {
            windowed(width, height, &Values::Words(grey.into_raw()), 1, window)
        }
        DynamicImage::ImageRgb16(rgb) => {
            windowed(width, height, &Values::Words(rgb.into_raw()), 3, window)
        }
        DynamicImage::ImageRgb32F(rgb) => {
            windowed(width, height, &Values::Floats(rgb.into_raw()), 3, window)
        }
        DynamicImage::ImageLumaA8(_)
        | DynamicImage::ImageRgba8(_)
        | DynamicImage::ImageLumaA16(_)
        | DynamicImage::ImageRgba16(_)
        | DynamicImage::ImageRgba32F(_) => over_grey_all(picture.into_rgba8()),
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

fn windowed(w: u32, h: u32, values: &Values, shown: usize, window: Window) -> RgbImage {
    let range = Range::of(values, window);
    let bytes: Vec<u8> = range.pixels(values, shown).flatten().collect();
    RgbImage::from_raw(w, h, bytes).expect("a value, or three, a pixel")
}

fn over_grey_all(rgba: RgbaImage) -> RgbImage {
    let (width, height) = rgba.dimensions();
    let rgb = narrowed(rgba.into_raw(), |from, to| {
        let (pixels, _) = to.as_chunks_mut::<3>();
        for (to, [r, g, b, a]) in pixels.iter_mut().zip(from.as_chunks::<4>().0) {
            *to = over_grey([*r, *g, *b], *a);
        }
    });
    RgbImage::from_raw(width, height, rgb).expect("3 bytes a pixel")
}

/// What is transparent lets grey through.
pub fn over_grey(colour: [u8; 3], alpha: u8) -> [u8; 3] {
    const GREY: u32 = 128;
    let alpha = u32::from(alpha);
    colour.map(|c| ((u32::from(c) * alpha + GREY * (255 - alpha) + 127) / 255) as u8)
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
