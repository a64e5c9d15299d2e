//! Logistic regression that stays near given weights: minimises the mean loss plus
//! `PULL * |w - start|²` by damped Newton steps.

use rayon::prelude::*;

use crate::segment::click::head::{INPUTS, Layer};

/// Pull towards the start; of 1e-2, 1e-3 and 1e-4 the best on drawn cells, cracks and spots.
const PULL: f64 = 1e-3;
const MOST_STEPS: usize = 30;
/// A step that lowers the loss by less is the last one.
const SETTLED: f64 = 1e-7;
/// The weights and the bias.
const N: usize = INPUTS + 1;

/// A pixel: what the last layer sees of it, and whether it belongs to the object.
#[derive(Debug, Clone, Copy)]
pub struct Pixel {
    pub inputs: [f32; INPUTS],
    pub is_inside: bool,
    /// How many cells of the crop it stands for.
    pub stands_for: f32,
}

/// The logit that a layer gives a pixel.
pub fn logit(layer: &Layer, inputs: &[f32; INPUTS]) -> f32 {
    let sum: f32 = layer.0.iter().zip(inputs).map(|(w, x)| w * x).sum();
    sum + layer.1
}

/// The layer that tells these pixels apart best without going far from `start`.
pub fn fit(pixels: &[&[Pixel]], start: &Layer) -> Layer {
    let anchor: [f64; N] =
        std::array::from_fn(|k| f64::from(if k < INPUTS { start.0[k] } else { start.1 }));
    let mut weights = anchor;
    let mut state = Slope::at(pixels, &weights, &anchor);
    for _ in 0..MOST_STEPS {
        let Some(step) = solve(state.curvature, &state.gradient) else {
            break;
        };
        let descent: f64 = step.iter().zip(&state.gradient).map(|(s, g)| s * g).sum();
        // Plain Newton steps overshoot where classes are almost separable: halve until it helps.
        let mut length = 1.0;
        let next = loop {
            let tried: [f64; N] = std::array::from_fn(|k| weights[k] - length * step[k]);
            let there = Slope::at(pixels, &tried, &anchor);
            if there.loss <= state.loss - 1e-4 * length * descent {
                break Some((tried, there));
            }
            length /= 2.0;
            if length < 1e-4 {
                break None;
            }
        };
        let Some((tried, there)) = next else { break };
        let gained = state.loss - there.loss;
        (weights, state) = (tried, there);
        if gained < SETTLED {
            break;
        }
    }
    let layer = std::array::from_fn(|k| weights[k] as f32);
    (layer, weights[INPUTS] as f32)
}

/// Loss, gradient and curvature at some weights.
struct Slope {
    loss: f64,
    gradient: [f64; N],
    /// Row by row, the lower triangle alone.
    curvature: Box<[[f64; N]; N]>,
}

impl Slope {
    fn empty() -> Self {
        Self {
            loss: 0.0,
            gradient: [0.0; N],
            curvature: Box::new([[0.0; N]; N]),
        }
    }

    fn at(pixels: &[&[Pixel]], weights: &[f64; N], anchor: &[f64; N]) -> Self {
        let mut slope = pixels
            .par_iter()
            .fold(Self::empty, |slope, group| slope.with(group, weights))
            .reduce(Self::empty, |a, b| a.plus(&b));
        let count = pixels.iter().map(|group| group.len()).sum::<usize>().max(1) as f64;
        slope.loss /= count;
        for k in 0..N {
            let off = weights[k] - anchor[k];
            slope.loss += PULL * off * off;
            slope.gradient[k] = slope.gradient[k] / count + 2.0 * PULL * off;
            for value in &mut slope.curvature[k][..=k] {
                *value /= count;
            }
            slope.curvature[k][k] += 2.0 * PULL;
        }
        slope
    }

    fn with(mut self, pixels: &[Pixel], weights: &[f64; N]) -> Self {
        for pixel in pixels {
            let x: [f64; N] =
                std::array::from_fn(|k| pixel.inputs.get(k).map_or(1.0, |v| f64::from(*v)));
            let z: f64 = x.iter().zip(weights).map(|(x, w)| x * w).sum();
            let p = 1.0 / (1.0 + (-z).exp());
            let y = f64::from(u8::from(pixel.is_inside));
            self.loss += z.max(0.0) - y * z + (-z.abs()).exp().ln_1p();
            for i in 0..N {
                self.gradient[i] += (p - y) * x[i];
                let share = p * (1.0 - p) * x[i];
                for (value, other) in self.curvature[i][..=i].iter_mut().zip(&x) {
                    *value += share * other;
                }
            }
        }
        self
    }

    fn plus(mut self, other: &Self) -> Self {
        self.loss += other.loss;
        for i in 0..N {
            self.gradient[i] += other.gradient[i];
            for (value, more) in self.curvature[i].iter_mut().zip(&other.curvature[i]) {
                *value += more;
            }
        }
        self
    }
}

/// The step that takes a gradient to zero, by Cholesky's decomposition of the curvature; `None`
/// where it has no such step.
fn solve(mut lower: Box<[[f64; N]; N]>, gradient: &[f64; N]) -> Option<[f64; N]> {
    for i in 0..N {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = lower[i][j] - sum;
            if i > j {
                lower[i][j] = rest / lower[j][j];
            } else if rest > 0.0 {
                lower[i][i] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    let mut step = *gradient;
    for i in 0..N {
        let sum: f64 = (0..i).map(|k| lower[i][k] * step[k]).sum();
        step[i] = (step[i] - sum) / lower[i][i];
    }
    for i in (0..N).rev() {
        let sum: f64 = (i + 1..N).map(|k| lower[k][i] * step[k]).sum();
        step[i] = (step[i] - sum) / lower[i][i];
    }
    Some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(value: f32, is_inside: bool) -> Pixel {
        let mut inputs = [0.0; INPUTS];
        inputs[3] = value;
        Pixel {
            inputs,
            is_inside,
            stands_for: 1.0,
        }
    }

    #[test]
    fn a_layer_that_was_wrong_learns_to_tell_pixels_apart() {
        let pixels: Vec<Pixel> = (0..400)
            .map(|i| pixel(i as f32 / 40.0, (i > 240) ^ (i % 41 == 0)))
            .collect();
        let mut start = ([0.0; INPUTS], 0.0);
        start.0[3] = -1.0;
        let layer = fit(&[&pixels], &start);
        assert!(logit(&layer, &pixel(4.0, false).inputs) < 0.0);
        assert!(logit(&layer, &pixel(8.0, true).inputs) > 0.0);
        let unused = layer.0.iter().enumerate().filter(|(k, _)| *k != 3);
        assert!(unused.map(|(_, w)| w.abs()).all(|w| w < 1e-6));
    }

    #[test]
    fn without_pixels_the_layer_stays_as_it_was() {
        let start = ([0.25; INPUTS], -0.5);
        assert_eq!(fit(&[], &start), start);
    }
}
