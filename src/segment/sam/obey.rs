//! The clicks have the last word: what the person said of a pixel is so.

use crate::core::mask::Mask;
use crate::core::prompt::{Prompt, Side};

/// Drops the parts that hold an outside click and no inside click, then settles the pixels under
/// the clicks themselves.
pub fn obeying(mask: Mask, prompt: &Prompt) -> Mask {
    let size = mask.size();
    let clicks = prompt.clicks.iter().filter(|c| size.contains(c.at));
    clicks.fold(without_denied(mask, prompt), |mask, click| {
        let dot = Mask::from_disk(size, click.at, 0.5);
        match (click.side, mask.contains(click.at)) {
            (Side::Inside, false) => mask.union(&dot),
            (Side::Outside, true) => mask.difference(&dot),
            _ => mask,
        }
    })
}

fn without_denied(mask: Mask, prompt: &Prompt) -> Mask {
    if !prompt.points(Side::Outside).any(|p| mask.contains(p)) {
        return mask;
    }
    let holds = |part: &Mask, side| prompt.points(side).any(|p| part.contains(p));
    let parts = mask.parts();
    let kept = parts
        .iter()
        .filter(|part| !holds(part, Side::Outside) || holds(part, Side::Inside));
    kept.fold(Mask::empty(mask.size()), |all, part| all.union(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{ImagePoint, ImageRect, Size};
    use crate::core::prompt::Click;

    #[test]
    fn a_denied_part_goes_and_a_denied_pixel_of_the_object_goes_alone() {
        let size = Size::new(40, 20);
        let mask = Mask::from_rect(size, ImageRect::new(2, 2, 10, 10))
            .union(&Mask::from_rect(size, ImageRect::new(20, 2, 30, 10)));
        let click = |x, y, side| Click {
            at: ImagePoint::new(x, y),
            side,
        };
        let prompt = Prompt {
            rect: None,
            clicks: vec![
                click(5, 5, Side::Inside),
                click(6, 6, Side::Outside),
                click(25, 5, Side::Outside),
                click(35, 15, Side::Inside),
            ],
        };
        let obeyed = obeying(mask, &prompt);
        assert_eq!(obeyed.area(), 64 - 1 + 1);
        assert!(obeyed.contains(ImagePoint::new(35, 15)));
        assert!(!obeyed.contains(ImagePoint::new(6, 6)));
    }
}
