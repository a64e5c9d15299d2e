//! Colours as far as the terminal has them.

use std::env;

use ratatui::buffer::Buffer;
use ratatui::style::Color;

use crate::core::scene::Rgb;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    True,
    Indexed,
    Sixteen,
    None,
}

/// The six steps of each channel in the 256 colours' cube.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];
/// The first sixteen colours as xterm has them; terminals differ.
const SIXTEEN: [Rgb; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

impl Depth {
    /// From `NO_COLOR`, `COLORTERM` and `TERM`.
    pub fn of_environment() -> Self {
        let var = |name| env::var(name).unwrap_or_default();
        Self::of(&var("NO_COLOR"), &var("COLORTERM"), &var("TERM"))
    }

    /// `COLORTERM` is often lost over ssh, so that only terminals known for fewer colours get
    /// fewer.
    fn of(no_color: &str, colorterm: &str, term: &str) -> Self {
        if !no_color.is_empty() || term == "dumb" {
            return Self::None;
        }
        if colorterm == "truecolor" || colorterm == "24bit" {
            return Self::True;
        }
        match term {
            "linux" | "screen" | "ansi" | "rxvt" => Self::Sixteen,
            _ if term.starts_with("vt") => Self::Sixteen,
            // Whatever calls itself so has had 256 colours for decades.
            "xterm" | "tmux" => Self::Indexed,
            _ if term.contains("256color") => Self::Indexed,
            _ => Self::True,
        }
    }

    /// A terminal that shows pictures takes every colour, though over ssh it may not say so; a
    /// class's name has the colour of its masks.
    #[must_use]
    pub const fn beside_pictures(self) -> Self {
        match self {
            Self::None => Self::None,
            _ => Self::True,
        }
    }

    /// Fonts of terminals with few colours often lack quadrants.
    pub const fn has_quadrants(self) -> bool {
        matches!(self, Self::True | Self::Indexed)
    }

    /// Brings the cells' colours down to what the terminal has.
    pub fn lessen(self, buffer: &mut Buffer) {
        if self == Self::True {
            return;
        }
        for cell in &mut buffer.content {
            for colour in [&mut cell.fg, &mut cell.bg] {
                *colour = match *colour {
                    Color::Rgb(r, g, b) => self.colour([r, g, b]),
                    Color::Indexed(index @ 16..) if self == Self::Sixteen => {
                        self.colour(rgb(index))
                    }
                    other => other,
                };
            }
        }
    }

    pub fn colour(self, rgb: Rgb) -> Color {
        let [r, g, b] = rgb;
        match self {
            Self::None => Color::Reset,
            Self::True => Color::Rgb(r, g, b),
            Self::Indexed => Color::Indexed(indexed(rgb)),
            Self::Sixteen => {
                let nearest = (0..16).min_by_key(|i| distance(SIXTEEN[*i], rgb));
                Color::Indexed(nearest.unwrap_or(0) as u8)
            }
        }
    }
}

/// The nearest of the cube's and the grey ramp's colours.
fn indexed(rgb: Rgb) -> u8 {
    let step = |v: u8| (0..6_u8).min_by_key(|i| CUBE[usize::from(*i)].abs_diff(v));
    let [r, g, b] = rgb.map(|v| step(v).unwrap_or(0));
    let cube = [r, g, b].map(|i| CUBE[usize::from(i)]);
    let light = (rgb.iter().map(|c| u32::from(*c)).sum::<u32>() / 3) as u8;
    let grey = (light.saturating_sub(3) / 10).min(23);
    if distance([8 + 10 * grey; 3], rgb) < distance(cube, rgb) {
        232 + grey
    } else {
        16 + 36 * r + 6 * g + b
    }
}

/// The colour of an index from 16 on.
fn rgb(index: u8) -> Rgb {
    if index >= 232 {
        return [8 + 10 * (index - 232); 3];
    }
    let cube = index - 16;
    [cube / 36, cube / 6 % 6, cube % 6].map(|step| CUBE[usize::from(step)])
}

fn distance(a: Rgb, b: Rgb) -> u32 {
    let parts = a.iter().zip(b);
    parts.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

/// The mean of colours; there must be one.
pub fn mean(colours: &[Rgb]) -> Rgb {
    [0, 1, 2].map(|k| {
        let sum: usize = colours.iter().map(|c| usize::from(c[k])).sum();
        (sum / colours.len().max(1)) as u8
    })
}

/// How far colours are from their mean, in squares.
pub fn squares(colours: &[Rgb]) -> u32 {
    let mean = mean(colours);
    colours.iter().map(|c| distance(*c, mean)).sum()
}

/// Without colours: how light pixels are together.
pub fn shade(colours: &[Rgb]) -> &'static str {
    let light = mean(colours).iter().map(|v| u32::from(*v)).sum::<u32>();
    [" ", "░", "▒", "▓", "█"][(light * 5 / (3 * 256)) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        assert_eq!(Depth::of("1", "truecolor", "xterm-kitty"), Depth::None);
        assert_eq!(Depth::of("", "truecolor", "xterm-256color"), Depth::True);
        assert_eq!(Depth::of("", "", "xterm-256color"), Depth::Indexed);
        assert_eq!(Depth::of("", "", "linux"), Depth::Sixteen);
        assert_eq!(Depth::Indexed.beside_pictures(), Depth::True);
        assert_eq!(Depth::None.beside_pictures(), Depth::None);
        assert_eq!(Depth::of("", "", "xterm-kitty"), Depth::True);
    }

    #[test]
    fn the_nearest_colour_is_taken() {
        assert_eq!(indexed([255, 0, 0]), 196);
        assert_eq!(indexed([0, 0, 0]), 16);
        assert_eq!(indexed([118, 118, 118]), 243);
        for index in 16..=255 {
            let same = indexed(rgb(index));
            assert_eq!(rgb(same), rgb(index));
        }
        assert_eq!(Depth::Sixteen.colour([250, 10, 10]), Color::Indexed(9));
    }

    #[test]
    fn without_colours_brightness_becomes_a_shade() {
        assert_eq!(shade(&[[0; 3]; 4]), " ");
        assert_eq!(shade(&[[255; 3]; 4]), "█");
        assert_eq!(shade(&[[255; 3], [0; 3]]), "▒");
    }
}
