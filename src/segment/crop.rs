//! Square crops of an image for a network: bilinear, or averaged where the crop shrinks.
//!
//! Equal to OpenCV's `resize` with `INTER_AREA` followed by `warpAffine` with `INTER_LINEAR`, but
//! only the pixels of the crop are looked at.

use std::iter;
use std::mem;
use std::ops::Range;

use rayon::prelude::*;

use crate::core::geometry::Size;
use crate::core::image::Image;

/// Rows of a crop that are made in one go: neighbours share a row of the picture.
const BAND: usize = 32;
/// So many bytes add up to what two bytes hold.
const MOST_ROWS: usize = 257;

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

/// Where the cells of a crop lie along an axis: the pixel before each, and how far behind it.
fn positions(start: f64, scale: f64, size: usize) -> Vec<(i64, f32)> {
    (0..size)
        .map(|i| start + i as f64 * scale)
        .map(|at| (at.floor() as i64, at.fract().rem_euclid(1.0) as f32))
        .collect()
}

/// Between the picture's pixels; black outside.
fn bilinear(image: &Image, x: f64, y: f64, scale: f64, size: usize) -> Vec<u8> {
    let (columns, rows) = (positions(x, scale, size), positions(y, scale, size));
    let mut out = vec![0; 3 * size * size];
    out.par_chunks_mut(3 * size * BAND)
        .zip(rows.par_chunks(BAND))
        .for_each(|(band, rows)| {
            let mut upper = Stretched::new(image, &columns);
            let mut lower = Stretched::new(image, &columns);
            for (row, (y0, part)) in band.chunks_exact_mut(3 * size).zip(rows) {
                if lower.y == Some(*y0) {
                    mem::swap(&mut upper, &mut lower);
                }
                let (upper, lower) = (upper.row(*y0), lower.row(y0 + 1));
                for ((value, top), bottom) in row.iter_mut().zip(upper).zip(lower) {
                    *value = nearest_byte(top + part * (bottom - top));
                }
            }
        });
    out
}

/// A row of the picture at the columns of a crop.
struct Stretched<'a> {
    image: &'a Image,
    columns: &'a [(i64, f32)],
    /// Which row it is.
    y: Option<i64>,
    /// The pixels from the first column to behind the last, black beyond the picture.
    pixels: Vec<f32>,
    values: Vec<f32>,
}

impl<'a> Stretched<'a> {
    fn new(image: &'a Image, columns: &'a [(i64, f32)]) -> Self {
        let reach = columns[columns.len() - 1].0 - columns[0].0 + 2;
        Self {
            image,
            columns,
            y: None,
            pixels: vec![0.0; 3 * reach as usize],
            values: vec![0.0; 3 * columns.len()],
        }
    }

    fn row(&mut self, y: i64) -> &[f32] {
        if self.y != Some(y) {
            self.y = Some(y);
            self.stretch(y);
        }
        &self.values
    }

    fn stretch(&mut self, y: i64) {
        let size = self.image.size();
        if !(0..i64::from(size.height)).contains(&y) {
            self.values.fill(0.0);
            return;
        }
        let row = self.image.row(y as u32);
        let start = self.columns[0].0;
        let skipped = 3 * start.clamp(0, size.width.into()) as usize;
        let black = 3 * (-start).clamp(0, self.pixels.len() as i64 / 3) as usize;
        for (value, byte) in self.pixels[black..].iter_mut().zip(&row[skipped..]) {
            *value = f32::from(*byte);
        }
        for (rgb, (x, part)) in self.values.chunks_exact_mut(3).zip(self.columns) {
            let near = &self.pixels[3 * (x - start) as usize..][..6];
            for k in 0..3 {
                rgb[k] = near[k] + part * (near[k + 3] - near[k]);
            }
        }
    }
}

/// A value of 0 to 255 as the nearest byte, the upper one of two. `as u8` and `f32::round` take one
/// value at a time; the compiler makes wide instructions of this.
pub fn nearest_byte(value: f32) -> u8 {
    // A float of this size holds whole numbers only, the byte in its last bits.
    const WHOLE: f32 = 8_388_608.0;
    let above = value + 0.5;
    let near = (above + WHOLE) - WHOLE;
    let below = if near > above { near - 1.0 } else { near };
    (below + WHOLE).to_bits() as u8
}

