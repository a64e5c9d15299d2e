//! The `IoU` to expect of an answer, calibrated on masks that are known.

use crate::core::prompt::{Prompt, Soft};

/// What the probabilities let expect, and the `IoU` that came of it; between them a line.
type Curve = [(f32, f32)];

/// `models/train/confidence.py` fits them, to `termask eval --csv` on a part of ECSSD.
const OF_CLICKS: &Curve = &[
    (0.0, 0.0),
    (0.6518, 0.6087),
    (0.7754, 0.811),
    (0.8264, 0.86),
    (0.8608, 0.8866),
    (0.8938, 0.9101),
    (0.9328, 0.9503),
    (1.0, 1.0),
];
const OF_BOX: &Curve = &[
    (0.0, 0.0),
    (0.7158, 0.8472),
    (0.8145, 0.9064),
    (0.8486, 0.9216),
    (0.8765, 0.9479),
    (0.9049, 0.9593),
    (0.9398, 0.9795),
    (1.0, 1.0),
];

/// Soft edges make probabilities expect too little, above all of a box, which leaves no doubt about
/// which object is meant.
pub fn predicted_iou(soft: &Soft, threshold: f32, prompt: &Prompt) -> f32 {
    let curve = if prompt.rect.is_some() {
        OF_BOX
    } else {
        OF_CLICKS
    };
    along(curve, soft.expected_iou(threshold))
}

fn along(curve: &Curve, x: f32) -> f32 {
    let after = curve
        .partition_point(|(at, _)| *at < x)
        .clamp(1, curve.len() - 1);
    let ((x0, y0), (x1, y1)) = (curve[after - 1], curve[after]);
    (y0 + (x - x0) / (x1 - x0) * (y1 - y0)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surer_answer_never_has_the_lower_confidence() {
        for curve in [OF_CLICKS, OF_BOX] {
            let values: Vec<f32> = (0..=1000)
                .map(|i| along(curve, i as f32 / 1000.0))
                .collect();
            assert!(values.is_sorted());
            assert!(values[0] < 0.5 && values[1000] > 0.9, "{values:?}");
        }
    }
}
