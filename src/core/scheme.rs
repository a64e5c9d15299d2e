//! Whether text stands on a dark or on a light ground.

use serde::Deserialize;

use super::scene::Rgb;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    Dark,
    Light,
}

impl Scheme {
    /// The scheme of a terminal with this background.
    pub fn of(background: Rgb) -> Self {
        // The luminance at which black and white text contrast alike.
        if luminance(background) > 0.179 {
            Self::Light
        } else {
            Self::Dark
        }
    }
}

/// Relative luminance of an sRGB colour, 0 to 1 (WCAG 2.1).
pub fn luminance(colour: Rgb) -> f64 {
    let [r, g, b] = colour.map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// How well one colour stands out from another, 1 to 21; text is readable from 4.5 on (WCAG 2.1).
pub fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}
