//! Connected parts of a mask, by union-find over its runs: 8-connected, as a person sees them.

use super::mask::{Mask, Run};

impl Mask {
    /// The connected parts, the topmost first.
    pub fn parts(&self) -> Vec<Self> {
        let runs = self.runs();
        let labels = labels(runs, 1);
        let mut order: Vec<usize> = Vec::new();
        let mut groups: std::collections::HashMap<usize, Vec<Run>> =
            std::collections::HashMap::new();
        for (run, label) in runs.iter().zip(labels) {
            groups
                .entry(label)
                .or_insert_with(|| {
                    order.push(label);
                    Vec::new()
                })
                .push(*run);
        }
        order
            .into_iter()
            .map(|label| {
                let part = groups.remove(&label).expect("each label was filled above");
                Self::from_runs(self.size(), part)
            })
            .collect()
    }

    /// Everything but this mask.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::from_rect(self.size(), self.size().bounds()).difference(self)
    }

    /// With the holes filled that do not reach the image's border.
    #[must_use]
    pub fn holes_filled(&self) -> Self {
        let size = self.size();
        let outside = self.complement();
        // What surrounds an 8-connected object is 4-connected.
        let labels = labels(outside.runs(), 0);
        let at_border =
            |r: &Run| r.y == 0 || r.y + 1 == size.height || r.x0 == 0 || r.x1 == size.width;
        let open: std::collections::HashSet<usize> = outside
            .runs()
            .iter()
            .zip(&labels)
            .filter(|(run, _)| at_border(run))
            .map(|(_, label)| *label)
            .collect();
        let holes = outside
            .runs()
            .iter()
            .zip(&labels)
            .filter(|(_, label)| !open.contains(label))
            .map(|(run, _)| *run);
        self.union(&Self::from_runs(size, holes.collect::<Vec<_>>()))
    }
}

/// A label for each run; runs of one part share it. `reach` 1 lets diagonal neighbours touch.
fn labels(runs: &[Run], reach: u32) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..runs.len()).collect();
    let mut above = 0;
    for here in 0..runs.len() {
        let run = runs[here];
        while above < here
            && (runs[above].y + 1 < run.y
                || (runs[above].y + 1 == run.y && runs[above].x1 + reach <= run.x0))
        {
            above += 1;
        }
        let mut i = above;
        while i < here && runs[i].y + 1 == run.y && runs[i].x0 < run.x1 + reach {
            let (a, b) = (root(&mut parent, i), root(&mut parent, here));
            parent[a.max(b)] = a.min(b);
            i += 1;
        }
    }
    (0..runs.len()).map(|i| root(&mut parent, i)).collect()
}

fn root(parent: &mut [usize], mut i: usize) -> usize {
    while parent[i] != i {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    i
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{ImagePoint, ImageRect, Size};

    const SIZE: Size = Size::new(20, 12);

    #[test]
    fn parts_that_touch_at_a_corner_are_one() {
        let a = Mask::from_rect(SIZE, ImageRect::new(1, 1, 3, 3));
        let corner = Mask::from_rect(SIZE, ImageRect::new(3, 3, 5, 5));
        let apart = Mask::from_rect(SIZE, ImageRect::new(10, 1, 12, 9));
        let parts = a.union(&corner).union(&apart).parts();
        assert_eq!(parts, [a.union(&corner), apart]);
    }

    #[test]
    fn a_ring_is_filled_and_a_bay_is_not() {
        let block = Mask::from_rect(SIZE, ImageRect::new(2, 2, 10, 10));
        let hole = Mask::from_rect(SIZE, ImageRect::new(4, 4, 6, 6));
        let bay = Mask::from_rect(SIZE, ImageRect::new(8, 5, 10, 6));
        let filled = block.difference(&hole).difference(&bay).holes_filled();
        assert_eq!(filled, block.difference(&bay));
        assert!(filled.contains(ImagePoint::new(5, 5)));
    }
}
