//! The IoU to expect of an answer.

use crate::core::prompt::{Prompt, Soft};

/// The `IoU` to expect if each probability is right: what lies inside over all that may.
pub fn predicted_iou(soft: &Soft, threshold: f32, _prompt: &Prompt) -> f32 {
    let cut = (threshold * 255.0) as u8;
    let (mut inside, mut sure, mut beyond) = (0_u32, 0.0_f32, 0.0_f32);
    for v in &soft.values {
        let p = f32::from(*v) / 255.0;
        if *v > cut {
            inside += 1;
            sure += p;
        } else {
            beyond += p;
        }
    }
    if inside == 0 {
        return 0.0;
    }
    sure / (inside as f32 + beyond)
}
