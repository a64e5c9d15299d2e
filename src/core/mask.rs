//! One bit a pixel of the whole image, held as the runs of each row.
//!
//! Runs keep a mask of a hundred megapixels as small as its outline, so that undo can keep hundreds
//! of them, and make set algebra, area and drawing cost no more than the outline either.

use super::geometry::{ImagePoint, ImageRect, Size};

/// Neighbouring pixels of one row; `x1` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    pub y: u32,
    pub x0: u32,
    pub x1: u32,
}

/// The pixels of one object. Runs are sorted by row and column, not empty, and never touch in a row.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mask {
    size: Size,
    runs: Vec<Run>,
}

impl Mask {
    pub const fn empty(size: Size) -> Self {
        Self {
            size,
            runs: Vec::new(),
        }
    }

    /// Any runs in any order, overlapping or outside the image: they are clipped, sorted and joined.
    pub fn from_runs(size: Size, runs: impl IntoIterator<Item = Run>) -> Self {
        let mut runs: Vec<Run> = runs
            .into_iter()
            .map(|r| Run {
                x1: r.x1.min(size.width),
                ..r
            })
            .filter(|r| r.y < size.height && r.x0 < r.x1)
            .collect();
        if !runs.is_sorted() {
            runs.sort_unstable();
        }
        let mut joined: Vec<Run> = Vec::with_capacity(runs.len());
        for run in runs {
            match joined.last_mut() {
                Some(last) if last.y == run.y && run.x0 <= last.x1 => last.x1 = last.x1.max(run.x1),
                _ => joined.push(run),
            }
        }
        Self { size, runs: joined }
    }

    /// The pixels of `bounds` for which `inside` holds; asked row by row.
    pub fn from_fn(
        size: Size,
        bounds: ImageRect,
        mut inside: impl FnMut(ImagePoint) -> bool,
    ) -> Self {
        let bounds = bounds.intersection(size.bounds());
        let mut runs = Vec::new();
        for y in bounds.y0..bounds.y1 {
            let mut start = None;
            for x in bounds.x0..bounds.x1 {
                match (inside(ImagePoint::new(x, y)), start) {
                    (true, None) => start = Some(x),
                    (false, Some(x0)) => {
                        runs.push(Run { y, x0, x1: x });
                        start = None;
                    }
                    _ => {}
                }
            }
            if let Some(x0) = start {
                runs.push(Run {
                    y,
                    x0,
                    x1: bounds.x1,
                });
            }
        }
        Self { size, runs }
    }

    pub fn from_rect(size: Size, rect: ImageRect) -> Self {
        Self::from_runs(
            size,
            (rect.y0..rect.y1.min(size.height)).map(|y| Run {
                y,
                x0: rect.x0,
                x1: rect.x1,
            }),
        )
    }

    /// A filled disk: the pixels whose centres lie within `radius` pixels of `centre`'s.
    pub fn from_disk(size: Size, centre: ImagePoint, radius: f64) -> Self {
        let (cx, cy) = (f64::from(centre.x), f64::from(centre.y));
        let top = (cy - radius).ceil().max(0.0) as u32;
        let bottom = (cy + radius).floor().max(0.0) as u32;
        Self::from_runs(
            size,
            (top..=bottom.min(size.height.saturating_sub(1))).map(|y| {
                let half = (radius * radius - (f64::from(y) - cy).powi(2))
                    .max(0.0)
                    .sqrt();
                Run {
                    y,
                    x0: (cx - half).ceil().max(0.0) as u32,
                    x1: (cx + half).floor() as u32 + 1,
                }
            }),
        )
    }

    /// What a round brush covers on its way from one pixel to another.
    pub fn from_stroke(size: Size, from: ImagePoint, to: ImagePoint, radius: f64) -> Self {
        let (x, y) = (f64::from(from.x), f64::from(from.y));
        let (dx, dy) = (f64::from(to.x) - x, f64::from(to.y) - y);
        // Half a radius apart the disks' joint outline is smooth to a thirtieth of the radius.
        let steps = (dx.hypot(dy) / (radius / 2.0).max(1.0)).ceil().max(1.0) as u32;
        let runs = (0..=steps).flat_map(|i| {
            let t = f64::from(i) / f64::from(steps);
            let at = size.clamp((x + t * dx).round() as i64, (y + t * dy).round() as i64);
            Self::from_disk(size, at, radius).runs
        });
        Self::from_runs(size, runs.collect::<Vec<_>>())
    }

