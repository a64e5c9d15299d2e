//! Colours of classes: as they are written, and for those that were given none.

use serde::Deserialize;

use crate::core::scene::Rgb;

/// Colours that the colour-blind can tell apart (Okabe and Ito, 2008), without black.
const OKABE_ITO: [Rgb; 7] = [
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
    [0x00, 0x9e, 0x73],
    [0xf0, 0xe4, 0x42],
    [0x00, 0x72, 0xb2],
    [0xd5, 0x5e, 0x00],
    [0xcc, 0x79, 0xa7],
];

/// The colour of the `index`th class that was given none; all differ well.
pub fn class_colour(index: usize) -> Rgb {
    let Some(later) = index.checked_sub(OKABE_ITO.len()) else {
        return OKABE_ITO[index];
    };
    // The golden angle keeps each hue far from those before it; brightness alternates.
    let hue = (later as f64 * 137.508 + 280.0) % 360.0 / 60.0;
    let value = [230.0, 160.0, 200.0][later % 3];
    let channel = |shift: f64| {
        let k = (shift + hue) % 6.0;
        (value * (1.0 - 0.7 * k.min(4.0 - k).clamp(0.0, 1.0))).round() as u8
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Hex(pub Rgb);

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let digits = text.strip_prefix('#').unwrap_or(&text);
        let number = u32::from_str_radix(digits, 16).ok();
        let number = number.filter(|_| digits.len() == 6);
        let number =
            number.ok_or_else(|| format!("{text:?} is no colour; write one as #e69f00"))?;
        let [_, r, g, b] = number.to_be_bytes();
        Ok(Self([r, g, b]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hundred_colours_differ() {
        let colours: std::collections::HashSet<Rgb> = (0..100).map(class_colour).collect();
        assert_eq!(colours.len(), 100);
    }
}