/// Each cell is the average of the `scale` x `scale` pixels it covers; cells that lie beyond the
/// picture shrunk as a whole are black.
fn averaged(image: &Image, scale: f64, x0: i64, y0: i64, side: usize) -> Image {
    let size = image.size();
    let spans = |start: i64, length: u32| -> Vec<Option<Span>> {
        let cells = (f64::from(length) / scale).round() as i64;
        let cell = |i| span(start + i, cells, scale, length);
        (0..side as i64).map(cell).collect()
    };
    let (columns, rows) = (spans(x0, size.width), spans(y0, size.height));
    let seen = columns.iter().flatten();
    let (from, to) = seen.fold((size.width, 0), |(from, to), column| {
        (from.min(column.from), to.max(column.to))
    });
    let width = 3 * to.saturating_sub(from) as usize;
    let row = |y: u32| &image.row(y)[3 * from as usize..][..width];
    let mut pixels = vec![0; 3 * side * side];
    pixels.par_chunks_mut(3 * side).zip(&rows).for_each_init(
        || (vec![0.0; width], vec![0; width]),
        |(sums, whole), (out, rows)| {
            let Some(rows) = rows else { return };
            // Down the columns first, whole rows at a time: the compiler makes wide
            // instructions of that.
            sums.fill(0.0);
            for (y, weight) in rows.ends() {
                add_weighted(sums, weight, row(y));
            }
            // Rows that count alike are added up as bytes are, many at once.
            let inner: Vec<u32> = rows.within().collect();
            for few in inner.chunks(MOST_ROWS) {
                whole.fill(0);
                for y in few {
                    add(whole, row(*y));
                }
                add_weighted(sums, rows.inner, whole);
            }
            for (rgb, column) in out.chunks_exact_mut(3).zip(&columns) {
                if let Some(column) = column {
                    rgb.copy_from_slice(&column.mean(sums, from).map(nearest_byte));
                }
            }
        },
    );
    Image::from_rgb(Size::new(side as u32, side as u32), pixels)
}

fn add_weighted<T: Copy + Into<f32>>(sums: &mut [f32], weight: f32, values: &[T]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * (*value).into();
    }
}

fn add(sums: &mut [u16], row: &[u8]) {
    for (sum, byte) in sums.iter_mut().zip(row) {
        *sum += u16::from(*byte);
    }
}

/// The pixels of one axis that a cell covers; the first and the last in part.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: u32,
    to: u32,
    first: f32,
    inner: f32,
    last: f32,
}

fn span(cell: i64, cells: i64, scale: f64, length: u32) -> Option<Span> {
    if cell < 0 || cell >= cells {
        return None;
    }
    let low = cell as f64 * scale;
    let high = (low + scale).min(f64::from(length));
    let (from, to) = (low.floor(), high.ceil());
    let whole = high - low;
    let part = |covered: f64| (covered / whole) as f32;
    let one = to - from <= 1.0;
    Some(Span {
        from: from as u32,
        to: to as u32,
        first: if one { 1.0 } else { part(from + 1.0 - low) },
        inner: part(1.0),
        last: if one { 1.0 } else { part(high - (to - 1.0)) },
    })
}

impl Span {
    /// The first pixel and the last, with their weights.
    fn ends(&self) -> impl Iterator<Item = (u32, f32)> {
        let last = self.to - 1;
        let second = (last > self.from).then_some((last, self.last));
        iter::once((self.from, self.first)).chain(second)
    }

    /// The pixels between them.
    fn within(&self) -> Range<u32> {
        self.from + 1..self.to - 1
    }

    /// The weighted mean of a row's pixels, of which the first is number `start`.
    fn mean(&self, row: &[f32], start: u32) -> [f32; 3] {
        let pixels = &row[3 * (self.from - start) as usize..3 * (self.to - start) as usize];
        let (pixels, _) = pixels.as_chunks::<3>();
        let (first, last) = (pixels[0], pixels[pixels.len() - 1]);
        if pixels.len() == 1 {
            return first;
        }
        let inner = pixels.iter().fold([0.0; 3], |sum, rgb| {
            std::array::from_fn(|k| sum[k] + rgb[k])
        });
        std::array::from_fn(|k| {
            self.inner * inner[k]
                + (self.first - self.inner) * first[k]
                + (self.last - self.inner) * last[k]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_byte_is_the_upper_one_of_two_that_are_as_near() {
        for i in 0..=255 * 64 {
            let value = i as f32 / 64.0;
            let nearest = (i + 32) / 64;
            assert_eq!(i32::from(nearest_byte(value)), nearest, "{value}");
        }
    }

    #[test]
    fn a_cell_of_a_shrunk_picture_is_the_mean_of_the_pixels_it_covers() {
        let size = Size::new(700, 900);
        let value = |x: u32, y: u32| (x * 7 + y * y * 3 + x * y) % 256;
        let pixels = (0..size.height)
            .flat_map(|y| (0..size.width).map(move |x| (x, y)))
            .flat_map(|(x, y)| [value(x, y) as u8, 255, 0])
            .collect();
        let image = Image::from_rgb(size, pixels);
        for scale in [1.6, 2.0, 7.3, 300.0] {
            let side = (700.0 / scale) as usize;
            let found = averaged(&image, scale, 0, 0, side);
            for (i, rgb) in found.pixels().chunks_exact(3).enumerate() {
                let start = |cell: usize| cell as f64 * scale;
                let shares = |from: f64, length: u32| -> Vec<(u32, f64)> {
                    let to = (from + scale).min(f64::from(length));
                    (from as u32..to.ceil() as u32)
                        .map(|at| (at, to.min(f64::from(at + 1)) - from.max(f64::from(at))))
                        .collect()
                };
                let columns = shares(start(i % side), size.width);
                let rows = shares(start(i / side), size.height);
                let (mut sum, mut area) = (0.0, 0.0);
                for (y, down) in &rows {
                    for (x, across) in &columns {
                        sum += f64::from(value(*x, *y)) * down * across;
                        area += down * across;
                    }
                }
                let off = (f64::from(rgb[0]) - sum / area).abs();
                assert!(off < 0.51, "{scale}: {i}: {} {}", rgb[0], sum / area);
                assert_eq!(&rgb[1..], [255, 0]);
            }
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
