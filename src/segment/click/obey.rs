//! What a person clicked is so, whatever the network says.

use std::sync::Arc;

use crate::core::mask::Mask;
use crate::core::prompt::{Prompt, Side};

/// Radius of what a click decides, in cells of the crop: the network was told of disks of five.
const REACH: f64 = 3.0;

/// The mask with every inside click in it and no outside click. A piece that holds an outside click
/// and no inside click goes as a whole. `scale` is image pixels a cell.
pub fn obeying(mask: &Arc<Mask>, prompt: &Prompt, scale: f64) -> Arc<Mask> {
    let disobeyed = |side| {
        prompt
            .points(side)
            .filter(move |p| mask.contains(*p) != (side == Side::Inside))
    };
    let mut obeying = Arc::clone(mask);
    if disobeyed(Side::Outside).next().is_some() {
        let holds = |part: &Mask, side| prompt.points(side).any(|p| part.contains(p));
        let kept = mask
            .parts()
            .into_iter()
            .filter(|part| !holds(part, Side::Outside) || holds(part, Side::Inside))
            .fold(Mask::empty(mask.size()), |all, part| all.union(&part));
        obeying = Arc::new(kept);
    }
    for click in &prompt.clicks {
        let inside = click.side == Side::Inside;
        if obeying.contains(click.at) == inside {
            continue;
        }
        // No further than half the way to the nearest click of the other side.
        let others = prompt.clicks.iter().filter(|c| c.side != click.side);
        let nearest = others
            .map(|c| {
                let (dx, dy) = (c.at.x.abs_diff(click.at.x), c.at.y.abs_diff(click.at.y));
                f64::from(dx).hypot(f64::from(dy)) / 2.0
            })
            .fold(f64::INFINITY, f64::min);
        let radius = (REACH * scale).min(nearest).max(0.0);
        let disk = Mask::from_disk(mask.size(), click.at, radius);
        obeying = Arc::new(if inside {
            obeying.union(&disk)
        } else {
            obeying.difference(&disk)
        });
    }
    obeying
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::geometry::{ImagePoint, Size};
    use crate::core::prompt::Click;

    const SIZE: Size = Size::new(60, 40);

    proptest! {
        #[test]
        fn clicks_are_obeyed(
            places in proptest::collection::btree_map((0..60_u32, 0..40_u32), any::<bool>(), 1..9),
            x in 0..60_u32, y in 0..40_u32, radius in 0.0..30.0, scale in 0.1..4.0,
        ) {
            let mask = Arc::new(Mask::from_disk(SIZE, ImagePoint::new(x, y), radius));
            let clicks = places.into_iter().map(|((x, y), inside)| Click {
                at: ImagePoint::new(x, y),
                side: if inside { Side::Inside } else { Side::Outside },
            });
            let prompt = Prompt { rect: None, clicks: clicks.collect() };
            let obeying = obeying(&mask, &prompt, scale);
            for click in &prompt.clicks {
                prop_assert_eq!(obeying.contains(click.at), click.side == Side::Inside);
            }
        }
    }

    #[test]
    fn a_piece_with_an_outside_click_alone_goes_as_a_whole() {
        let disk = |x| Mask::from_disk(SIZE, ImagePoint::new(x, 20), 8.0);
        let both = Arc::new(disk(15).union(&disk(45)));
        let prompt = Prompt {
            rect: None,
            clicks: vec![
                Click {
                    at: ImagePoint::new(15, 20),
                    side: Side::Inside,
                },
                Click {
                    at: ImagePoint::new(40, 20),
                    side: Side::Outside,
                },
            ],
        };
        assert_eq!(*obeying(&both, &prompt, 1.0), disk(15));
    }
}
