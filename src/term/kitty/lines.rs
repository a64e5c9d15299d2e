//! The lines of crosshair, boxes and grid: their small pictures, and how they are cut to the photo.

use crate::core::raster::{DARK, FRAME, Rgba};
use crate::term::png::indexed_png;

/// Pixels across a line with its dark rims.
pub const RIM: i64 = 3;

/// A line of three pixels, as far as it lies in the picture: from one pixel up to before another, and
/// how many of the three lie before and behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rim {
    pub from: i64,
    pub to: i64,
    pub before: i64,
    pub after: i64,
}

impl Rim {
    /// Its middle runs through a pixel.
    pub fn of(at: f64, most: u32) -> Self {
        let first = at.floor() as i64 - 1;
        let (from, to) = (first.max(0), (first + RIM).min(most.into()));
        Self {
            from,
            to,
            before: from - first,
            after: first + RIM - to,
        }
    }

    /// Two sides of a box; one beside the picture has all of its pixels before or behind.
    pub fn sides(low: f64, high: f64, most: u32) -> (Self, Self) {
        let end = i64::from(most);
        let beside = |at, before, after| Self {
            from: at,
            to: at,
            before,
            after,
        };
        (
            if low < 0.0 {
                beside(0, RIM, 0)
            } else {
                Self::of(low, most)
            },
            if high >= end as f64 {
                beside(end, 0, RIM)
            } else {
                Self::of(high, most)
            },
        )
    }

    pub const fn is_seen(self) -> bool {
        self.from < self.to
    }

    /// The keys that cut it to the picture: where it begins, and its size.
    pub fn keys(self, start: &str, size: &str) -> String {
        match (self.before, self.after) {
            (0, 0) => String::new(),
            (0, _) => format!("{size}={},", self.to - self.from),
            (before, _) => format!("{start}={before},{size}={},", self.to - self.from),
        }
    }
}

/// Two sides of a box that meet in a corner of the picture, as PNG: the upper left one, or the lower
/// right one.
pub fn corner((width, height): (u32, u32), which: Corner) -> Vec<u8> {
    let at = |x: u32, y: u32| match which {
        Corner::UpperLeft => x.min(y),
        Corner::LowerRight => (width - 1 - x).min(height - 1 - y),
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let indices: Vec<u8> = pixels
        .map(|(x, y)| match at(x, y) {
            inner @ 0..3 => inner as u8 + 1,
            _ => 0,
        })
        .collect();
    indexed_png(&indices, width, height, &[[0; 4], DARK, FRAME, DARK])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corner {
    UpperLeft,
    LowerRight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    Across,
    Down,
}

/// A line as PNG: one pixel of each colour beside the other.
pub fn line(colours: &[Rgba], length: u32, axis: Axis) -> Vec<u8> {
    let thick = colours.len();
    let count = thick * length as usize;
    match axis {
        Axis::Across => {
            let indices: Vec<u8> = (0..count).map(|i| (i / length as usize) as u8).collect();
            indexed_png(&indices, length, thick as u32, colours)
        }
        Axis::Down => {
            let indices: Vec<u8> = (0..count).map(|i| (i % thick) as u8).collect();
            indexed_png(&indices, thick as u32, length, colours)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_on_the_edge_is_cut_and_not_moved() {
        assert_eq!(Rim::of(10.4, 100).keys("x", "w"), "");
        assert_eq!(Rim::of(0.5, 100).keys("x", "w"), "x=1,w=2,");
        assert_eq!(Rim::of(99.5, 100).keys("x", "w"), "w=2,");
        assert_eq!(Rim::of(99.5, 100).from, 98);
    }

    #[test]
    fn sides_beside_the_picture_are_cut_off() {
        let (low, high) = Rim::sides(-4.0, 120.0, 100);
        assert!(!low.is_seen() && !high.is_seen());
        assert_eq!((low.before, high.after), (RIM, RIM));
        assert_eq!((low.from, high.to), (0, 100));
    }
}
