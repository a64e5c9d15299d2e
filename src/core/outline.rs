//! A mask's outline as a few points that can be moved, added and taken away.

use std::sync::Arc;

use super::contour::{Ring, simplified};
use super::mask::Mask;

/// Steps of undo while an outline is edited.
const DEPTH: usize = 200;

/// The outline of a mask being edited. What no edited side touches stays as it is, to the pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    mask: Arc<Mask>,
    /// The mask as its few points would have it.
    coarse: Mask,
    /// Its sides.
    sides: Vec<Side>,
    /// How far the mask's edge may lie from them.
    tolerance: f64,
    points: Points,
    past: Vec<Points>,
}

type Side = [[f64; 2]; 2];

/// All rings, and the point that is moved.
#[derive(Debug, Clone, PartialEq)]
struct Points {
    rings: Vec<Ring>,
    ring: usize,
    at: usize,
}

impl Outline {
    /// The outline with no point left out that lies further than `tolerance` pixels from the rest;
    /// the point nearest to (`x`, `y`) is the one to be moved. `None` for an empty mask.
    pub fn of(mask: &Arc<Mask>, tolerance: f64, (x, y): (f64, f64)) -> Option<Self> {
        let rings: Vec<Ring> = mask
            .rings()
            .iter()
            .map(|r| simplified(r, tolerance))
            .collect();
        let points = Points {
            rings,
            ring: 0,
            at: 0,
        };
        let (ring, at, _) = points.nearest(x, y)?;
        Some(Self {
            coarse: Mask::from_rings(mask.size(), &points.rings),
            sides: points.sides().collect(),
            tolerance,
            mask: Arc::clone(mask),
            points: Points { ring, at, ..points },
            past: Vec::new(),
        })
    }

    pub fn rings(&self) -> &[Ring] {
        &self.points.rings
    }

    /// Where the point is that is moved.
    pub fn point(&self) -> [f64; 2] {
        self.points.rings[self.points.ring][self.points.at]
    }

    /// Its number among all points, from 1, and how many there are.
    pub fn place(&self) -> (usize, usize) {
        let before: usize = self.points.rings[..self.points.ring]
            .iter()
            .map(Vec::len)
            .sum();
        (before + self.points.at + 1, self.count())
    }

    fn count(&self) -> usize {
        self.points.rings.iter().map(Vec::len).sum()
    }

    /// Goes on to another point, ring after ring, round and round.
    pub fn go(&mut self, by: i64) {
        let (place, count) = self.place();
        let mut at = (place as i64 - 1 + by).rem_euclid(count as i64) as usize;
        for (i, ring) in self.points.rings.iter().enumerate() {
            if at < ring.len() {
                (self.points.ring, self.points.at) = (i, at);
                return;
            }
            at -= ring.len();
        }
    }

    /// Takes the point nearest to (`x`, `y`), if one is within `reach` pixels.
    pub fn pick(&mut self, x: f64, y: f64, reach: f64) -> bool {
        let found = self.points.nearest(x, y);
        let Some((ring, at, _)) = found.filter(|f| f.2 <= reach * reach) else {
            return false;
        };
        (self.points.ring, self.points.at) = (ring, at);
        true
    }

    /// Notes what undo brings back.
    pub fn begin(&mut self) {
        if self.past.len() == DEPTH {
            self.past.remove(0);
        }
        self.past.push(self.points.clone());
    }

    /// Puts the point elsewhere, within the image.
    pub fn put(&mut self, x: f64, y: f64) {
        let size = self.mask.size();
        let at = [
            x.clamp(0.0, f64::from(size.width)),
            y.clamp(0.0, f64::from(size.height)),
        ];
        let Points { rings, ring, at: i } = &mut self.points;
        rings[*ring][*i] = at;
    }

    /// Adds a point halfway to the next one, and takes it.
    pub fn insert(&mut self) {
        self.begin();
        let Points { rings, ring, at } = &mut self.points;
        let ring = &mut rings[*ring];
        let (a, b) = (ring[*at], ring[(*at + 1) % ring.len()]);
        *at += 1;
        ring.insert(*at, [f64::midpoint(a[0], b[0]), f64::midpoint(a[1], b[1])]);
    }

    /// Takes the point away; a ring goes with its third-last point. False for the last ring.
    pub fn remove(&mut self) -> bool {
        let points = &self.points;
        let is_last = points.rings.len() == 1 && points.rings[points.ring].len() <= 3;
        if is_last {
            return false;
        }
        self.begin();
        let Points { rings, ring, at } = &mut self.points;
        if rings[*ring].len() > 3 {
            rings[*ring].remove(*at);
            *at = at.checked_sub(1).unwrap_or(rings[*ring].len() - 1);
        } else {
            rings.remove(*ring);
            (*ring, *at) = (0, 0);
        }
        true
    }

    /// Takes the last change back; false where there is none.
    pub fn undo(&mut self) -> bool {
        while let Some(before) = self.past.pop() {
            // A point that was only taken has changed nothing.
            if before.rings != self.points.rings {
                self.points = before;
                return true;
            }
        }
        false
    }

