//! The last layer, which lies outside of the network's graph: the network's own, and one that a
//! folder taught.

use std::ops::Deref;

use super::input::RGB;
use super::plane::{between, doubled, means};
use crate::core::adaptation::Adaptation;

/// Channels of the network's `features`.
pub const FEATURES: usize = 24;
/// The crop's normalised RGB, then RGB minus its mean over a small and over a large square.
pub const COLOURS: usize = 9;
pub const INPUTS: usize = FEATURES + COLOURS;

/// The training's normalisation of RGB/255, which the colours are seen in.
const MEAN: f32 = 0.498;
const STD: f32 = 0.502;
/// Half the sides of those squares, as a share of the crop: 8 and 32 pixels of 384.
const REACHES: [usize; 2] = [48, 12];

/// So many are multiplied at once.
const LANES: usize = 8;

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

/// What the network makes of a crop, as it gives it.
#[derive(Debug)]
pub struct Features<Bytes> {
    /// [size / 2, size / 2, FEATURES]
    pub bytes: Bytes,
    /// What a byte counts.
    pub step: f32,
}

impl<Bytes: Deref<Target = [u8]>> Features<Bytes> {
    /// The logits, [size, size], that a layer makes of them.
    pub fn read_out(&self, weights: &[f32], bias: f32) -> Vec<f32> {
        let weights: [f32; FEATURES] = std::array::from_fn(|k| weights[k] * self.step);
        let (weights, _) = weights.as_chunks::<LANES>();
        let (cells, _) = self.bytes.as_chunks::<FEATURES>();
        let logit = |cell: &[u8; FEATURES]| {
            let mut sums = [0.0; LANES];
            for (weights, values) in weights.iter().zip(cell.as_chunks::<LANES>().0) {
                for k in 0..LANES {
                    sums[k] += weights[k] * f32::from(values[k]);
                }
            }
            bias + sums.iter().sum::<f32>()
        };
        let coarse: Vec<f32> = cells.iter().map(logit).collect();
        doubled(&coarse, cells.len().isqrt())
    }
}

/// What the last layer sees of a crop.
#[derive(Debug)]
pub struct Evidence {
    pub size: usize,
    features: Features<Vec<u8>>,
    /// [COLOURS, size, size]
    colours: Vec<f32>,
}

impl Evidence {
    /// `rgb` is the network's own input, [size, size, 3].
    pub fn new(features: Features<Vec<u8>>, rgb: &[u8], size: usize) -> Self {
        Self {
            size,
            features,
            colours: colours(rgb, size),
        }
    }

    /// The last layer's inputs at a cell of the crop.
    pub fn at(&self, x: usize, y: usize) -> [f32; INPUTS] {
        let half = self.size / 2;
        let Features { bytes, step } = &self.features;
        let mut values = [0.0; INPUTS];
        for (k, value) in values[..FEATURES].iter_mut().enumerate() {
            let feature = |cell: usize| f32::from(bytes[cell * FEATURES + k]) * step;
            *value = between(feature, half, x, y);
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
        let mut logits = self.features.read_out(for_features, adaptation.bias);
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

/// Planes of colours, as the training had them.
fn normalised(rgb: &[u8]) -> Vec<f32> {
    let (pixels, _) = rgb.as_chunks::<RGB>();
    let value = |byte: u8| (f32::from(byte) / 255.0 - MEAN) / STD;
    (0..RGB)
        .flat_map(|k| pixels.iter().map(move |pixel| value(pixel[k])))
        .collect()
}

fn colours(rgb: &[u8], size: usize) -> Vec<f32> {
    let image = normalised(rgb);
    let mut planes = image.clone();
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
