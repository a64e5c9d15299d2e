//! Draws probabilities to the edges of the picture: the guided filter (He, Sun and Tang 2013), with
//! its sums at half the resolution (He and Sun 2015).

use super::plane::{doubled, halved, means};

/// Half the filter's window, as a share of the square root of the object's area.
const REACH: f64 = 0.03;
/// Below this variance of RGB (0 to 1) a window has no edge to follow.
const FLAT: f32 = 1e-3;

/// Probabilities, [size, size], of which each is in its surroundings linear in the colour of the
/// picture, [3, size, size]. `unit` is the standard deviation that the picture was divided by.
pub fn follow(
    probabilities: &[f32],
    image: &[f32],
    size: usize,
    threshold: f32,
    unit: f32,
) -> Vec<f32> {
    let inside = probabilities.iter().filter(|p| **p > threshold).count();
    let half = size / 2;
    let reach = (REACH * (inside as f64 + 1.0).sqrt() / 2.0)
        .round()
        .max(1.0) as usize;
    let rgb: Vec<Vec<f32>> = image
        .chunks_exact(size * size)
        .map(|plane| halved(plane, size, unit))
        .collect();
    let p = halved(probabilities, size, 1.0);
    let mean = |plane: &[f32]| means(plane, half, reach);
    let product = |a: &[f32], b: &[f32]| -> Vec<f32> {
        mean(&a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<f32>>())
    };
    let mean_p = mean(&p);
    let mean_rgb: Vec<Vec<f32>> = rgb.iter().map(|plane| mean(plane)).collect();
    let with_p: Vec<Vec<f32>> = rgb.iter().map(|plane| product(plane, &p)).collect();
    let pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];
    let squares: Vec<Vec<f32>> = pairs
        .iter()
        .map(|(a, b)| product(&rgb[*a], &rgb[*b]))
        .collect();
    // Of each cell the line's height, then its slopes along red, green and blue.
    let mut lines: [Vec<f32>; 4] = std::array::from_fn(|_| vec![0.0; half * half]);
    for i in 0..half * half {
        let m = [0, 1, 2].map(|k| mean_rgb[k][i]);
        let mut s = [0.0; 6];
        for (n, (a, b)) in pairs.iter().enumerate() {
            s[n] = squares[n][i] - m[*a] * m[*b] + if a == b { FLAT } else { 0.0 };
        }
        let slope = solve(s, [0, 1, 2].map(|k| with_p[k][i] - m[k] * mean_p[i]));
        for k in 0..3 {
            lines[k + 1][i] = slope[k];
        }
        lines[0][i] = mean_p[i] - slope[0] * m[0] - slope[1] * m[1] - slope[2] * m[2];
    }
    let [mut out, red, green, blue] = lines.map(|plane| doubled(&mean(&plane), half));
    for (slope, colour) in [red, green, blue]
        .iter()
        .zip(image.chunks_exact(size * size))
    {
        for ((sum, slope), value) in out.iter_mut().zip(slope).zip(colour) {
            *sum += slope * value * unit;
        }
    }
    for value in &mut out {
        *value = value.clamp(0.0, 1.0);
    }
    out
}

/// The solution of a symmetric, positive definite system of three by its cofactors; the matrix is
/// given as its upper triangle, row by row.
fn solve([a, b, c, d, e, f]: [f32; 6], [x, y, z]: [f32; 3]) -> [f32; 3] {
    let (p, q, r) = (d * f - e * e, c * e - b * f, b * e - c * d);
    let determinant = a * p + b * q + c * r;
    let (s, t, u) = (a * f - c * c, b * c - a * e, a * d - b * b);
    [
        (p * x + q * y + r * z) / determinant,
        (q * x + s * y + t * z) / determinant,
        (r * x + t * y + u * z) / determinant,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blurred_edge_comes_to_lie_where_the_colour_changes() {
        let size = 64;
        // The colour changes at column 32, the probability two columns later and over nine.
        let plane: Vec<f32> = (0..size * size)
            .map(|i| if i % size < 32 { 1.0 } else { -1.0 })
            .collect();
        let image = [plane.clone(), plane.clone(), plane].concat();
        let blurred: Vec<f32> = (0..size * size)
            .map(|i| (0.5 - ((i % size) as f32 - 34.0) / 9.0).clamp(0.0, 1.0))
            .collect();
        let drawn = follow(&blurred, &image, size, 0.5, 0.5);
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
