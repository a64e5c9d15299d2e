//! Draws probabilities to the edges of the picture: the guided filter (He, Sun and Tang 2013), with
//! its sums at half the resolution (He and Sun 2015).

use super::input::RGB;
use super::plane::{double_row, means};

/// Half the filter's window, as a share of the square root of the object's area.
const REACH: f64 = 0.03;
/// Below this variance of RGB (0 to 1) a window has no edge to follow.
const FLAT: f32 = 1e-3;

/// Red, green, blue and the probability of a cell.
type Cell = [f32; 4];
/// Probability as a line of the colour: its height, then its slopes along red, green and blue.
type Line = [f32; 4];

/// The filter and the room it works in: to be given fresh memory takes as long as to fill it.
#[derive(Debug, Default)]
pub struct Edges {
    /// The picture and the probabilities at half the resolution.
    cells: Vec<Cell>,
    lines: Vec<Line>,
    /// What the lines around each cell have in common: their heights, then their slopes.
    common: [Vec<f32>; 4],
    /// A row of slopes, one of colours, and one between two others.
    slopes: Vec<f32>,
    colours: Vec<f32>,
    row: Vec<f32>,
}

/// A byte of the picture, or the mean of some, from -0.5 to 0.5: sums of such numbers stay exact.
fn centred(byte: f32) -> f32 {
    byte * (1.0 / 255.0) - 0.5
}

/// Two by two of what lies in two rows: the upper two and the lower two.
fn squares<T>(rows: &[T], width: usize) -> impl Iterator<Item = (&[T; 2], &[T; 2])> {
    let (upper, lower) = rows.split_at(width);
    upper.as_chunks().0.iter().zip(lower.as_chunks().0)
}

/// Means of two by two pixels and of their probabilities.
fn halve(rgb: &[[u8; RGB]], probabilities: &[f32], size: usize, cells: &mut Vec<Cell>) {
    cells.clear();
    let rows = rgb.chunks_exact(2 * size);
    for (rgb, p) in rows.zip(probabilities.chunks_exact(2 * size)) {
        let both = squares(rgb, size).zip(squares(p, size));
        cells.extend(both.map(|(([a, b], [c, d]), (above, below))| {
            let colour = |k: usize| {
                let sum = [a, b, c, d]
                    .map(|pixel| u16::from(pixel[k]))
                    .iter()
                    .sum::<u16>();
                centred(0.25 * f32::from(sum))
            };
            let p = 0.25 * (above[0] + above[1] + below[0] + below[1]);
            [colour(0), colour(1), colour(2), p]
        }));
    }
}

impl Edges {
    /// Makes probabilities, [size, size], in their surroundings linear in the colour of the picture,
    /// [size, size, 3].
    pub fn follow(&mut self, probabilities: &mut [f32], rgb: &[u8], size: usize, threshold: f32) {
        let inside = probabilities.iter().filter(|p| **p > threshold).count();
        let half = size / 2;
        let reach = (REACH * (inside as f64 + 1.0).sqrt() / 2.0)
            .round()
            .max(1.0) as usize;
        let (pixels, _) = rgb.as_chunks::<RGB>();
        halve(pixels, probabilities, size, &mut self.cells);
        let lines = &mut self.lines;
        lines.clear();
        means(&self.cells, half, reach, moments, |means| {
            lines.push(line(means));
        });
        let common = &mut self.common;
        common.iter_mut().for_each(Vec::clear);
        means(
            lines,
            half,
            reach,
            |line| *line,
            |mean| {
                for (plane, value) in common.iter_mut().zip(mean) {
                    plane.push(*value);
                }
            },
        );
        let [height, of_colours @ ..] = &self.common;
        let (slopes, colours, row) = (&mut self.slopes, &mut self.colours, &mut self.row);
        slopes.resize(size, 0.0);
        let pixels = pixels.chunks_exact(size);
        for (y, (out, pixels)) in probabilities.chunks_exact_mut(size).zip(pixels).enumerate() {
            double_row(height, half, y, row, out);
            for (k, of_colour) in of_colours.iter().enumerate() {
                double_row(of_colour, half, y, row, slopes);
                colours.clear();
                colours.extend(pixels.iter().map(|pixel| centred(f32::from(pixel[k]))));
                for ((value, slope), colour) in out.iter_mut().zip(&*slopes).zip(&*colours) {
                    *value += slope * colour;
                }
            }
            for value in out {
                *value = value.clamp(0.0, 1.0);
            }
        }
    }
}

/// A cell's numbers, their squares, the products of neighbours, and those of every other two: so
/// ordered, each line is one wide multiplication.
#[inline]
fn moments([r, g, b, p]: &Cell) -> [f32; 14] {
    [
        *r,
        *g,
        *b,
        *p,
        r * r,
        g * g,
        b * b,
        p * p,
        r * g,
        g * b,
        b * p,
        p * r,
        r * b,
        g * p,
    ]
}

/// The line that is nearest to the probabilities of a window, by the means of its [`moments`].
#[inline]
fn line(means: &[f32; 14]) -> Line {
    let [r, g, b, p, rr, gg, bb, _, rg, gb, bp, pr, rb, gp] = *means;
    let [red, green, blue] = solve(
        [
            rr - r * r + FLAT,
            rg - r * g,
            rb - r * b,
            gg - g * g + FLAT,
            gb - g * b,
            bb - b * b + FLAT,
        ],
        [pr - p * r, gp - g * p, bp - b * p],
    );
    [p - red * r - green * g - blue * b, red, green, blue]
}

/// The solution of a symmetric, positive definite system of three by its cofactors; the matrix is
/// given as its upper triangle, row by row.
fn solve([a, b, c, d, e, f]: [f32; 6], [x, y, z]: [f32; 3]) -> [f32; 3] {
    let (p, q, r) = (d * f - e * e, c * e - b * f, b * e - c * d);
    let whole = 1.0 / (a * p + b * q + c * r);
    let (s, t, u) = (a * f - c * c, b * c - a * e, a * d - b * b);
    [
        (p * x + q * y + r * z) * whole,
        (q * x + s * y + t * z) * whole,
        (r * x + t * y + u * z) * whole,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blurred_edge_comes_to_lie_where_the_colour_changes() {
        let size = 64;
        // The colour changes at column 32, the probability two columns later and over nine.
        let rgb: Vec<u8> = (0..size * size)
            .flat_map(|i| if i % size < 32 { [191; 3] } else { [64; 3] })
            .collect();
        let mut drawn: Vec<f32> = (0..size * size)
            .map(|i| (0.5 - ((i % size) as f32 - 34.0) / 9.0).clamp(0.0, 1.0))
            .collect();
        Edges::default().follow(&mut drawn, &rgb, size, 0.5);
        let row = &drawn[32 * size..33 * size];
        let falls: Vec<f32> = row.windows(2).map(|pair| pair[0] - pair[1]).collect();
        let steepest = falls.iter().copied().fold(0.0, f32::max);
        assert!((falls[31] - steepest).abs() < 1e-6, "{row:?}");
        assert!(steepest > 0.2, "it was a ninth: {row:?}");
    }

    #[test]
    fn a_system_of_three_is_solved() {
        let found = solve([2.0, 1.0, 0.0, 3.0, 1.0, 4.0], [4.0, 10.0, 14.0]);
        let wanted = [1.0, 2.0, 3.0];
        for (a, b) in found.iter().zip(wanted) {
            assert!((a - b).abs() < 1e-5, "{found:?}");
        }
    }
}
