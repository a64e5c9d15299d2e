//! Square crops of an image for a network: bilinear, or averaged where the crop shrinks.
//!
//! Equal to OpenCV's `resize` with `INTER_AREA` followed by `warpAffine` with `INTER_LINEAR`, but
//! only the pixels of the crop are looked at.

use rayon::prelude::*;

use crate::core::geometry::Size;
use crate::core::image::Image;

/// A square of the picture: top left corner and side in image pixels. It may reach beyond the
/// picture, which is black there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Square {
    pub x: f64,
    pub y: f64,
    pub side: f64,
}

/// RGB values 0 to 255 of a square, `size` x `size` x 3, row by row.
pub fn crop(image: &Image, square: Square, size: usize) -> Vec<f32> {
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
        let plane = Plane {
            size: image.size(),
            pixels: image.pixels(),
        };
        return bilinear(&plane, square.x, square.y, scale, size);
    }
    let (ox, oy) = (square.x / scale, square.y / scale);
    let (x0, y0) = (ox.floor(), oy.floor());
    let shrunk = averaged(image, scale, x0 as i64, y0 as i64, size + 2);
    bilinear(&shrunk.plane(), ox - x0, oy - y0, 1.0, size)
}

/// Pixels, three values each, row by row; black outside.
struct Plane<'a, T> {
    size: Size,
    pixels: &'a [T],
}

impl<T: Copy + Into<f32>> Plane<'_, T> {
    fn row(&self, y: i64) -> Option<&[T]> {
        let width = 3 * self.size.width as usize;
        let inside = (0..i64::from(self.size.height)).contains(&y);
        inside.then(|| &self.pixels[y as usize * width..][..width])
    }
}

/// Where the cells of a crop lie along an axis: the pixel before each, and how far behind it.
fn positions(start: f64, scale: f64, size: usize) -> Vec<(i64, f32)> {
    (0..size)
        .map(|i| start + i as f64 * scale)
        .map(|at| (at.floor() as i64, at.fract().rem_euclid(1.0) as f32))
        .collect()
}

fn bilinear<T: Copy + Into<f32> + Sync>(
    plane: &Plane<T>,
    x: f64,
    y: f64,
    scale: f64,
    size: usize,
) -> Vec<f32> {
    let (columns, rows) = (positions(x, scale, size), positions(y, scale, size));
    let width = plane.size.width as usize;
    let mut out = vec![0.0; 3 * size * size];
    out.par_chunks_mut(3 * size)
        .zip(&rows)
        .for_each(|(row, (y0, fy))| {
            let (upper, lower) = (plane.row(*y0), plane.row(y0 + 1));
            for (rgb, (x0, fx)) in row.chunks_exact_mut(3).zip(&columns) {
                let pair = |row: Option<&[T]>| -> [[f32; 3]; 2] {
                    let Some(row) = row else {
                        return [[0.0; 3]; 2];
                    };
                    let pixel = |x: i64| {
                        let x = usize::try_from(x).ok().filter(|x| *x < width);
                        x.map_or([0.0; 3], |x| {
                            let rgb = &row[3 * x..][..3];
                            [rgb[0].into(), rgb[1].into(), rgb[2].into()]
                        })
                    };
                    [pixel(*x0), pixel(x0 + 1)]
                };
                let ([a, b], [c, d]) = (pair(upper), pair(lower));
                for k in 0..3 {
                    let top = a[k] + fx * (b[k] - a[k]);
                    let bottom = c[k] + fx * (d[k] - c[k]);
                    rgb[k] = rounded(top + fy * (bottom - top));
                }
            }
        });
    out
}

/// A value of 0 to 255 as the byte it would be stored as; `f32::round` calls into the C library.
fn rounded(value: f32) -> f32 {
    f32::from((value + 0.5) as u8)
}

/// Part of a smaller picture: its cells from (`x0`, `y0`) on, `side` x `side`.
struct Shrunk {
    side: usize,
    pixels: Vec<f32>,
}

impl Shrunk {
    fn plane(&self) -> Plane<'_, f32> {
        Plane {
            size: Size::new(self.side as u32, self.side as u32),
            pixels: &self.pixels,
        }
    }
}

/// Each cell is the average of the `scale` x `scale` pixels it covers; cells that lie beyond the
/// picture shrunk as a whole are black.
fn averaged(image: &Image, scale: f64, x0: i64, y0: i64, side: usize) -> Shrunk {
    let size = image.size();
    let cells = |length: u32| (f64::from(length) / scale).round() as i64;
    let (across, down) = (cells(size.width), cells(size.height));
    let columns: Vec<Option<Span>> = (0..side as i64)
        .map(|u| span(x0 + u, across, scale, size.width))
        .collect();
    let mut pixels = vec![0.0; 3 * side * side];
    pixels
        .par_chunks_mut(3 * side)
        .enumerate()
        .for_each(|(v, row)| {
            let Some(rows) = span(y0 + v as i64, down, scale, size.height) else {
                return;
            };
            for y in rows.from..rows.to {
                let weight = rows.weight(y);
                let source = image.row(y);
                for (cell, column) in row.chunks_exact_mut(3).zip(&columns) {
                    let Some(column) = column else { continue };
                    let sum = column.sum(source);
                    for k in 0..3 {
                        cell[k] += weight * sum[k];
                    }
                }
            }
            for value in row.iter_mut() {
                *value = rounded(*value);
            }
        });
    Shrunk { side, pixels }
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
    fn weight(&self, i: u32) -> f32 {
        if i == self.from {
            self.first
        } else if i + 1 == self.to {
            self.last
        } else {
            self.inner
        }
    }

    /// The weighted sum of a row's pixels.
    fn sum(&self, row: &[u8]) -> [f32; 3] {
        let pixels = &row[3 * self.from as usize..3 * self.to as usize];
        let mut inner = [0_u32; 3];
        for rgb in pixels.chunks_exact(3) {
            for k in 0..3 {
                inner[k] += u32::from(rgb[k]);
            }
        }
        let n = pixels.len();
        let correct = |k: usize| {
            if n == 3 {
                return f32::from(pixels[k]);
            }
            let (first, last) = (f32::from(pixels[k]), f32::from(pixels[n - 3 + k]));
            self.inner * inner[k] as f32
                + (self.first - self.inner) * first
                + (self.last - self.inner) * last
        };
        [correct(0), correct(1), correct(2)]
    }
}
