//! A mask as a grid of logits stretched over the picture: cut, sampled, as probabilities.

use rayon::prelude::*;

use crate::core::geometry::Size;
use crate::core::mask::{Mask, Run};
use crate::core::prompt::Soft;
use crate::segment::sam::input::Place;

/// Cells along the longest side of the probabilities that go with a mask.
const SOFT: f64 = 256.0;

/// A grid over the picture, bilinear between the middles of its cells and constant beyond the
/// outermost: torch's `interpolate` without aligned corners.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    pub width: usize,
    pub height: usize,
    /// Row by row.
    pub values: Vec<f32>,
}

impl Logits {
    /// The part of a frame-wide grid that the picture covers, at the frame's resolution.
    #[must_use]
    pub fn cropped(&self, place: &Place) -> Self {
        if place.content == place.frame {
            return self.clone();
        }
        let (width, height) = (place.content.width as usize, place.content.height as usize);
        let columns = along(width, place.frame.width as usize, self.width);
        let rows = along(height, place.frame.height as usize, self.height);
        // Across first: these are the fewer rows, and what is left to do down runs along memory.
        let mut wide = Self {
            width,
            height: self.height,
            values: vec![0.0; width * self.height],
        };
        let lines = self.values.chunks_exact(self.width);
        for (out, line) in wide.values.chunks_exact_mut(width).zip(lines) {
            for (value, column) in out.iter_mut().zip(&columns) {
                *value = column.blend(line[column.low], line[column.high]);
            }
        }
        let mut values = vec![0.0; width * height];
        values
            .par_chunks_mut(width)
            .zip(&rows)
            .for_each(|(out, row)| wide.blend_into(*row, out));
        Self {
            width,
            height,
            values,
        }
    }

    fn line(&self, j: usize) -> &[f32] {
        &self.values[j * self.width..][..self.width]
    }

    /// The grid's row at a place between two of its rows.
    fn blended(&self, row: Between) -> Vec<f32> {
        let mut out = vec![0.0; self.width];
        self.blend_into(row, &mut out);
        out
    }

    fn blend_into(&self, row: Between, out: &mut [f32]) {
        let pairs = self.line(row.low).iter().zip(self.line(row.high));
        for (value, (low, high)) in out.iter_mut().zip(pairs) {
            *value = row.blend(*low, *high);
        }
    }

    /// The pixels of a picture of `size` whose logit is above 0.
    pub fn mask(&self, size: Size) -> Mask {
        let rows = along(size.height as usize, size.height as usize, self.height);
        let rows: Vec<(u32, Between)> = (0..).zip(rows).collect();
        let bands: Vec<&[(u32, Between)]> = rows.chunk_by(|a, b| a.1.low == b.1.low).collect();
        let runs: Vec<Vec<Run>> = bands
            .into_par_iter()
            .map(|band| self.cut(band, size.width))
            .collect();
        Mask::from_runs(size, runs.into_iter().flatten())
    }

    /// The runs of the picture's rows that lie between the same two of the grid's: only where these
    /// have both signs near each other can an edge be, and there the logit is a line.
    fn cut(&self, band: &[(u32, Between)], width: u32) -> Vec<Run> {
        let (upper, lower) = (self.line(band[0].1.low), self.line(band[0].1.high));
        let crossed = crossed(upper, lower);
        let step = f64::from(width) / self.width as f64;
        let pixel = |u: f64| ((u + 0.5) * step - 0.5).ceil().clamp(0.0, f64::from(width)) as u32;
        let mut runs = Vec::new();
        for (y, row) in band {
            let at = |i: usize| row.blend(upper[i], lower[i]);
            let mut start = (at(0) > 0.0).then_some(0);
            for i in &crossed {
                let (a, b) = (at(*i), at(i + 1));
                if (a > 0.0) == (b > 0.0) {
                    continue;
                }
                let x = pixel(*i as f64 + f64::from(a / (a - b)));
                match start.take() {
                    Some(x0) => runs.push(Run { y: *y, x0, x1: x }),
                    None => start = Some(x),
                }
            }
            runs.extend(start.map(|x0| Run {
                y: *y,
                x0,
                x1: width,
            }));
        }
        runs.retain(|r| r.x0 < r.x1);
        runs
    }

    /// Each pixel's logit, row by row.
    pub fn pixels(&self, size: Size) -> Vec<f32> {
        let (width, height) = (size.width as usize, size.height as usize);
        let columns = along(width, width, self.width);
        let rows = along(height, height, self.height);
        rows.iter()
            .flat_map(|row| {
                let line = self.blended(*row);
                let blend = move |c: &Between| c.blend(line[c.low], line[c.high]);
                columns.iter().map(blend)
            })
            .collect()
    }

