use ort::session::Session;
use ort::value::TensorRef;
use proptest::prelude::*;

use super::convolution::{Convolution, Room};
use super::is_known;
use super::layer::{Extent, Layer, Window};
use crate::segment::Compute;
use crate::segment::click::MODEL;
use crate::segment::click::input::{PROMPT, RGB};
use crate::segment::click::kernels::domain;
use crate::segment::runtime::{self, Model};

/// Bytes that are alike for some length, then random for some.
fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    (0..length)
        .map(|at| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if at / 900 % 2 == 0 {
                (state >> 32) as u8
            } else {
                9
            }
        })
        .collect()
}

/// A layer's parts.
struct Parts {
    kernel: Vec<i8>,
    bias: Vec<i32>,
    scale: Vec<f32>,
    window: Window,
    zero: [u8; 2],
}

impl Parts {
    /// Of outputs that see `depth` channels each.
    fn new(outputs: usize, depth: usize, window: Window, zero: [u8; 2], seed: u64) -> Self {
        let count = outputs * depth * window.side * window.side;
        let weight = |byte: &u8| (byte / 2) as i8 - 63;
        // Sums of many channels are as large as those of few.
        let scale = 0.02 / (depth as f32).sqrt();
        Self {
            kernel: bytes(count, seed).iter().map(weight).collect(),
            bias: (0..outputs as i32).map(|k| 700 * (k % 7) - 900).collect(),
            scale: (0..outputs).map(|k| scale + 1e-4 * k as f32).collect(),
            window,
            zero,
        }
    }

    fn layer(&self) -> Layer<'_> {
        Layer {
            kernel: &self.kernel,
            bias: &self.bias,
            scale: &self.scale,
            window: self.window,
            zero: self.zero,
        }
    }
}

/// A convolution as it is defined.
fn defined(layer: &Layer, input: &[u8], extent: Extent) -> Vec<u8> {
    let &Layer { window, zero, .. } = layer;
    let Window {
        side,
        stride,
        padding: [padding, _],
    } = window;
    let depth = layer.depth().expect("the parts fit");
    let byte = |y: i64, x: i64, channel: usize| {
        let is_inside = y >= 0 && x >= 0 && y < extent.height as i64 && x < extent.width as i64;
        let cell = || y as usize * extent.width + x as usize;
        if is_inside {
            input[cell() * extent.channels + channel]
        } else {
            zero[0]
        }
    };
    let mut out = Vec::new();
    for y in 0..window.outputs(extent.height) {
        for x in 0..window.outputs(extent.width) {
            for (output, kernel) in layer.kernel.chunks_exact(depth * side * side).enumerate() {
                let mut sum = layer.bias[output];
                for (at, kernel) in kernel.iter().enumerate() {
                    let (channel, row, column) = (at / side / side, at / side % side, at % side);
                    let channel = if depth == 1 { output } else { channel };
                    let [v, u] = [(y, row), (x, column)]
                        .map(|(at, of)| (at * stride + of) as i64 - padding as i64);
                    let value = i32::from(byte(v, u, channel)) - i32::from(zero[0]);
                    sum += value * i32::from(*kernel);
                }
                let value = (sum as f32 * layer.scale[output]).round_ties_even();
                out.push((value + f32::from(zero[1])).clamp(0.0, 255.0) as u8);
            }
        }
    }
    out
}

/// What layers make of a picture one after the other: as they are defined, and by the kernels.
fn both_ways(
    [expand, layer, project]: [Option<&Layer>; 3],
    extent: Extent,
    seed: u64,
) -> (Vec<u8>, Vec<u8>) {
    let input = bytes(extent.height * extent.width * extent.channels, seed);
    let (mut wanted, mut of) = (input.clone(), extent);
    for layer in [expand, layer, project].into_iter().flatten() {
        wanted = defined(layer, &wanted, of);
        of = Extent {
            height: layer.window.outputs(of.height),
            width: layer.window.outputs(of.width),
            channels: layer.bias.len(),
        };
    }
    let layer = layer.expect("there is a layer");
    let kernels = Convolution::new(expand, layer, project).expect("layers of a known kind");
    assert_eq!(kernels.channels(), extent.channels);
    let mut out = vec![77; wanted.len()];
    // In two parts, as two threads make them, or one after the other in the same room.
    let row = of.width * of.channels;
    let first = (of.height / 2).next_multiple_of(4).min(of.height);
    let (upper, lower) = out.split_at_mut(first * row);
    let mut room = Room::default();
    for (first, out) in [(0, upper), (first, lower)] {
        if !out.is_empty() {
            #[expect(unsafe_code, reason = "the test asks for such a processor")]
            unsafe {
                kernels.rows(&input, extent, first, out, &mut room);
            }
        }
    }
    (wanted, out)
}

