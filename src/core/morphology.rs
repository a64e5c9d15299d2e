//! Growing, shrinking and smoothing, with disks, on runs alone.

use super::geometry::ImageRect;
use super::mask::{Mask, Run};

impl Mask {
    /// All pixels within `radius` pixels of the mask.
    #[must_use]
    pub fn grown(&self, radius: u32) -> Self {
        let size = self.size();
        let r = i64::from(radius);
        let mut rows: Vec<Run> = Vec::with_capacity(self.runs().len() * (2 * radius as usize + 1));
        for dy in -r..=r {
            let half = ((r * r - dy * dy) as f64).sqrt() as u32;
            rows.extend(self.runs().iter().filter_map(|run| {
                let y = i64::from(run.y) + dy;
                (0..i64::from(size.height)).contains(&y).then(|| Run {
                    y: y as u32,
                    x0: run.x0.saturating_sub(half),
                    x1: run.x1.saturating_add(half),
                })
            }));
        }
        Self::from_runs(size, rows)
    }

    /// The pixels further than `radius` from everything that is not the mask. The image's border
    /// is no edge: an object that runs out of the picture stays at the border.
    #[must_use]
    pub fn shrunk(&self, radius: u32) -> Self {
        let Some(bounds) = self.bounds() else {
            return self.clone();
        };
        let around = ImageRect::new(
            bounds.x0.saturating_sub(1),
            bounds.y0.saturating_sub(1),
            bounds.x1 + 1,
            bounds.y1 + 1,
        );
        let outside = Self::from_rect(self.size(), around).difference(self);
        self.difference(&outside.grown(radius))
    }

    /// Without spikes and cracks narrower than twice the radius: opened, then closed.
    #[must_use]
    pub fn smoothed(&self, radius: u32) -> Self {
        let opened = self.shrunk(radius).grown(radius);
        opened.grown(radius).shrunk(radius)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{ImagePoint, Size};
    use proptest::prelude::*;

    const SIZE: Size = Size::new(24, 18);

    proptest! {
        #[test]
        fn growing_reaches_exactly_the_pixels_near_enough(
            bits in proptest::collection::vec(0..20u8, SIZE.area() as usize), radius in 0..5u32,
        ) {
            let bits: Vec<u8> = bits.iter().map(|b| u8::from(*b == 0)).collect();
            let mask = Mask::from_bytes(SIZE, SIZE.bounds(), &bits);
            let near = |p: ImagePoint| {
                let r = i64::from(radius);
                (0..i64::from(SIZE.height)).any(|y| (0..i64::from(SIZE.width)).any(|x| {
                    let (dx, dy) = (x - i64::from(p.x), y - i64::from(p.y));
                    dx * dx + dy * dy <= r * r && bits[(y * i64::from(SIZE.width) + x) as usize] == 1
                }))
            };
            prop_assert_eq!(mask.grown(radius), Mask::from_fn(SIZE, SIZE.bounds(), near));
        }
    }

    #[test]
    fn shrinking_takes_what_growing_gave_a_rectangle() {
        let mask = Mask::from_rect(SIZE, ImageRect::new(6, 5, 15, 12));
        assert_eq!(mask.grown(2).shrunk(2), mask);
    }

    #[test]
    fn an_object_at_the_border_stays_there() {
        let mask = Mask::from_rect(SIZE, ImageRect::new(0, 0, 8, 18));
        assert_eq!(mask.shrunk(2).bounds(), Some(ImageRect::new(0, 0, 6, 18)));
    }

    #[test]
    fn smoothing_removes_a_spike() {
        let block = Mask::from_rect(SIZE, ImageRect::new(4, 4, 18, 16));
        let spike = Mask::from_rect(SIZE, ImageRect::new(10, 0, 11, 5));
        let smooth = block.union(&spike).smoothed(2);
        assert!(!smooth.contains(ImagePoint::new(10, 1)));
        assert!(smooth.contains(ImagePoint::new(10, 8)));
    }
}
