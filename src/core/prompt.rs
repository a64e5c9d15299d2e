//! What the person gave: at most one box, inside and outside clicks.

use std::sync::Arc;

use super::geometry::{ImagePoint, ImageRect, Size};
use super::mask::{Mask, Run};

/// Whether a click says "this belongs to the object" or "this does not".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Inside,
    Outside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Click {
    pub at: ImagePoint,
    pub side: Side,
}

/// The question to an engine, in image pixels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Prompt {
    pub rect: Option<ImageRect>,
    /// In the order they were given; the last one is the newest.
    pub clicks: Vec<Click>,
}

impl Prompt {
    pub const fn is_empty(&self) -> bool {
        self.rect.is_none() && self.clicks.is_empty()
    }

    /// Whether an engine can answer it: outside clicks alone name no object.
    pub fn is_answerable(&self) -> bool {
        self.rect.is_some() || self.clicks.iter().any(|c| c.side == Side::Inside)
    }

    pub fn points(&self, side: Side) -> impl Iterator<Item = ImagePoint> {
        self.clicks
            .iter()
            .filter(move |c| c.side == side)
            .map(|c| c.at)
    }
}

/// Probabilities of a square or rectangular crop, as the network saw it.
///
/// The crop's top left corner lies at (`x`, `y`) in image pixels and may lie outside the image;
/// `scale` is image pixels a cell of the grid. Outside the crop the probability is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Soft {
    pub x: f64,
    pub y: f64,
    pub scale: f64,
    pub width: u32,
    pub height: u32,
    /// Probability times 255, row by row.
    pub values: Vec<u8>,
}

impl Soft {
    /// Probability at an image position, bilinear; 0 outside the crop.
    ///
    /// Grid cell `i` stands at image coordinate `x + i * scale`, as in OpenCV's `warpAffine`.
    pub fn at(&self, x: f64, y: f64) -> f32 {
        let (u, v) = ((x - self.x) / self.scale, (y - self.y) / self.scale);
        let (u0, v0) = (u.floor(), v.floor());
        let (fu, fv) = ((u - u0) as f32, (v - v0) as f32);
        let value = |i: i64, j: i64| {
            if i < 0 || j < 0 || i >= i64::from(self.width) || j >= i64::from(self.height) {
                return 0.0;
            }
            f32::from(self.values[j as usize * self.width as usize + i as usize]) / 255.0
        };
        let (i, j) = (u0 as i64, v0 as i64);
        (1.0 - fv) * ((1.0 - fu) * value(i, j) + fu * value(i + 1, j))
            + fv * ((1.0 - fu) * value(i, j + 1) + fu * value(i + 1, j + 1))
    }

    /// Probabilities at every crossing of image columns and rows, row by row, as [`Soft::at`] gives
    /// them.
    pub fn at_crossings(&self, columns: &[i64], rows: &[i64]) -> Vec<f32> {
        let width = self.width as usize;
        // Of each column the grid's column before it, in a row with a 0 at either end, and how far
        // behind it; `None` beyond the grid.
        let columns: Vec<Option<(usize, f32)>> = columns
            .iter()
            .map(|x| (*x as f64 - self.x) / self.scale)
            .map(|u| {
                let before = usize::try_from(u.floor() as i64 + 1).ok();
                before
                    .filter(|before| *before <= width)
                    .map(|before| (before, (u - u.floor()) as f32))
            })
            .collect();
        let mut row = vec![0.0; width + 2];
        let mut values = Vec::with_capacity(columns.len() * rows.len());
        for y in rows {
            self.blend_row(*y as f64, &mut row);
            values.extend(columns.iter().map(|column| {
                column.map_or(0.0, |(i, part)| (1.0 - part) * row[i] + part * row[i + 1])
            }));
        }
        values
    }

    /// The pixels of an image of `size` where the probability is above `threshold`.
    pub fn mask(&self, size: Size, threshold: f32) -> Arc<Mask> {
        let rows = (
            (self.y - self.scale).ceil().max(0.0),
            self.y + f64::from(self.height) * self.scale,
        );
        let rows = rows.0 as u32..(rows.1.ceil().max(0.0) as u32).min(size.height);
        let mut runs = Vec::new();
        let mut row = vec![0.0; self.width as usize + 2];
        for y in rows {
            self.blend_row(f64::from(y), &mut row);
            self.cut_row(y, &row, size.width, threshold, &mut runs);
        }
        Arc::new(Mask::from_runs(size, runs))
    }

    /// The probabilities along an image row at the grid's columns, with a 0 at either end.
    fn blend_row(&self, y: f64, row: &mut [f32]) {
        let v = (y - self.y) / self.scale;
        let (j, part) = (v.floor() as i64, (v - v.floor()) as f32);
        let width = self.width as usize;
        let line = |j: i64| {
            let known = (0..i64::from(self.height)).contains(&j);
            known.then(|| &self.values[j as usize * width..][..width])
        };
        let (upper, lower) = (line(j), line(j + 1));
        for i in 0..width {
            let value = |l: Option<&[u8]>| l.map_or(0.0, |l| f32::from(l[i]));
            row[i + 1] = ((1.0 - part) * value(upper) + part * value(lower)) / 255.0;
        }
    }

