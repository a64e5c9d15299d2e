//! Where a first look finds many things, the one under the click is meant.

use super::THRESHOLD;
use crate::core::geometry::{ImagePoint, Size};
use crate::core::mask::Mask;
use crate::core::prompt::{Prompt, Side, Soft};

/// What was clicked is one of a crowd where it is less than one part in so many of all that was
/// found: an object that something hides in part, or two that belong together, are fewer.
const MANY: u64 = 4;

/// No object is taken to fill more of the picture than this.
const ALL: f64 = 0.9;

/// Whether nearly all of a picture was found in it: the look has not told one thing from another.
pub fn is_all(soft: &Soft, picture: Size) -> bool {
    let is_found = |value: &&u8| f32::from(**value) > 255.0 * THRESHOLD;
    let found = soft.values.iter().filter(is_found).count() as f64;
    found * soft.scale * soft.scale > ALL * picture.area() as f64
}

/// Leaves of a crowd what was clicked.
pub fn leave_clicked(soft: &mut Soft, prompt: &Prompt) {
    let size = Size::new(soft.width, soft.height);
    let is_found = |value: &u8| u8::from(f32::from(*value) > 255.0 * THRESHOLD);
    let found: Vec<u8> = soft.values.iter().map(is_found).collect();
    let found = Mask::from_bytes(size, size.bounds(), &found);
    let cell = |p: ImagePoint| {
        let at = |v: u32, start: f64| ((f64::from(v) - start) / soft.scale).round() as i64;
        size.clamp(at(p.x, soft.x), at(p.y, soft.y))
    };
    let cells: Vec<ImagePoint> = prompt.points(Side::Inside).map(cell).collect();
    let is_clicked = |part: &Mask| cells.iter().any(|cell| part.contains(*cell));
    let (clicked, others): (Vec<Mask>, Vec<Mask>) = found.parts().into_iter().partition(is_clicked);
    let area: u64 = clicked.iter().map(Mask::area).sum();
    if area == 0 || MANY * area >= found.area() {
        return;
    }
    for run in others.iter().flat_map(Mask::runs) {
        let row = run.y as usize * soft.width as usize;
        soft.values[row + run.x0 as usize..row + run.x1 as usize].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::prompt::Click;

    /// What is left of so many bars, all alike, of which the second is clicked.
    fn left_of(bars: usize) -> usize {
        let values = (0..8 * 3 * bars).map(|i| if i % 3 == 0 { 0 } else { 200 });
        let mut soft = Soft {
            x: 10.0,
            y: 20.0,
            scale: 2.0,
            width: 3 * bars as u32,
            height: 8,
            values: values.collect(),
        };
        let prompt = Prompt {
            rect: None,
            clicks: vec![Click {
                at: ImagePoint::new(18, 28),
                side: Side::Inside,
            }],
        };
        leave_clicked(&mut soft, &prompt);
        assert_eq!(soft.values[4 * 3 * bars + 4], 200, "what was clicked stays");
        soft.values.iter().filter(|v| **v > 0).count() / 16
    }

    #[test]
    fn of_a_crowd_the_clicked_one_is_left_and_a_few_stay_together() {
        assert_eq!(left_of(12), 1);
        assert_eq!(left_of(3), 3);
    }
}