    pub const fn size(&self) -> Size {
        self.size
    }

    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The runs of the rows `y0..y1`.
    pub fn runs_in_rows(&self, y0: u32, y1: u32) -> &[Run] {
        let from = self.runs.partition_point(|r| r.y < y0);
        let to = self.runs.partition_point(|r| r.y < y1);
        &self.runs[from..to.max(from)]
    }

    pub const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Number of pixels.
    pub fn area(&self) -> u64 {
        self.runs.iter().map(|r| u64::from(r.x1 - r.x0)).sum()
    }

    /// The tight rectangle around it; `None` where it is empty.
    pub fn bounds(&self) -> Option<ImageRect> {
        let (first, last) = (self.runs.first()?, self.runs.last()?);
        let x0 = self.runs.iter().map(|r| r.x0).min()?;
        let x1 = self.runs.iter().map(|r| r.x1).max()?;
        Some(ImageRect::new(x0, first.y, x1, last.y + 1))
    }

    pub fn contains(&self, at: ImagePoint) -> bool {
        let after = self.runs.partition_point(|r| (r.y, r.x0) <= (at.y, at.x));
        after > 0 && {
            let run = self.runs[after - 1];
            run.y == at.y && at.x < run.x1
        }
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a || b)
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a && b)
    }

    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a && !b)
    }

    #[must_use]
    pub fn symmetric_difference(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a != b)
    }

    /// Intersection over union; 1 where both are empty.
    pub fn iou(&self, other: &Self) -> f64 {
        let common = self.intersection(other).area();
        let all = self.area() + other.area() - common;
        if all == 0 {
            1.0
        } else {
            common as f64 / all as f64
        }
    }

    /// One byte a pixel of `bounds`, 0 or 1, row by row.
    pub fn to_bytes(&self, bounds: ImageRect) -> Vec<u8> {
        let width = bounds.width() as usize;
        let mut bytes = vec![0; width * bounds.height() as usize];
        for run in self.runs_in_rows(bounds.y0, bounds.y1) {
            let (x0, x1) = (run.x0.max(bounds.x0), run.x1.min(bounds.x1));
            if x0 < x1 {
                let row = (run.y - bounds.y0) as usize * width;
                bytes[row + (x0 - bounds.x0) as usize..row + (x1 - bounds.x0) as usize].fill(1);
            }
        }
        bytes
    }

    /// The pixels of `bounds` whose byte is not 0; the inverse of [`Mask::to_bytes`].
    pub fn from_bytes(size: Size, bounds: ImageRect, bytes: &[u8]) -> Self {
        let width = bounds.width() as usize;
        Self::from_fn(size, bounds, |p| {
            bytes[(p.y - bounds.y0) as usize * width + (p.x - bounds.x0) as usize] != 0
        })
    }

    /// On its side: rows become columns. Costs no more than both outlines.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut edges: Vec<(u32, u32)> = Vec::with_capacity(2 * self.runs.len());
        let mut turned = Vec::new();
        let (mut rest, mut before): (&[Run], &[Run]) = (&self.runs, &[]);
        while let Some(y) = rest.first().map(|r| r.y) {
            if before.first().is_some_and(|r| r.y + 1 < y) {
                turn(before, &[], before[0].y + 1, &mut turned, &mut edges);
                before = &[];
            }
            let row = take_row(&mut rest, y);
            turn(before, row, y, &mut turned, &mut edges);
            before = row;
        }
        if let Some(last) = before.first() {
            turn(before, &[], last.y + 1, &mut turned, &mut edges);
        }
        edges.sort_unstable();
        let (pairs, _) = edges.as_chunks::<2>();
        Self {
            size: Size::new(self.size.height, self.size.width),
            runs: pairs
                .iter()
                .map(|[from, to]| Run {
                    y: from.0,
                    x0: from.1,
                    x1: to.1,
                })
                .collect(),
        }
    }

    /// Sweeps both masks' edges row by row; `keep` tells which of the four cases stays.
    fn combine(&self, other: &Self, keep: impl Fn(bool, bool) -> bool) -> Self {
        debug_assert_eq!(self.size, other.size, "masks of one image");
        let mut out: Vec<Run> = Vec::with_capacity(self.runs.len().max(other.runs.len()));
        let (mut a, mut b) = (self.runs.as_slice(), other.runs.as_slice());
        while let Some(y) = a.first().into_iter().chain(b.first()).map(|r| r.y).min() {
            let row_a = take_row(&mut a, y);
            let row_b = take_row(&mut b, y);
            combine_row(y, row_a, row_b, &keep, &mut out);
        }
        Self {
            size: self.size,
            runs: out,
        }
    }
}

