//! The last layer, which lies outside of the network's graph: the network's own, and one that a
//! folder taught.

use super::plane::{between, doubled, means};
use crate::core::adaptation::Adaptation;

/// Channels of the network's `features`.
pub const FEATURES: usize = 24;
/// The crop's normalised RGB, then RGB minus its mean over a small and over a large square.
pub const COLOURS: usize = 9;
pub const INPUTS: usize = FEATURES + COLOURS;

/// Half the sides of those squares, as a share of the crop: 8 and 32 pixels of 384.
const REACHES: [usize; 2] = [48, 12];

/// Weights and bias of a last layer.
pub type Layer = ([f32; INPUTS], f32);

/// The network's own last layer, which knows no colours, from the text that `export.py` writes into
/// the file: the features' weights, then the bias.
pub fn layer(text: &str) -> Option<Layer> {
    let values: Vec<f32> = serde_json::from_str(text).ok()?;
    let (bias, features) = values.split_last()?;
    let features: &[f32; FEATURES] = features.try_into().ok()?;
    let mut weights = [0.0; INPUTS];
    weights[..FEATURES].copy_from_slice(features);
    Some((weights, *bias))
}

/// The logits, [size, size], that a layer makes of features, [FEATURES, size / 2, size / 2].
pub fn read_out(features: &[f32], weights: &[f32], bias: f32) -> Vec<f32> {
    let area = features.len() / FEATURES;
    let mut coarse = vec![bias; area];
    add_weighted(&mut coarse, weights, features);
    doubled(&coarse, area.isqrt())
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
        let (for_features, for_colours) = adaptation.weights.split_at(FEATURES);
        let mut logits = read_out(&self.features, for_features, adaptation.bias);
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

fn colours(image: &[f32], size: usize) -> Vec<f32> {
    let mut planes = image.to_vec();
    for share in REACHES {
        for plane in image.chunks_exact(size * size) {
            let reach = (size / share).max(1);
            let mut values = plane.iter();
            let less_mean = |[mean]: &[f32; 1]| planes.extend(values.next().map(|v| v - mean));
            means(plane, size, reach, |value| [*value], less_mean);
        }
    }
    planes
}
