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
    /// Pixels of the image from its left to its right.
    pub fn across(&self) -> f64 {
        self.scale * f64::from(self.width)
    }

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
        // Of each column the grid's column before it and how far behind it, in a row with a 0 before
        // the grid and two behind: between these lies what is beyond.
        let columns: Vec<(usize, f32)> = columns
            .iter()
            .map(|x| (*x as f64 - self.x) / self.scale)
            .map(|u| {
                let before = usize::try_from(u.floor() as i64 + 1).ok();
                before
                    .filter(|before| *before <= width)
                    .map_or((width + 1, 0.0), |before| (before, (u - u.floor()) as f32))
            })
            .collect();
        let beyond = vec![0; width];
        let mut row = vec![0.0; width + 3];
        let mut values = vec![0.0; columns.len() * rows.len()];
        for (values, y) in values.chunks_exact_mut(columns.len().max(1)).zip(rows) {
            let (j, part) = self.line_before(*y as f64);
            let [upper, lower] = [j, j + 1].map(|j| self.cells(j).unwrap_or(&beyond));
            for ((value, a), b) in row[1..].iter_mut().zip(upper).zip(lower) {
                let (a, b) = (f32::from(*a), f32::from(*b));
                *value = (a + part * (b - a)) * (1.0 / 255.0);
            }
            for (value, (i, part)) in values.iter_mut().zip(&columns) {
                *value = row[*i] + part * (row[i + 1] - row[*i]);
            }
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
        let cut = 255.0 * threshold;
        let mut runs = Vec::new();
        let mut strip = Strip::new(self, i64::MIN, cut as u8);
        for y in rows {
            let (j, part) = self.line_before(f64::from(y));
            if strip.j != j {
                strip = Strip::new(self, j, cut as u8);
            }
            let mut start = None;
            for u in strip.crossings(part, cut) {
                let x = (self.x + u * self.scale).ceil();
                let x = x.clamp(0.0, f64::from(size.width)) as u32;
                match start.take() {
                    None => start = Some(x),
                    Some(x0) => runs.push(Run { y, x0, x1: x }),
                }
            }
        }
        Arc::new(Mask::from_runs(size, runs))
    }

    /// The grid's line before an image row, and how far behind it the row lies.
    fn line_before(&self, y: f64) -> (i64, f32) {
        let v = (y - self.y) / self.scale;
        (v.floor() as i64, (v - v.floor()) as f32)
    }

    /// A line of the grid; none beyond it.
    fn cells(&self, j: i64) -> Option<&[u8]> {
        let width = self.width as usize;
        let inside = (0..i64::from(self.height)).contains(&j);
        inside.then(|| &self.values[j as usize * width..][..width])
    }

    /// A line of the grid with a 0 at either end; beyond the grid nothing but 0.
    fn line(&self, j: i64) -> Vec<u8> {
        let width = self.width as usize;
        let mut line = vec![0; width + 2];
        if let Some(cells) = self.cells(j) {
            line[1..=width].copy_from_slice(cells);
        }
        line
    }

    /// The `IoU` to expect of the mask if each probability is right: what lies inside over all that
    /// may.
    pub fn expected_iou(&self, threshold: f32) -> f32 {
        let cut = (threshold * 255.0) as u8;
        let (mut inside, mut sure, mut all) = (0_u64, 0_u64, 0_u64);
        // In parts whose sums fit narrow numbers, of which more are added at once.
        for part in self.values.chunks(1 << 16) {
            let above = |v: &u8| *v > cut;
            let sum = |values: u32, v: u32| values + v;
            inside += u64::from(part.iter().map(|v| u32::from(above(v))).fold(0, sum));
            let of = |v: &u8| if above(v) { u32::from(*v) } else { 0 };
            sure += u64::from(part.iter().map(of).fold(0, sum));
            all += u64::from(part.iter().map(|v| u32::from(*v)).fold(0, sum));
        }
        if inside == 0 {
            return 0.0;
        }
        sure as f32 / (255 * inside + all - sure) as f32
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

/// What lies between two lines of a grid.
struct Strip {
    /// The upper line.
    j: i64,
    /// The columns behind which the probability crosses the threshold anywhere in the strip, and the
    /// four corners there: upper left and right, lower left and right.
    cells: Vec<(f64, [f32; 4])>,
}

impl Strip {
    fn new(soft: &Soft, j: i64, cut: u8) -> Self {
        let (upper, lower) = (soft.line(j), soft.line(j + 1));
        let above = |line: &[u8]| -> Vec<u8> { line.iter().map(|v| u8::from(*v > cut)).collect() };
        let counts = above(&upper);
        let counts = counts.iter().zip(above(&lower)).map(|(a, b)| a + b);
        let counts: Vec<u8> = counts.collect();
        let pairs = counts.iter().zip(&counts[1..]);
        let mixed: Vec<bool> = pairs.map(|(a, b)| (a + b) % 4 != 0).collect();
        let crossed = (0..mixed.len()).filter(|i| mixed[*i]);
        let cells = crossed.map(|i| {
            let corners = [upper[i], upper[i + 1], lower[i], lower[i + 1]];
            (i as f64 - 1.0, corners.map(f32::from))
        });
        Self {
            j,
            cells: cells.collect(),
        }
    }

    /// Where the probability crosses the threshold along a row, in columns of the grid: between two of
    /// them it is a line.
    fn crossings(&self, part: f32, cut: f32) -> impl Iterator<Item = f64> {
        self.cells.iter().filter_map(move |(column, corners)| {
            // Between equal corners lies the same, whatever the rounding: none is missed.
            let a = corners[0] + part * (corners[2] - corners[0]);
            let b = corners[1] + part * (corners[3] - corners[1]);
            ((a > cut) != (b > cut)).then(|| column + f64::from((cut - a) / (b - a)))
        })
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
