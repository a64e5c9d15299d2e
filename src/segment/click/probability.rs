//! What a logit says of a cell as a probability.

use std::f32::consts::{LN_2, LOG2_E};

/// Added to a number, it leaves the nearest whole one in the last bits, with the bias of a float's
/// exponent: moved to the exponent's place, these bits are the power of two.
const TO_EXPONENT: f32 = 12_582_912.0 + 127.0;

/// The exponential series, as exact as a float for a third and less.
const SERIES: [f32; 7] = [
    1.0,
    1.0,
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
];

/// The sigmoid of each logit. The C library's `exp` takes one at a time; this is made of steps that
/// the compiler does for several at once.
pub fn probabilities(mut logits: Vec<f32>) -> Vec<f32> {
    for value in &mut logits {
        *value = 1.0 / (1.0 + exp(-*value));
    }
    logits
}

fn exp(x: f32) -> f32 {
    let power = (x * LOG2_E).clamp(-126.0, 126.0);
    let shifted = power + TO_EXPONENT;
    let part = (power - (shifted - TO_EXPONENT)) * LN_2;
    let whole = f32::from_bits(shifted.to_bits() << 23);
    whole * SERIES.iter().rev().fold(0.0, |sum, c| sum * part + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_logit_has_the_sigmoid_s_probability() {
        let logits: Vec<f32> = (-40_000..=40_000).map(|i| i as f32 / 300.0).collect();
        for (logit, p) in logits.iter().zip(probabilities(logits.clone())) {
            let exact = 1.0 / (1.0 + (-f64::from(*logit)).exp());
            assert!((f64::from(p) - exact).abs() < 1e-6, "{logit}: {p} {exact}");
        }
        for (logit, p) in [(f32::INFINITY, 1.0), (f32::NEG_INFINITY, 0.0)] {
            assert!((probabilities(vec![logit])[0] - p).abs() < 1e-6, "{logit}");
        }
    }
}
