//! Colours of the text: for a dark ground, a light one, and one that nobody told. They are taken
//! from the fixed part of the 256 colours, which no palette of a terminal changes.

use ratatui::style::{Color, Modifier, Style};

use crate::core::scene::Rgb;
use crate::core::scheme::Scheme;

/// What stands out from the text, by what it says. Signs and words say the same: no meaning lies in
/// a colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    good: u8,
    bad: u8,
    warning: u8,
    /// Whether a light class's colour needs a dark ground of its own.
    is_plated: bool,
}

/// The ground of a class's colour where the text's may be light.
const PLATE: u8 = 236;

impl Theme {
    pub const fn new(scheme: Option<Scheme>) -> Self {
        let (good, bad, warning) = match scheme {
            Some(Scheme::Dark) => (77, 203, 220),
            Some(Scheme::Light) => (22, 124, 94),
            // Readable on black and on white.
            None => (28, 160, 130),
        };
        Self {
            good,
            bad,
            warning,
            is_plated: !matches!(scheme, Some(Scheme::Dark)),
        }
    }

    pub const fn good(self) -> Style {
        Style::new().fg(Color::Indexed(self.good))
    }

    pub const fn bad(self) -> Style {
        Style::new()
            .fg(Color::Indexed(self.bad))
            .add_modifier(Modifier::BOLD)
    }

    pub const fn warning(self) -> Style {
        Style::new()
            .fg(Color::Indexed(self.warning))
            .add_modifier(Modifier::BOLD)
    }

    /// A class's colour, as it lies on the photo.
    pub const fn swatch(self, [r, g, b]: Rgb) -> Style {
        let colour = Style::new().fg(Color::Rgb(r, g, b));
        if self.is_plated {
            colour.bg(Color::Indexed(PLATE))
        } else {
            colour
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::scheme::contrast;
    use crate::store::settings::class_colour;

    /// A colour of the 256's cube or of its greys.
    fn rgb(index: u8) -> Rgb {
        if index >= 232 {
            return [8 + 10 * (index - 232); 3];
        }
        let step = |n: u8| [0, 95, 135, 175, 215, 255][usize::from(n)];
        let cube = index - 16;
        [step(cube / 36), step(cube / 6 % 6), step(cube % 6)]
    }

    #[test]
    fn every_text_is_readable_on_its_ground() {
        let (dark, light) = ([0x10, 0x14, 0x18], [0xfd, 0xf6, 0xe3]);
        for (scheme, ground, least) in [
            (Some(Scheme::Dark), dark, 4.5),
            (Some(Scheme::Light), light, 4.5),
            // No colour reaches as much on both; these are bold, or not alone.
            (None, dark, 3.0),
            (None, light, 3.0),
        ] {
            let theme = Theme::new(scheme);
            for colour in [theme.good, theme.bad, theme.warning] {
                let contrast = contrast(rgb(colour), ground);
                assert!(contrast >= least, "{scheme:?} {colour}: {contrast}");
            }
        }
    }

    #[test]
    fn every_class_of_the_palette_is_seen_on_the_plate_and_on_a_dark_ground() {
        for ground in [rgb(PLATE), [0x10, 0x14, 0x18]] {
            for colour in (0..7).map(class_colour) {
                assert!(contrast(colour, ground) >= 2.0, "{colour:?}");
            }
        }
    }
}
