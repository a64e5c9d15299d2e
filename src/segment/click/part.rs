//! A look at a part of the object, where a correction is after a detail: as zooming in shows it.

use crate::core::document::Proposal;
use crate::core::geometry::ImagePoint;
use crate::core::prompt::{Prompt, Soft};
use crate::segment::crop::{Square, nearest_byte};

/// From this prompt on, the box counted as one, a click is after a detail: the first ones tell which
/// object is meant.
const FROM: usize = 4;
/// A look at fewer pixels of the image across magnifies them so much that a part shows nothing new.
const LEAST_SIDE: f64 = 128.0;
/// How much it looks at of what the look at the object does, across.
const SHARE: f64 = 0.5;
/// So near to its border, as a share of its side, it counts the less the nearer: the net sees little
/// of the surroundings there.
const BORDER: f64 = 0.12;
/// How much it counts beside the look at the object, which knows of what lies beyond.
const WEIGHT: f32 = 0.5;

/// Whether a correction is after a detail that a look at a part can show better.
pub fn is_detail(prompt: &Prompt, previous: &Proposal) -> bool {
    let prompts = prompt.clicks.len() + usize::from(prompt.rect.is_some());
    let across = previous.soft.as_ref().map_or(0.0, |soft| soft.across());
    prompts >= FROM && across >= LEAST_SIDE
}

/// The part about a click of what was looked at.
pub fn about(click: ImagePoint, whole: &Soft) -> Square {
    let side = SHARE * whole.across();
    let start = |at: u32, start: f64| {
        let slack = whole.across() - side;
        (f64::from(at) - side / 2.0).clamp(start, start + slack)
    };
    Square {
        x: start(click.x, whole.x),
        y: start(click.y, whole.y),
        side,
    }
}

/// Brings what a look at a part found into what the look at the whole did.
pub fn bring_in(whole: &mut Soft, part: &Soft) {
    let side = part.across();
    let width = whole.width as usize;
    let (x0, y0, scale) = (whole.x, whole.y, whole.scale);
    // How far from the nearer end of the part each line of the whole lies, as a share of its side.
    let depths = |start: f64, begin: f64| -> Vec<(f64, f64)> {
        (0..width)
            .map(|i| start + i as f64 * scale)
            .map(|at| (at, (at - begin).min(begin + side - at) / side))
            .collect()
    };
    let (columns, rows) = (depths(x0, part.x), depths(y0, part.y));
    for (values, (y, below)) in whole.values.chunks_exact_mut(width).zip(rows) {
        for (value, (x, beside)) in values.iter_mut().zip(&columns) {
            let depth = below.min(*beside);
            if depth > 0.0 {
                let weight = WEIGHT * (depth / BORDER).min(1.0) as f32;
                let known = f32::from(*value);
                let found = 255.0 * part.at(*x, y);
                *value = nearest_byte(known + weight * (found - known));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soft(x: f64, y: f64, scale: f64, width: u32, value: u8) -> Soft {
        Soft {
            x,
            y,
            scale,
            width,
            height: width,
            values: vec![value; (width * width) as usize],
        }
    }

    #[test]
    fn a_part_lies_about_the_click_and_within_what_was_looked_at() {
        let whole = soft(10.0, 20.0, 2.0, 50, 0);
        let middle = about(ImagePoint::new(60, 70), &whole);
        assert_eq!((middle.x, middle.y, middle.side), (35.0, 45.0, 50.0));
        let corner = about(ImagePoint::new(12, 119), &whole);
        assert_eq!((corner.x, corner.y), (10.0, 70.0));
    }

    #[test]
    fn a_part_counts_half_in_its_middle_and_nothing_beyond_it() {
        let mut whole = soft(0.0, 0.0, 1.0, 64, 0);
        bring_in(&mut whole, &soft(16.0, 8.0, 0.5, 64, 200));
        let row = &whole.values[24 * 64..25 * 64];
        assert_eq!((row[32], row[16], row[48], row[8]), (100, 0, 0, 0));
        assert!(row[16..32].is_sorted(), "it grows from the border: {row:?}");
    }
}