    /// The probabilities, coarse, with a ring around the picture that repeats its border.
    pub fn soft(&self, size: Size) -> Soft {
        let scale = f64::from(size.longest()) / SOFT.min(f64::from(size.longest()));
        let cells = |n: u32| (f64::from(n) / scale).ceil() as usize + 2;
        let (width, height) = (cells(size.width), cells(size.height));
        let place = |i: usize, n: u32, cells: usize| {
            let u = (i as f64 - 0.5) * scale * cells as f64 / f64::from(n) - 0.5;
            Between::at(u, cells)
        };
        let columns: Vec<Between> = (0..width)
            .map(|i| place(i, size.width, self.width))
            .collect();
        let mut values = Vec::with_capacity(width * height);
        for j in 0..height {
            let line = self.blended(place(j, size.height, self.height));
            values.extend(columns.iter().map(|c| {
                let logit = c.blend(line[c.low], line[c.high]);
                (255.0 / (1.0 + (-logit).exp()) + 0.5) as u8
            }));
        }
        Soft {
            x: -0.5 * scale - 0.5,
            y: -0.5 * scale - 0.5,
            scale,
            width: width as u32,
            height: height as u32,
            values,
        }
    }
}

/// A place between the middles of two cells.
#[derive(Debug, Clone, Copy)]
struct Between {
    low: usize,
    high: usize,
    part: f32,
}

impl Between {
    fn at(u: f64, cells: usize) -> Self {
        let last = cells - 1;
        let u = u.clamp(0.0, last as f64);
        let low = u as usize;
        Self {
            low,
            high: (low + 1).min(last),
            part: (u - low as f64) as f32,
        }
    }

    fn blend(self, low: f32, high: f32) -> f32 {
        (1.0 - self.part) * low + self.part * high
    }
}

/// Where the first `count` of `all` pixels lie among `cells`.
fn along(count: usize, all: usize, cells: usize) -> Vec<Between> {
    let step = cells as f64 / all as f64;
    (0..count)
        .map(|i| Between::at((i as f64 + 0.5) * step - 0.5, cells))
        .collect()
}

/// The cells `i` for which not all of two rows' values at `i` and `i + 1` are on one side of 0.
fn crossed(upper: &[f32], lower: &[f32]) -> Vec<usize> {
    /// Most of a row is far from any edge: so many cells are passed over at once.
    const STEP: usize = 32;
    let pairs = upper.iter().zip(lower);
    let above: Vec<u8> = pairs
        .map(|(a, b)| u8::from(*a > 0.0) + u8::from(*b > 0.0))
        .collect();
    let mut crossed = Vec::new();
    for from in (0..above.len()).step_by(STEP) {
        let part = &above[from..(from + STEP + 1).min(above.len())];
        let first = part[0];
        if first != 1 && part.iter().fold(0, |odd, n| odd | (n ^ first)) == 0 {
            continue;
        }
        let has_both = |(i, pair): (usize, &[u8])| {
            let is_one_sided = (pair[0] + pair[1]).is_multiple_of(4);
            (!is_one_sided).then_some(from + i)
        };
        crossed.extend(part.windows(2).enumerate().filter_map(has_both));
    }
    crossed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::ImagePoint;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_mask_holds_the_pixels_whose_logit_is_above_zero(
            values in proptest::collection::vec(-9.0..9.0f32, 30), width in 1..40u32, height in 1..40u32,
        ) {
            let logits = Logits { width: 6, height: 5, values };
            let size = Size::new(width, height);
            let mask = logits.mask(size);
            for (i, logit) in logits.pixels(size).into_iter().enumerate() {
                let at = ImagePoint::new(i as u32 % width, i as u32 / width);
                // In floating point a pixel on the line itself may fall to either side.
                prop_assert!(logit.abs() < 1e-3 || mask.contains(at) == (logit > 0.0), "{at:?}");
            }
        }
    }

    #[test]
    fn probabilities_reach_to_the_border_of_the_picture() {
        let logits = Logits {
            width: 4,
            height: 4,
            values: vec![5.0; 16],
        };
        let size = Size::new(700, 500);
        assert_eq!(logits.soft(size).mask(size, 0.5).area(), size.area());
        assert_eq!(logits.mask(size).area(), size.area());
    }

    #[test]
    fn the_padding_of_a_frame_is_cut_away() {
        let values = (0..256).map(|i| if i / 16 < 8 { 1.0 } else { -1.0 });
        let grid = Logits {
            width: 16,
            height: 16,
            values: values.collect(),
        };
        let size = Size::new(200, 100);
        let place = Place {
            content: Size::new(64, 32),
            frame: Size::new(64, 64),
            scale: (0.32, 0.32),
        };
        let mask = grid.cropped(&place).mask(size);
        assert_eq!(
            mask.area(),
            size.area(),
            "the upper half is all of the picture"
        );
    }
}
