//! Square crops of an image for a network: bilinear, or averaged where the crop shrinks.
//!
//! Equal to OpenCV's `resize` with `INTER_AREA` followed by `warpAffine` with `INTER_LINEAR`, but
//! only the pixels of the crop are looked at.

mod averaged;
mod bilinear;

use self::averaged::averaged;
use self::bilinear::bilinear;
use crate::core::image::Image;

/// A square of the picture: top left corner and side in image pixels. It may reach beyond the
/// picture, which is black there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Square {
    pub x: f64,
    pub y: f64,
    pub side: f64,
}

/// RGB bytes of a square, `size` x `size` pixels, row by row.
pub fn crop(image: &Image, square: Square, size: usize) -> Vec<u8> {
    let scale = square.side / size as f64;
    let (small, across, down) = image.at_scale(1.0 / scale);
    if small.size() != image.size() {
        let square = Square {
            x: square.x * across,
            y: square.y * down,
            side: square.side * across,
        };
        return crop(small, square, size);
    }
    if square.side <= 1.5 * size as f64 {
        return bilinear(image, square.x, square.y, scale, size);
    }
    let (ox, oy) = (square.x / scale, square.y / scale);
    let (x0, y0) = (ox.floor(), oy.floor());
    let shrunk = averaged(image, scale, x0 as i64, y0 as i64, size + 2);
    bilinear(&shrunk, ox - x0, oy - y0, 1.0, size)
}

/// A value of 0 to 255 as the nearest byte, the upper one of two. `as u8` and `f32::round` take one
/// value at a time; the compiler makes wide instructions of this.
pub fn nearest_byte(value: f32) -> u8 {
    // A float of this size holds halves only, which its last bits count. With a quarter less, the
    // half that the value lies in is the nearest; where the value is a half, it and the one before
    // are as near, and the even one is taken, which is of the value's byte.
    const HALVES: f32 = 4_194_304.0;
    let above = value + 0.5;
    ((above + (HALVES - 0.25)).to_bits() >> 1) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::Size;

    #[test]
    fn the_nearest_byte_is_the_upper_one_of_two_that_are_as_near() {
        for i in 0..=255 * 64 {
            let value = i as f32 / 64.0;
            let nearest = (i + 32) / 64;
            assert_eq!(i32::from(nearest_byte(value)), nearest, "{value}");
        }
    }

    #[test]
    fn a_crop_of_whole_pixels_is_the_picture_and_black_beyond_it() {
        let pixels: Vec<u8> = (0..3 * 7 * 5).collect();
        let image = Image::from_rgb(Size::new(7, 5), pixels);
        let square = Square {
            x: -2.0,
            y: -3.0,
            side: 12.0,
        };
        let found = crop(&image, square, 12);
        for (i, rgb) in found.chunks_exact(3).enumerate() {
            let (x, y) = ((i % 12).wrapping_sub(2), (i / 12).wrapping_sub(3));
            let start = 3 * (7 * (y % 5) + x % 7);
            let inside = x < 7 && y < 5;
            let wanted = if inside {
                &image.pixels()[start..start + 3]
            } else {
                &[0; 3]
            };
            assert_eq!(rgb, wanted, "{x} {y}");
        }
    }
}
