use ort::session::Session;
use ort::value::TensorRef;
use proptest::prelude::*;

use super::layer::{Extent, Layer, Window};
use super::operators::Convolution;
use super::{domain, has_vnni};
use crate::segment::Compute;
use crate::segment::click::MODEL;
use crate::segment::click::input::{PROMPT, RGB};
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

/// A convolution as it is defined.
fn defined(layer: &Layer, input: &[u8], extent: Extent, is_depthwise: bool) -> Vec<u8> {
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
                    let channel = if is_depthwise { output } else { channel };
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_layer_is_what_its_definition_makes(
        is_depthwise: bool,
        (height, width) in (1..40_usize, 1..40_usize),
        (kind, stride, tens) in (0..2_usize, 1..3_usize, 0..4_usize),
        zero: [u8; 2],
        seed: u64,
    ) {
        if !has_vnni() {
            return Ok(());
        }
        // Channels, those of the output, and the kernel's side.
        let (channels, outputs, side) = if is_depthwise {
            let channels = 32 + 16 * tens;
            (channels, channels, [3, 5][kind])
        } else {
            (8 + 8 * tens, 24 + 8 * tens, [2, 3][kind])
        };
        let depth = if is_depthwise { 1 } else { channels };
        let kernel: Vec<i8> = bytes(outputs * depth * side * side, seed ^ 5)
            .iter()
            .map(|byte| (byte / 2) as i8 - 63)
            .collect();
        let bias: Vec<i32> = (0..outputs as i32).map(|k| 700 * (k % 7) - 900).collect();
        let scale: Vec<f32> = (0..outputs).map(|k| 0.002 + 1e-4 * k as f32).collect();
        // Beside the last column there may lie more than beside the first, as where the stride is 2.
        let padding = [(side - 1) / 2, (side - 1) / 2 + (side + stride) % 2];
        let window = Window { side, stride, padding };
        let layer = Layer { kernel: &kernel, bias: &bias, scale: &scale, window, zero };
        let extent = Extent { height, width, channels };
        let input = bytes(height * width * channels, seed);
        let wanted = defined(&layer, &input, extent, is_depthwise);
        let made = Convolution::new(&layer).expect("a layer of a known kind");
        let (rows, across) = (window.outputs(height), window.outputs(width));
        let mut out = vec![77; rows * across * outputs];
        // In two parts, as two threads make them.
        let first = (rows / 2).next_multiple_of(2).min(rows);
        let (upper, lower) = out.split_at_mut(first * across * outputs);
        made.rows(&input, extent, 0, across, upper);
        made.rows(&input, extent, first, across, lower);
        prop_assert!(out == wanted);
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
