//! The `IoU` to expect of an answer, calibrated on masks that are known.

use crate::core::prompt::{Prompt, Soft};

/// What the probabilities let expect, and the `IoU` that came of it; between them a line.
type Curve = [(f32, f32)];

/// `models/train/confidence.py` fits them, to `termask eval --csv` on a part of ECSSD.
const OF_CLICKS: &Curve = &[
    (0.0, 0.0),
    (0.6494, 0.6284),
    (0.7742, 0.7577),
    (0.8274, 0.8486),
    (0.8605, 0.8973),
    (0.8892, 0.9007),
    (0.9305, 0.952),
    (1.0, 1.0),
];
const OF_BOX: &Curve = &[
    (0.0, 0.0),
    (0.7028, 0.8369),
    (0.812, 0.9079),
    (0.8443, 0.9276),
    (0.8744, 0.9464),
    (0.9021, 0.9576),
    (0.9376, 0.9805),
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