/// What lies beside the last column may be more than beside the first, as where the stride is 2.
fn window(side: usize, stride: usize) -> Window {
    let before = (side - 1) / 2;
    let padding = [before, before + (side + stride) % 2];
    Window {
        side,
        stride,
        padding,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn depthwise_layers_are_what_their_definitions_make(
        (height, width) in (1..40_usize, 1..40_usize),
        (side, stride) in (prop_oneof![Just(3), Just(5)], 1..3_usize),
        blocks in 1..5_usize,
        seen in prop::option::of(1..12_usize),
        outputs in prop::option::of(1..8_usize),
        zero: [u8; 4],
        seed: u64,
    ) {
        if !is_known() {
            return Ok(());
        }
        let [a, b, c, d] = zero;
        let channels = 16 * blocks;
        let extent = Extent { height, width, channels: seen.map_or(channels, |seen| 4 * seen) };
        let expand = seen.map(|seen| Parts::new(channels, 4 * seen, Window::CELL, [a, b], seed ^ 3));
        let layer = Parts::new(channels, 1, window(side, stride), [b, c], seed ^ 5);
        let project = outputs.map(|outputs| Parts::new(8 * outputs, channels, Window::CELL, [c, d], seed ^ 7));
        let layers = [expand.as_ref(), Some(&layer), project.as_ref()].map(|parts| parts.map(Parts::layer));
        let (wanted, made) = both_ways(layers.each_ref().map(Option::as_ref), extent, seed);
        prop_assert!(made == wanted);
    }

    #[test]
    fn a_layer_that_sees_all_channels_is_what_its_definition_makes(
        (height, width) in (1..40_usize, 1..40_usize),
        (side, stride) in prop_oneof![Just((1, 1)), (2..4_usize, 1..3_usize)],
        (words, eights) in (1..17_usize, 1..9_usize),
        zero: [u8; 4],
        seed: u64,
    ) {
        if !is_known() {
            return Ok(());
        }
        let (channels, window) = (4 * words, window(side, stride));
        let layer = Parts::new(8 * eights, channels, window, [zero[0], zero[1]], seed ^ 5);
        let layers = [None, Some(&layer.layer()), None];
        let (wanted, made) = both_ways(layers, Extent { height, width, channels }, seed);
        prop_assert!(made == wanted);
    }
}

#[test]
fn the_net_gives_the_same_bytes_with_the_kernels_as_without() {
    let open = |kernels| {
        let model = Model::Bytes {
            bytes: MODEL,
            kernels,
        };
        runtime::session(Compute::Processor, &model, "the net", 2)
            .expect("it loads")
            .0
    };
    let features = |session: &mut Session, size: usize| {
        let given = |channels: usize| {
            let values = bytes(channels * size * size, size as u64);
            ([1, size / 2, size / 2, 4 * channels], values)
        };
        let (image, prompt) = (given(RGB), given(PROMPT));
        let image = TensorRef::from_array_view((image.0, &image.1[..])).expect("a tensor");
        let prompt = TensorRef::from_array_view((prompt.0, &prompt.1[..])).expect("a tensor");
        let outputs = session.run(ort::inputs!["image" => image, "prompt" => prompt]);
        let outputs = outputs.expect("it runs");
        let (_, bytes) = outputs["features"]
            .try_extract_tensor::<u8>()
            .expect("bytes");
        bytes.to_vec()
    };
    let (mut with, mut without) = (open(domain), open(|| Ok(None)));
    for size in [32, 96, 256, 384] {
        let (with, without) = (features(&mut with, size), features(&mut without, size));
        assert!(with == without, "at {size} pixels");
    }
}