    /// The pixels of a row above the threshold: between two columns the probability is a line, so
    /// that only its crossing needs to be found.
    fn cut_row(&self, y: u32, row: &[f32], width: u32, threshold: f32, runs: &mut Vec<Run>) {
        let pixel = |u: f64| {
            (self.x + u * self.scale)
                .ceil()
                .clamp(0.0, f64::from(width)) as u32
        };
        let mut start: Option<u32> = None;
        for (i, pair) in row.windows(2).enumerate() {
            let (a, b) = (pair[0], pair[1]);
            if (a > threshold) == (b > threshold) {
                continue;
            }
            let crossing = i as f64 - 1.0 + f64::from((threshold - a) / (b - a));
            match start.take() {
                None => start = Some(pixel(crossing)),
                Some(x0) => runs.push(Run {
                    y,
                    x0,
                    x1: pixel(crossing),
                }),
            }
        }
    }

    /// The `IoU` to expect of the mask if each probability is right: what lies inside over all that
    /// may.
    pub fn expected_iou(&self, threshold: f32) -> f32 {
        let cut = (threshold * 255.0) as u8;
        let (mut inside, mut sure, mut beyond) = (0_u32, 0.0_f32, 0.0_f32);
        for v in &self.values {
            let p = f32::from(*v) / 255.0;
            if *v > cut {
                inside += 1;
                sure += p;
            } else {
                beyond += p;
            }
        }
        if inside == 0 {
            return 0.0;
        }
        sure / (inside as f32 + beyond)
    }

    /// The pixel whose probability is nearest to even, weighted by how much uncertain area lies
    /// around it; clicks and their surroundings are left out. `None` where all is certain.
    pub fn most_doubtful(&self, size: Size, prompt: &Prompt) -> Option<ImagePoint> {
        const REACH: i64 = 3;
        let (w, h) = (i64::from(self.width), i64::from(self.height));
        let doubt: Vec<u32> = self
            .values
            .iter()
            .map(|v| 128 - u32::from(v.abs_diff(127)).min(128))
            .collect();
        let around = |i: i64, j: i64| -> u32 {
            let rows = (j - REACH).max(0)..(j + REACH + 1).min(h);
            rows.flat_map(|v| {
                let cols = (i - REACH).max(0)..(i + REACH + 1).min(w);
                cols.map(move |u| (v * w + u) as usize)
            })
            .map(|k| doubt[k])
            .sum()
        };
        let near = 12.0 * self.scale;
        let known = |x: f64, y: f64| {
            prompt
                .clicks
                .iter()
                .any(|c| (f64::from(c.at.x) - x).hypot(f64::from(c.at.y) - y) < near)
        };
        let mut best: Option<(u32, ImagePoint)> = None;
        for j in (0..h).step_by(2) {
            for i in (0..w).step_by(2) {
                let (x, y) = (
                    self.x + i as f64 * self.scale,
                    self.y + j as f64 * self.scale,
                );
                let on_image =
                    x >= 0.0 && y >= 0.0 && x < f64::from(size.width) && y < f64::from(size.height);
                if !on_image || doubt[(j * w + i) as usize] < 64 || known(x, y) {
                    continue;
                }
                let sum = around(i, j);
                if best.is_none_or(|(most, _)| sum > most) {
                    best = Some((sum, ImagePoint::new(x as u32, y as u32)));
                }
            }
        }
        best.map(|(_, at)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn crossings_have_the_probabilities_of_their_places(
            values in proptest::collection::vec(any::<u8>(), 20), scale in 0.4..7.0f64,
            x in -9.0..9.0f64, y in -9.0..9.0f64,
            columns in proptest::collection::vec(-20..60_i64, 1..9),
            rows in proptest::collection::vec(-20..60_i64, 1..9),
        ) {
            let soft = Soft { x, y, scale, width: 5, height: 4, values };
            let found = soft.at_crossings(&columns, &rows);
            let places = rows.iter().flat_map(|y| columns.iter().map(|x| soft.at(*x as f64, *y as f64)));
            for (found, expected) in found.iter().zip(places) {
                prop_assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            }
        }

        #[test]
        fn a_mask_is_cut_where_the_probability_crosses(
            values in proptest::collection::vec(any::<u8>(), 20), scale in 0.4..7.0f64,
            x in -9.0..9.0f64, y in -9.0..9.0f64,
        ) {
            let soft = Soft { x, y, scale, width: 5, height: 4, values };
            let size = Size::new(30, 25);
            let plain = Mask::from_fn(size, size.bounds(), |p| {
                soft.at(f64::from(p.x), f64::from(p.y)) > 0.49
            });
            let cut = soft.mask(size, 0.49);
            // A pixel within a hundredth of the line may fall to either side in floating point.
            let differ = cut.symmetric_difference(&plain);
            for run in differ.runs() {
                for px in run.x0..run.x1 {
                    let (px, y) = (f64::from(px), f64::from(run.y));
                    let near = [-0.01, 0.01].map(|by| soft.at(px + by, y) > 0.49);
                    prop_assert!(near[0] != near[1], "{px} {y}");
                }
            }
        }
    }
}