    pub fn has_changed(&self) -> bool {
        let first = self.past.first();
        first.is_some_and(|before| before.rings != self.points.rings)
    }

    /// The mask as it is now: the old one, with what the edited sides added and took away.
    pub fn mask(&self) -> Mask {
        let size = self.mask.size();
        let now = Mask::from_rings(size, &self.points.rings);
        if now == self.coarse {
            return (*self.mask).clone();
        }
        let added = now.difference(&self.coarse);
        let taken = self.coarse.difference(&now);
        let all = self.mask.union(&added).difference(&taken);
        // Beside a side that is gone the old edge would be left as a sliver.
        let left: Vec<Side> = self.points.sides().collect();
        let gone = self.sides.iter().filter(|side| !left.contains(side));
        let pixel = |[x, y]: [f64; 2]| size.clamp(x as i64, y as i64);
        let strokes = gone.map(|[a, b]| {
            let radius = self.tolerance + 1.0;
            Mask::from_stroke(size, pixel(*a), pixel(*b), radius)
        });
        let band = strokes.fold(Mask::empty(size), |all, stroke| all.union(&stroke));
        all.difference(&band).union(&now.intersection(&band))
    }
}

impl Points {
    fn sides(&self) -> impl Iterator<Item = Side> {
        self.rings.iter().flat_map(|ring| {
            let next = ring.iter().cycle().skip(1);
            ring.iter().zip(next).map(|(a, b)| [*a, *b])
        })
    }

    /// Ring and place of the point nearest to (`x`, `y`), with the square of its distance.
    fn nearest(&self, x: f64, y: f64) -> Option<(usize, usize, f64)> {
        let all = self.rings.iter().enumerate().flat_map(|(i, ring)| {
            let far = move |p: &[f64; 2]| (p[0] - x).powi(2) + (p[1] - y).powi(2);
            ring.iter().enumerate().map(move |(j, p)| (i, j, far(p)))
        });
        all.min_by(|a, b| a.2.total_cmp(&b.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{ImagePoint, ImageRect, Size};

    /// A disk with a square hole.
    fn ring() -> Arc<Mask> {
        let size = Size::new(120, 100);
        let disk = Mask::from_disk(size, ImagePoint::new(60, 50), 40.0);
        let hole = Mask::from_rect(size, ImageRect::new(50, 40, 70, 60));
        Arc::new(disk.difference(&hole))
    }

    #[test]
    fn an_outline_that_nobody_edits_is_the_mask_to_the_pixel() {
        let mask = ring();
        let outline = Outline::of(&mask, 2.0, (60.0, 10.0)).expect("not empty");
        assert!(outline.place().1 < 30, "few points");
        assert_eq!(outline.mask(), *mask);
        assert!(Outline::of(&Arc::new(Mask::empty(mask.size())), 2.0, (0.0, 0.0)).is_none());
    }

    #[test]
    fn a_point_pulled_out_adds_there_alone_and_the_hole_stays() {
        let mask = ring();
        let mut outline = Outline::of(&mask, 2.0, (60.0, 10.0)).expect("not empty");
        outline.begin();
        outline.put(60.0, 2.0);
        let edited = outline.mask();
        assert!(edited.contains(ImagePoint::new(60, 5)));
        assert!(!edited.contains(ImagePoint::new(60, 50)), "the hole");
        let differ = edited.symmetric_difference(&mask);
        let bounds = differ.bounds().expect("it changed");
        assert!(bounds.y1 < 30, "only around the point: {bounds:?}");
        let parts = edited.rings().len();
        assert_eq!(parts, 2, "its rim and its hole: no sliver is left");
        assert!(outline.undo() && !outline.undo());
        assert_eq!(outline.mask(), *mask);
    }

    #[test]
    fn points_come_and_go_and_a_hole_goes_with_its_points() {
        let mask = ring();
        let mut outline = Outline::of(&mask, 2.0, (50.0, 40.0)).expect("not empty");
        let (_, count) = outline.place();
        outline.insert();
        assert_eq!(outline.place().1, count + 1);
        assert_eq!(outline.mask(), *mask, "a point on a side changes nothing");
        while !outline.mask().contains(ImagePoint::new(60, 50)) {
            assert!(outline.remove());
        }
        assert_eq!(outline.rings().len(), 1, "the hole is filled");
        while outline.remove() {}
        assert_eq!(outline.place().1, 3, "a triangle is left");
    }

    #[test]
    fn one_goes_round_through_all_points() {
        let mut outline = Outline::of(&ring(), 2.0, (0.0, 0.0)).expect("not empty");
        let (start, count) = outline.place();
        outline.go(-1);
        outline.go(1 + count as i64);
        assert_eq!(outline.place(), (start, count));
        assert!(outline.pick(50.0, 40.0, 1.5));
        assert_eq!(outline.point().map(|v| v as i32), [50, 40]);
        assert!(!outline.pick(60.0, 50.0, 3.0), "too far from all");
    }
}
