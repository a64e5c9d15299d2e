//! Outlines of a mask as polygons on the pixels' edges, and polygons filled back by even and odd.

use super::geometry::Size;
use super::mask::{Mask, Run};

/// A closed ring in image coordinates, where pixel (x, y) covers x..x+1 and y..y+1. The last point
/// joins the first.
pub type Ring = Vec<[f64; 2]>;

/// A corner of pixels.
type Corner = [u32; 2];

impl Mask {
    /// All rings, outer ones and holes: filled by even and odd they are exactly the mask.
    pub fn rings(&self) -> Vec<Ring> {
        let mut edges = self.edges();
        edges.sort_unstable();
        let mut used = vec![false; edges.len()];
        let mut rings = Vec::new();
        for first in 0..edges.len() {
            if !used[first] {
                rings.push(ring(&edges, &mut used, first));
            }
        }
        rings
    }

    /// The pixels whose centres lie inside an odd number of rings. Rings with coordinates that are
    /// no numbers are left out.
    pub fn from_rings(size: Size, rings: &[Ring]) -> Self {
        let mut crossings: Vec<(u32, f64)> = Vec::new();
        for ring in rings {
            if ring.len() < 3 || ring.iter().flatten().any(|v| !v.is_finite()) {
                continue;
            }
            let next = ring.iter().cycle().skip(1);
            for (a, b) in ring.iter().zip(next) {
                cross(*a, *b, size.height, &mut crossings);
            }
        }
        crossings.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (pairs, _) = crossings.as_chunks::<2>();
        let column = |x: f64| (x - 0.5).ceil().clamp(0.0, f64::from(size.width)) as u32;
        let runs = pairs.iter().map(|[from, to]| Run {
            y: from.0,
            x0: column(from.1),
            x1: column(to.1),
        });
        Self::from_runs(size, runs)
    }

    /// Edges between pixels inside and outside, the inside at the right hand.
    fn edges(&self) -> Vec<(Corner, Corner)> {
        let mut edges = Vec::new();
        for run in self.runs() {
            edges.push(([run.x0, run.y + 1], [run.x0, run.y]));
            edges.push(([run.x1, run.y], [run.x1, run.y + 1]));
        }
        // The same rows one lower, on a taller image so that the last one is not lost.
        let taller = Size::new(self.size().width, self.size().height + 1);
        let here = Self::from_runs(taller, self.runs().iter().copied());
        let lower = self.runs().iter().map(|r| Run { y: r.y + 1, ..*r });
        let above = Self::from_runs(taller, lower);
        for top in here.difference(&above).runs() {
            edges.push(([top.x0, top.y], [top.x1, top.y]));
        }
        for foot in above.difference(&here).runs() {
            edges.push(([foot.x1, foot.y], [foot.x0, foot.y]));
        }
        edges
    }
}

/// Where an edge crosses the centre lines of rows.
fn cross(a: [f64; 2], b: [f64; 2], height: u32, crossings: &mut Vec<(u32, f64)>) {
    let (low, high) = if a[1] < b[1] { (a, b) } else { (b, a) };
    let row = |y: f64| (y - 0.5).ceil().clamp(0.0, f64::from(height)) as u32;
    for y in row(low[1])..row(high[1]) {
        let t = (f64::from(y) + 0.5 - low[1]) / (high[1] - low[1]);
        crossings.push((y, low[0] + t * (high[0] - low[0])));
    }
}

/// Follows edges from the first until it closes; straight pieces become one.
fn ring(edges: &[(Corner, Corner)], used: &mut [bool], first: usize) -> Ring {
    let mut points: Vec<Corner> = Vec::new();
    let mut at = first;
    loop {
        used[at] = true;
        let (from, to) = edges[at];
        let straight = points.last().is_some_and(|before| {
            (before[0] == from[0] && from[0] == to[0]) || (before[1] == from[1] && from[1] == to[1])
        });
        if !straight {
            points.push(from);
        }
        let start = edges.partition_point(|e| e.0 < to);
        let onward = (start..edges.len()).take_while(|i| edges[*i].0 == to);
        let free = onward.filter(|i| !used[*i]);
        // Where two parts touch at a corner, the turn to the right stays at this one.
        let Some(next) = free.max_by_key(|i| turn(from, to, edges[*i].1)) else {
            break;
        };
        at = next;
    }
    let closing = points.len() > 2 && {
        let (a, b, c) = (points[points.len() - 1], points[0], points[1]);
        (a[0] == b[0] && b[0] == c[0]) || (a[1] == b[1] && b[1] == c[1])
    };
    let points = points.into_iter().skip(usize::from(closing));
    points.map(|[x, y]| [f64::from(x), f64::from(y)]).collect()
}

