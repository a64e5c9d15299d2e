//! The last layer outside of the network: the shipped one, and one that a folder taught.

use rayon::prelude::*;

use crate::core::adaptation::Adaptation;

/// Channels of the network's `features`.
pub const FEATURES: usize = 24;
/// The crop's normalised RGB, then RGB minus its mean over a small and over a large square.
pub const COLOURS: usize = 9;
pub const INPUTS: usize = FEATURES + COLOURS;

/// Half the sides of those squares, as a share of the crop: 8 and 32 pixels of 384.
const REACHES: [usize; 2] = [48, 12];

/// The network's own last layer (`out` in `models/train/net.py`; `export.py` prints it).
const WEIGHTS: [f32; FEATURES] = [
    -0.494_950_65,
    -0.282_356_08,
    0.388_270_3,
    -0.158_738_34,
    0.162_963_29,
    -0.289_959_43,
    -0.765_887_2,
    -0.444_260_84,
    -0.398_072_8,
    -0.326_705_96,
    -0.670_096_8,
    0.137_296_89,
    -0.310_593_04,
    0.176_575_44,
    -0.962_823_7,
    -0.388_687_22,
    -0.373_871_27,
    0.271_743_66,
    0.258_015_6,
    0.323_443_7,
    0.255_050_45,
    -0.879_264_9,
    -0.536_286_83,
    0.442_944_88,
];
const BIAS: f32 = -0.254_845_1;

/// The shipped weights, with none for the colours, and the bias.
pub fn shipped() -> ([f32; INPUTS], f32) {
    let mut weights = [0.0; INPUTS];
    weights[..FEATURES].copy_from_slice(&WEIGHTS);
    (weights, BIAS)
}

/// What the last layer sees of a crop.
#[derive(Debug)]
pub struct Evidence {
    pub size: usize,
    /// [FEATURES, size / 2, size / 2]
    features: Vec<f32>,
    /// [COLOURS, size, size]
    colours: Vec<f32>,
}

impl Evidence {
    /// `image` is the network's own input, [3, size, size].
    pub fn new(features: Vec<f32>, image: &[f32], size: usize) -> Self {
        Self {
            size,
            features,
            colours: colours(image, size),
        }
    }

    /// The last layer's inputs at a cell of the crop.
    pub fn at(&self, x: usize, y: usize) -> [f32; INPUTS] {
        let half = self.size / 2;
        let mut values = [0.0; INPUTS];
        for (k, value) in values[..FEATURES].iter_mut().enumerate() {
            let plane = &self.features[k * half * half..][..half * half];
            *value = between(plane, half, x, y);
        }
        let area = self.size * self.size;
        for (k, value) in values[FEATURES..].iter_mut().enumerate() {
            *value = self.colours[k * area + y * self.size + x];
        }
        values
    }

    /// The logits of a last layer, [size, size].
    pub fn logits(&self, adaptation: &Adaptation) -> Vec<f32> {
        let (size, half) = (self.size, self.size / 2);
        let (for_features, for_colours) = adaptation.weights.split_at(FEATURES);
        let mut coarse = vec![adaptation.bias; half * half];
        add_weighted(&mut coarse, for_features, &self.features);
        let mut logits: Vec<f32> = (0..size * size)
            .into_par_iter()
            .map(|i| between(&coarse, half, i % size, i / size))
            .collect();
        add_weighted(&mut logits, for_colours, &self.colours);
        logits
    }
}

fn add_weighted(sum: &mut [f32], weights: &[f32], planes: &[f32]) {
    for (weight, plane) in weights.iter().zip(planes.chunks_exact(sum.len())) {
        for (sum, value) in sum.iter_mut().zip(plane) {
            *sum += weight * value;
        }
    }
}

/// A plane of half the size at a cell of the whole size: bilinear, pixel centres aligned, as the
/// network's own last step.
pub fn between(plane: &[f32], half: usize, x: usize, y: usize) -> f32 {
    let near = |at: usize| {
        let low = at.div_ceil(2);
        // Three quarters of the nearer one, a quarter of the other.
        let (a, b) = (low.saturating_sub(1), low.min(half - 1));
        if at.is_multiple_of(2) {
            (a, b, 0.75)
        } else {
            (a, b, 0.25)
        }
    };
    let ((x0, x1, fx), (y0, y1, fy)) = (near(x), near(y));
    let row = |y: usize| plane[y * half + x0] * (1.0 - fx) + plane[y * half + x1] * fx;
    row(y0) * (1.0 - fy) + row(y1) * fy
}

fn colours(image: &[f32], size: usize) -> Vec<f32> {
    let mut planes = image.to_vec();
    for share in REACHES {
        for plane in image.chunks_exact(size * size) {
            let means = means(plane, size, (size / share).max(1));
            planes.extend(plane.iter().zip(means).map(|(value, mean)| value - mean));
        }
    }
    planes
}

/// Mean over the square of `2 * reach + 1` around each cell, of what lies in the plane.
pub fn means(plane: &[f32], size: usize, reach: usize) -> Vec<f32> {
    let along = |values: &[f32]| -> Vec<f32> {
        let mut means = vec![0.0; size * size];
        for (line, out) in values.chunks_exact(size).zip(means.chunks_exact_mut(size)) {
            let mut sum: f32 = line[..reach.min(size)].iter().sum();
            for (i, mean) in out.iter_mut().enumerate() {
                if i + reach < size {
                    sum += line[i + reach];
                }
                if i > reach {
                    sum -= line[i - reach - 1];
                }
                let covered = (i + reach).min(size - 1) + 1 - i.saturating_sub(reach);
                *mean = sum / covered as f32;
            }
        }
        means
    };
    transposed(&along(&transposed(&along(plane), size)), size)
}

fn transposed(plane: &[f32], size: usize) -> Vec<f32> {
    let mut turned = vec![0.0; size * size];
    for (y, row) in plane.chunks_exact(size).enumerate() {
        for (x, value) in row.iter().enumerate() {
            turned[x * size + y] = *value;
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_taken_of_what_lies_in_the_plane() {
        let plane: Vec<f32> = (0..25).map(|v| v as f32).collect();
        let means = means(&plane, 5, 1);
        let corner = (18.0 + 19.0 + 23.0 + 24.0) / 4.0;
        for (at, mean) in [(0, 3.0), (12, 12.0), (24, corner)] {
            assert!((means[at] - mean).abs() < 1e-5, "{at}: {}", means[at]);
        }
    }
}
