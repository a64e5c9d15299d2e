//! Crops between the pixels of a picture.

use std::array;
use std::mem;
use std::ops::Range;

use rayon::prelude::*;

use super::nearest_byte;
use crate::core::image::Image;

/// Rows of a crop that are made in one go: neighbours share a row of the picture.
const BAND: usize = 32;
/// Where the cells of a crop lie along an axis: the pixel before each, and how far behind it.
fn positions(start: f64, scale: f64, size: usize) -> Vec<(i64, f32)> {
    (0..size)
        .map(|i| start + i as f64 * scale)
        .map(|at| (at.floor() as i64, at.fract().rem_euclid(1.0) as f32))
        .collect()
}

/// Between the picture's pixels; black outside.
pub fn bilinear(image: &Image, x: f64, y: f64, scale: f64, size: usize) -> Vec<u8> {
    let columns = Columns::new(&positions(x, scale, size), image.size().width);
    let rows = positions(y, scale, size);
    let near = -1..i64::from(image.size().height);
    let mut out = vec![0; 3 * size * size];
    out.par_chunks_mut(3 * size * BAND)
        .zip(rows.par_chunks(BAND))
        .for_each(|(band, rows)| {
            let mut upper = Stretched::new(image, &columns);
            let mut lower = Stretched::new(image, &columns);
            for (row, (y0, part)) in band.chunks_exact_mut(3 * size).zip(rows) {
                if !near.contains(y0) {
                    continue;
                }
                if lower.y == Some(*y0) {
                    mem::swap(&mut upper, &mut lower);
                }
                let (upper, lower) = (upper.row(*y0), lower.row(y0 + 1));
                let row = &mut row[columns.bytes.clone()];
                for ((value, top), bottom) in row.iter_mut().zip(upper).zip(lower) {
                    *value = nearest_byte(top + part * (bottom - top));
                }
            }
        });
    out
}

/// The columns of a crop that lie on the picture or beside it; the others are black.
struct Columns {
    /// Where their bytes lie in a row of the crop.
    bytes: Range<usize>,
    /// The first pixel that they look at; -1 is the black before the picture.
    start: i64,
    /// The value before each, counted from the first pixel's, and how far behind it.
    cells: Vec<(usize, f32)>,
    /// How far behind it each value lies, where every column is one pixel further than the last.
    parts: Option<Vec<f32>>,
}

impl Columns {
    fn new(columns: &[(i64, f32)], width: u32) -> Self {
        let from = columns.partition_point(|(x, _)| *x < -1);
        let to = columns.partition_point(|(x, _)| *x < i64::from(width));
        let seen = &columns[from..to];
        let start = seen.first().map_or(0, |(x, _)| *x);
        let cell = |(x, part): &(i64, f32)| (3 * (x - start) as usize, *part);
        let cells: Vec<_> = seen.iter().map(cell).collect();
        let in_step = cells.iter().enumerate().all(|(i, (at, _))| *at == 3 * i);
        Self {
            bytes: 3 * from..3 * to,
            start,
            parts: in_step.then(|| cells.iter().flat_map(|(_, part)| [*part; 3]).collect()),
            cells,
        }
    }

    /// How many values they look at, with one to spare: four are taken at a time.
    fn reach(&self) -> usize {
        7 + self.cells.last().map_or(0, |(at, _)| *at)
    }
}

/// A row of the picture at the columns of a crop.
struct Stretched<'a> {
    image: &'a Image,
    columns: &'a Columns,
    /// Which row it is.
    y: Option<i64>,
    /// The pixels that the columns look at, black beyond the picture.
    pixels: Vec<f32>,
    values: Vec<f32>,
}

impl<'a> Stretched<'a> {
    fn new(image: &'a Image, columns: &'a Columns) -> Self {
        Self {
            image,
            columns,
            y: None,
            pixels: vec![0.0; columns.reach()],
            values: vec![0.0; columns.bytes.len() + 1],
        }
    }

    fn row(&mut self, y: i64) -> &[f32] {
        if self.y != Some(y) {
            self.y = Some(y);
            if (0..i64::from(self.image.size().height)).contains(&y) {
                self.stretch(y as u32);
            } else {
                self.values.fill(0.0);
            }
        }
        &self.values
    }

    fn stretch(&mut self, y: u32) {
        let start = 3 * self.columns.start;
        let (black, skipped) = ((-start).max(0) as usize, start.max(0) as usize);
        let row = &self.image.row(y)[skipped..];
        for (value, byte) in self.pixels[black..].iter_mut().zip(row) {
            *value = f32::from(*byte);
        }
        match &self.columns.parts {
            Some(parts) => self.in_step(parts),
            None => self.at_columns(),
        }
    }

    fn in_step(&mut self, parts: &[f32]) {
        let pairs = self.pixels.iter().zip(&self.pixels[3..]);
        for ((value, part), (a, b)) in self.values.iter_mut().zip(parts).zip(pairs) {
            *value = a + part * (b - a);
        }
    }

    /// Four values at a time, as wide instructions take them: the next column writes over the last.
    fn at_columns(&mut self) {
        for (i, (at, part)) in self.columns.cells.iter().enumerate() {
            let near = &self.pixels[*at..][..7];
            let between: [f32; 4] = array::from_fn(|k| near[k] + part * (near[k + 3] - near[k]));
            self.values[3 * i..][..4].copy_from_slice(&between);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::geometry::Size;

    proptest! {
        #[test]
        fn a_crop_lies_between_the_pixels_and_is_black_beyond_them(
            (width, height) in (1..30_u32, 1..30_u32),
            (x, y) in (-40.0..40.0_f64, -40.0..40.0_f64),
            scale in prop_oneof![Just(1.0), 0.1..1.5_f64],
            size in 1..40_usize,
        ) {
            let value = |x: i64, y: i64, k: i64| {
                let inside = (0..i64::from(width)).contains(&x) && (0..i64::from(height)).contains(&y);
                if inside { (x * 37 + y * 91 + x * y * 5 + k * 70) % 256 } else { 0 }
            };
            let places = (0..i64::from(height)).flat_map(|y| (0..i64::from(width)).map(move |x| (x, y)));
            let pixels = places.flat_map(|(x, y)| [0, 1, 2].map(|k| value(x, y, k) as u8)).collect();
            let image = Image::from_rgb(Size::new(width, height), pixels);
            let found = bilinear(&image, x, y, scale, size);
            for (i, byte) in found.into_iter().enumerate() {
                let (cell, k) = (i / 3, (i % 3) as i64);
                let at = |start: f64, cell: usize| start + cell as f64 * scale;
                let (u, v) = (at(x, cell % size), at(y, cell / size));
                let row = |v: f64| {
                    let [a, b] = [0, 1].map(|on| value(u.floor() as i64 + on, v as i64, k) as f64);
                    a + (u - u.floor()) * (b - a)
                };
                let (top, bottom) = (row(v.floor()), row(v.floor() + 1.0));
                let wanted = top + (v - v.floor()) * (bottom - top);
                prop_assert!((f64::from(byte) - wanted).abs() < 0.51, "{u} {v}: {byte} {wanted}");
            }
        }
    }
}
