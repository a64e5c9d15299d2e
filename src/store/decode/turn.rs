//! Pictures turned upright where they lie: large ones leave no room for a second copy.

use image::metadata::Orientation;
use rayon::prelude::*;

use crate::core::geometry::Size;

type Rgb = [u8; 3];

/// Bands that a picture is transposed in; one of them is copied at a time.
const BANDS: usize = 16;

/// Columns that one thread transposes at a time: what it reads stays in its cache.
const COLUMNS: usize = 64;

/// Turns RGB bytes of `size` upright; the size that they have then.
pub fn upright(bytes: &mut [u8], size: Size, orientation: Orientation) -> Size {
    let (pixels, _) = bytes.as_chunks_mut::<3>();
    let (width, height) = (size.width as usize, size.height as usize);
    match orientation {
        Orientation::NoTransforms => {}
        Orientation::FlipHorizontal => mirror(pixels, width),
        Orientation::FlipVertical => flip(pixels, width),
        Orientation::Rotate180 => pixels.reverse(),
        Orientation::Rotate90FlipH => transpose(pixels, width, height),
        Orientation::Rotate90 => {
            transpose(pixels, width, height);
            mirror(pixels, height);
        }
        Orientation::Rotate270 => {
            transpose(pixels, width, height);
            flip(pixels, height);
        }
        Orientation::Rotate270FlipH => {
            transpose(pixels, width, height);
            pixels.reverse();
        }
    }
    super::turned(size, orientation)
}

/// Swaps left and right.
fn mirror(pixels: &mut [Rgb], width: usize) {
    pixels.par_chunks_mut(width).for_each(<[Rgb]>::reverse);
}

/// Swaps top and bottom.
fn flip(pixels: &mut [Rgb], width: usize) {
    let height = pixels.len() / width;
    let (upper, lower) = pixels.split_at_mut(height / 2 * width);
    let lower = lower.chunks_exact_mut(width).rev();
    for (a, b) in upper.chunks_exact_mut(width).zip(lower) {
        a.swap_with_slice(b);
    }
}

/// Swaps rows and columns. Bands of rows are transposed one by one; then what each of them holds of
/// a column is brought to its place, and the rows that fill no band are put behind.
fn transpose(pixels: &mut [Rgb], width: usize, height: usize) {
    let rows = height / BANDS;
    if rows == 0 {
        let copy = transposed(pixels, width);
        pixels.copy_from_slice(&copy);
        return;
    }
    let banded = rows * BANDS;
    let rest = transposed(&pixels[banded * width..], width);
    for band in pixels[..banded * width].chunks_exact_mut(rows * width) {
        let copy = transposed(band, width);
        band.copy_from_slice(&copy);
    }
    gather(&mut pixels[..banded * width], rows, width);
    let short = height - banded;
    // From the end on: no row is written over before it has moved.
    for x in (0..width).rev() {
        pixels.copy_within(x * banded..(x + 1) * banded, x * height);
        pixels[x * height + banded..(x + 1) * height]
            .copy_from_slice(&rest[x * short..(x + 1) * short]);
    }
}

/// A transposed copy of rows of `width` pixels.
fn transposed(pixels: &[Rgb], width: usize) -> Vec<Rgb> {
    let height = pixels.len() / width;
    let mut out = vec![[0; 3]; pixels.len()];
    if height == 0 {
        return out;
    }
    let columns = out.par_chunks_mut(COLUMNS * height).enumerate();
    columns.for_each(|(block, out)| {
        let first = block * COLUMNS;
        for (y, row) in pixels.chunks_exact(width).enumerate() {
            let row = &row[first..(first + COLUMNS).min(width)];
            for (column, pixel) in out.chunks_exact_mut(height).zip(row) {
                column[y] = *pixel;
            }
        }
    });
    out
}

/// Brings pieces of `piece` pixels from the order (band, column) into (column, band), along the
/// cycles of that permutation.
fn gather(pixels: &mut [Rgb], piece: usize, columns: usize) {
    let count = pixels.len() / piece;
    let mut placed = vec![false; count];
    let mut held = vec![[0; 3]; piece];
    for start in 0..count {
        if placed[start] {
            continue;
        }
        held.copy_from_slice(&pixels[start * piece..(start + 1) * piece]);
        let mut at = start;
        loop {
            let to = at % columns * BANDS + at / columns;
            held.swap_with_slice(&mut pixels[to * piece..(to + 1) * piece]);
            placed[to] = true;
            at = to;
            if at == start {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, RgbImage};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pictures_are_turned_as_the_image_crate_turns_copies(
            width in 1..90_u32, height in 1..90_u32, exif in 1..9_u8,
        ) {
            let picture = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 7]));
            let orientation = Orientation::from_exif(exif).expect("1 to 8");
            let mut bytes = picture.clone().into_raw();
            let size = upright(&mut bytes, Size::new(width, height), orientation);
            let mut copy = DynamicImage::ImageRgb8(picture);
            copy.apply_orientation(orientation);
            prop_assert_eq!(size, Size::new(copy.width(), copy.height()));
            prop_assert_eq!(bytes, copy.into_rgb8().into_raw());
        }
    }
}
