//! The terminal's background colour, from its answer to OSC 11.

use crate::core::scene::Rgb;

/// Asks for it. Terminals that do not know the question say nothing.
pub const QUERY: &str = "\x1b]11;?\x1b\\";

/// From `ESC ] 11 ; rgb:1010/1414/1818 ST`; each channel has one to four hexadecimal digits.
pub fn told(answers: &str) -> Option<Rgb> {
    let (_, rest) = answers.split_once("\x1b]11;rgb:")?;
    let text = &rest[..rest.find(['\x1b', '\x07'])?];
    let mut channels = text.split('/').map(|digits| {
        let most = (1_u32 << (4 * digits.len().clamp(1, 4))) - 1;
        let value = u32::from_str_radix(digits, 16).ok()?;
        Some((value.min(most) * 255 / most) as u8)
    });
    let mut next = || channels.next().flatten();
    Some([next()?, next()?, next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_background_is_read_in_every_number_of_digits() {
        let told_in = |text: &str| told(&format!("\x1b[?62c\x1b]11;{text}"));
        assert_eq!(told_in("rgb:ffff/8080/0000\x1b\\"), Some([255, 128, 0]));
        assert_eq!(told_in("rgb:ff/80/00\x07"), Some([255, 128, 0]));
        assert_eq!(told_in("rgb:f/8/0\x07"), Some([255, 136, 0]));
        assert_eq!(told_in("rgb:ff/80"), None);
        assert_eq!(told_in("#ff8000\x07"), None);
        assert_eq!(told(""), None);
    }
}