/// Positive to the right, 0 straight on, negative to the left.
fn turn(from: Corner, at: Corner, to: Corner) -> i64 {
    let d = |a: u32, b: u32| (i64::from(b) - i64::from(a)).signum();
    d(from[0], at[0]) * d(at[1], to[1]) - d(from[1], at[1]) * d(at[0], to[0])
}

/// The ring with fewer points, none of the left out further than `tolerance` pixels from it
/// (Douglas and Peucker, 1973).
pub fn simplified(ring: &Ring, tolerance: f64) -> Ring {
    if ring.len() < 5 {
        return ring.clone();
    }
    let square = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    let far = (1..ring.len())
        .max_by(|i, j| square(ring[0], ring[*i]).total_cmp(&square(ring[0], ring[*j])));
    let far = far.expect("a ring of five points has a second one");
    let closed: Ring = ring.iter().chain([&ring[0]]).copied().collect();
    let mut keep = vec![false; closed.len()];
    keep[0] = true;
    keep[far] = true;
    let mut open = vec![(0, far), (far, ring.len())];
    while let Some((from, to)) = open.pop() {
        let worst = (from + 1..to)
            .map(|i| (distance(closed[i], closed[from], closed[to]), i))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, i)) = worst.filter(|(d, _)| *d > tolerance) {
            keep[i] = true;
            open.extend([(from, i), (i, to)]);
        }
    }
    let kept = ring.iter().zip(keep).filter(|(_, keep)| *keep);
    kept.map(|(point, _)| *point).collect()
}

/// From a point to a piece of a line.
fn distance(p: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx * dx + dy * dy;
    let t = if length == 0.0 {
        0.0
    } else {
        (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length).clamp(0.0, 1.0)
    };
    (p[0] - a[0] - t * dx).hypot(p[1] - a[1] - t * dy)
}

/// One ring of several, joined by lines that are gone both ways and so enclose nothing: for formats
/// that know no holes.
pub fn joined(rings: &[Ring]) -> Ring {
    let Some((first, rest)) = rings.split_first() else {
        return Ring::new();
    };
    let mut line = first.clone();
    line.extend(first.first().copied());
    for ring in rest {
        line.extend_from_slice(ring);
        line.extend(ring.first().copied());
        line.extend(first.first().copied());
    }
    if rest.is_empty() {
        line.pop();
    }
    line
}

/// A mask's polygons, and how well they keep it.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygons {
    /// For each connected part its rings.
    pub parts: Vec<Vec<Ring>>,
    /// IoU of the filled polygons with the mask.
    pub iou: f64,
}

/// The polygons with the fewest points that keep an IoU of `least` with the mask.
pub fn polygons(mask: &Mask, least: f64) -> Polygons {
    let exact: Vec<Vec<Ring>> = mask.parts().iter().map(Mask::rings).collect();
    for tolerance in [1.5, 1.0, 0.75] {
        let parts: Vec<Vec<Ring>> = exact
            .iter()
            .map(|rings| rings.iter().map(|r| simplified(r, tolerance)).collect())
            .collect();
        let all: Vec<Ring> = parts.iter().flatten().cloned().collect();
        let iou = Mask::from_rings(mask.size(), &all).iou(mask);
        if iou >= least {
            return Polygons { parts, iou };
        }
    }
    Polygons {
        parts: exact,
        iou: 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::{ImagePoint, ImageRect};
    use proptest::prelude::*;

    const SIZE: Size = Size::new(14, 10);

    proptest! {
        #[test]
        fn rings_filled_again_are_the_mask(bits in proptest::collection::vec(0..2u8, SIZE.area() as usize)) {
            let mask = Mask::from_bytes(SIZE, SIZE.bounds(), &bits);
            let rings = mask.rings();
            prop_assert_eq!(&Mask::from_rings(SIZE, &rings), &mask);
            prop_assert_eq!(Mask::from_rings(SIZE, &[joined(&rings)]), mask);
        }

        #[test]
        fn any_rings_can_be_filled(points in proptest::collection::vec(any::<[f64; 2]>(), 0..9)) {
            let _ = Mask::from_rings(SIZE, &[points]);
        }
    }

    #[test]
    fn a_block_with_a_hole_has_two_rings_of_four_points() {
        let block = Mask::from_rect(SIZE, ImageRect::new(2, 1, 12, 9));
        let hole = Mask::from_rect(SIZE, ImageRect::new(4, 3, 8, 6));
        let rings = block.difference(&hole).rings();
        assert_eq!(rings.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
    }

    #[test]
    fn a_disk_is_kept_above_98_percent_with_a_quarter_of_the_points() {
        let size = Size::new(300, 300);
        let disk = Mask::from_disk(size, ImagePoint::new(150, 150), 100.0);
        let polygons = polygons(&disk, 0.98);
        let points: usize = polygons.parts[0].iter().map(Vec::len).sum();
        assert!(
            polygons.iou >= 0.98 && points * 4 < disk.rings()[0].len(),
            "{points}"
        );
    }
}