fn take_row<'a>(runs: &mut &'a [Run], y: u32) -> &'a [Run] {
    let n = runs.iter().take_while(|r| r.y == y).count();
    let (row, rest) = runs.split_at(n);
    *runs = rest;
    row
}

/// Where two neighbouring rows differ, a run of the turned mask begins or ends at `y`.
fn turn(above: &[Run], row: &[Run], y: u32, room: &mut Vec<Run>, edges: &mut Vec<(u32, u32)>) {
    room.clear();
    combine_row(y, above, row, &|a, b| a != b, room);
    edges.extend(room.iter().flat_map(|r| r.x0..r.x1).map(|x| (x, y)));
}

fn combine_row(
    y: u32,
    a: &[Run],
    b: &[Run],
    keep: &impl Fn(bool, bool) -> bool,
    out: &mut Vec<Run>,
) {
    let edge = |runs: &[Run], i: usize| {
        runs.get(i / 2)
            .map_or(u32::MAX, |r| if i.is_multiple_of(2) { r.x0 } else { r.x1 })
    };
    let (mut i, mut j, mut start) = (0, 0, None);
    loop {
        let x = edge(a, i).min(edge(b, j));
        if x == u32::MAX {
            return;
        }
        i += usize::from(edge(a, i) == x);
        j += usize::from(edge(b, j) == x);
        match (keep(i % 2 == 1, j % 2 == 1), start) {
            (true, None) => start = Some(x),
            (false, Some(x0)) => {
                out.push(Run { y, x0, x1: x });
                start = None;
            }
            _ => {}
        }
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (w, h) = (self.size.width, self.size.height);
        write!(f, "Mask({w}x{h}, {} px)", self.area())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: Size = Size::new(13, 9);

    fn bits() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(0..2u8, SIZE.area() as usize)
    }

    fn mask(bits: &[u8]) -> Mask {
        Mask::from_bytes(SIZE, SIZE.bounds(), bits)
    }

    proptest! {
        #[test]
        fn algebra_is_that_of_the_single_pixels(a in bits(), b in bits()) {
            let (p, q) = (mask(&a), mask(&b));
            let each = |f: fn(u8, u8) -> u8| a.iter().zip(&b).map(|(x, y)| f(*x, *y)).collect::<Vec<_>>();
            prop_assert_eq!(p.union(&q).to_bytes(SIZE.bounds()), each(|x, y| x | y));
            prop_assert_eq!(p.intersection(&q).to_bytes(SIZE.bounds()), each(|x, y| x & y));
            prop_assert_eq!(p.difference(&q).to_bytes(SIZE.bounds()), each(|x, y| x & !y & 1));
            prop_assert_eq!(p.symmetric_difference(&q).to_bytes(SIZE.bounds()), each(|x, y| x ^ y));
            prop_assert_eq!(p.area(), a.iter().map(|b| u64::from(*b)).sum::<u64>());
        }

        #[test]
        fn transposing_swaps_the_coordinates(a in bits()) {
            let m = mask(&a);
            let turned = m.transposed();
            for y in 0..SIZE.height {
                for x in 0..SIZE.width {
                    prop_assert_eq!(turned.contains(ImagePoint::new(y, x)), m.contains(ImagePoint::new(x, y)));
                }
            }
            prop_assert_eq!(turned.transposed(), m);
        }

        #[test]
        fn contains_tells_each_pixel(a in bits()) {
            let m = mask(&a);
            for y in 0..SIZE.height {
                for x in 0..SIZE.width {
                    prop_assert_eq!(m.contains(ImagePoint::new(x, y)), a[(y * SIZE.width + x) as usize] == 1);
                }
            }
        }
    }

    #[test]
    fn runs_in_any_order_are_clipped_sorted_and_joined() {
        let run = |y, x0, x1| Run { y, x0, x1 };
        let m = Mask::from_runs(
            SIZE,
            [
                run(3, 8, 40),
                run(1, 2, 4),
                run(1, 4, 6),
                run(20, 0, 1),
                run(2, 5, 5),
            ],
        );
        assert_eq!(m.runs(), [run(1, 2, 6), run(3, 8, 13)]);
    }

    #[test]
    fn a_disk_of_radius_one_is_a_cross() {
        let m = Mask::from_disk(SIZE, ImagePoint::new(0, 4), 1.0);
        assert_eq!(m.area(), 4, "the left arm lies outside");
    }
}
