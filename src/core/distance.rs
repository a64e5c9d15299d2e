//! How deep each pixel of a mask lies: the exact Euclidean distance to what is not the mask.

use super::geometry::{ImagePoint, ImageRect};
use super::mask::Mask;

/// Squared distances of a mask's pixels to the nearest pixel outside it; what lies beside the image
/// counts as outside. Of a mask over more than sixteen million pixels only every n-th one across and
/// down is looked at, so that memory stays bounded; distances are then right to about n pixels.
#[derive(Debug, Clone)]
pub struct Depths {
    bounds: ImageRect,
    /// Pixels from one that is looked at to the next.
    step: u32,
    /// Of those that are looked at, a row.
    width: usize,
    squared: Vec<u64>,
}

/// How many pixels are looked at.
const MOST: u64 = 16 << 20;

impl Depths {
    /// Meijster, Roerdink and Hesselink 2000: along the columns first, then along the rows, where
    /// each column is a parabola and only the lowest ones count. Linear in the bounds' pixels.
    pub fn of(mask: &Mask) -> Self {
        let bounds = mask.bounds().unwrap_or(ImageRect::new(0, 0, 0, 0));
        let area = u64::from(bounds.width()) * u64::from(bounds.height());
        Self::sampled(
            mask,
            bounds,
            (area as f64 / MOST as f64).sqrt().ceil().max(1.0) as u32,
        )
    }

    fn sampled(mask: &Mask, bounds: ImageRect, step: u32) -> Self {
        let (width, height, bits) = samples(mask, bounds, step);
        let mut vertical: Vec<u32> = vec![0; width * height];
        for x in 0..width {
            let mut above = 0;
            for y in 0..height {
                above = if bits[y * width + x] == 0 {
                    0
                } else {
                    above + 1
                };
                vertical[y * width + x] = above;
            }
            let mut below = 0;
            for y in (0..height).rev() {
                below = if bits[y * width + x] == 0 {
                    0
                } else {
                    below + 1
                };
                let cell = &mut vertical[y * width + x];
                *cell = below.min(*cell);
            }
        }
        let mut squared = Vec::with_capacity(width * height);
        let mut line = vec![0; width + 2];
        for row in vertical.chunks_exact(width.max(1)) {
            for (to, from) in line[1..].iter_mut().zip(row) {
                *to = i64::from(*from);
            }
            let lowest = envelope(&line);
            squared.extend(lowest[1..=width].iter().map(|d| d * u64::from(step).pow(2)));
        }
        Self {
            bounds,
            step,
            width,
            squared,
        }
    }

    /// The deepest pixel, the first one in row order, that is none of `taken`; with its squared
    /// distance. `None` where the mask holds no other.
    pub fn deepest(&self, taken: &[ImagePoint]) -> Option<(u64, ImagePoint)> {
        let mut best: Option<(u64, ImagePoint)> = None;
        for (i, depth) in self.squared.iter().enumerate() {
            if *depth <= best.map_or(0, |(most, _)| most) {
                continue;
            }
            let (x, y) = ((i % self.width) as u32, (i / self.width) as u32);
            let place = |low: u32, by: u32| low + by * self.step + self.step / 2;
            let at = ImagePoint::new(place(self.bounds.x0, x), place(self.bounds.y0, y));
            if !taken.contains(&at) {
                best = Some((*depth, at));
            }
        }
        best
    }

    /// The pixels whose nearest pixel outside lies at most `depth` away.
    pub fn shallow(&self, mask: &Mask, depth: f64) -> Mask {
        let height = self.squared.len() / self.width.max(1);
        let shallow = Mask::from_fn(mask.size(), self.bounds, |p| {
            let x = ((p.x - self.bounds.x0) / self.step) as usize;
            let y = ((p.y - self.bounds.y0) / self.step) as usize;
            let i = y.min(height - 1) * self.width + x.min(self.width - 1);
            self.squared[i] as f64 <= depth * depth
        });
        shallow.intersection(mask)
    }
}

/// Which of the pixels in the middle of `step` x `step` blocks lie in the mask; with how many there
/// are across and down.
fn samples(mask: &Mask, bounds: ImageRect, step: u32) -> (usize, usize, Vec<u8>) {
    // The middle of a last, narrower block may lie beside the bounds: that block is left out.
    let count = |length: u32| (length + step - 1 - step / 2) / step;
    let (width, height) = (count(bounds.width()), count(bounds.height()));
    let mut bits = vec![0; width as usize * height as usize];
    for (v, row) in bits.chunks_exact_mut(width.max(1) as usize).enumerate() {
        let y = bounds.y0 + v as u32 * step + step / 2;
        for run in mask.runs_in_rows(y, y + 1) {
            let first = |x: u32| count(x - bounds.x0) as usize;
            row[first(run.x0)..first(run.x1)].fill(1);
        }
    }
    (width as usize, height as usize, bits)
}

/// For each x the least `(x - i)² + line[i]²`.
fn envelope(line: &[i64]) -> Vec<u64> {
    let cost = |x: i64, i: i64| (x - i).pow(2) + line[i as usize].pow(2);
    // From where on the parabola of `u` is lower than that of `i`, for i < u.
    let takes_over = |i: i64, u: i64| {
        let (a, b) = (line[i as usize], line[u as usize]);
        (u * u - i * i + b * b - a * a).div_euclid(2 * (u - i))
    };
    let mut lowest = vec![(0_i64, 0_i64)];
    for u in 1..line.len() as i64 {
        while let Some((i, from)) = lowest.last()
            && cost(*from, *i) > cost(*from, u)
        {
            lowest.pop();
        }
        let Some((i, _)) = lowest.last() else {
            lowest.push((u, 0));
            continue;
        };
        let from = takes_over(*i, u) + 1;
        if from < line.len() as i64 {
            lowest.push((u, from));
        }
    }
    let mut distances = vec![0; line.len()];
    for x in (0..line.len() as i64).rev() {
        let (i, from) = *lowest.last().expect("the first one begins at 0");
        distances[x as usize] = cost(x, i) as u64;
        if x == from && lowest.len() > 1 {
            lowest.pop();
        }
    }
    distances
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::geometry::Size;

    const SIZE: Size = Size::new(11, 9);

    proptest! {
        #[test]
        fn depths_are_those_found_by_trying_every_pixel(
            bits in proptest::collection::vec(prop_oneof![1 => Just(0_u8), 9 => Just(1)], 99),
        ) {
            let mask = Mask::from_bytes(SIZE, SIZE.bounds(), &bits);
            let depths = Depths::of(&mask);
            let outside = |x: i64, y: i64| {
                x < 0 || y < 0 || x >= 11 || y >= 9 || bits[(y * 11 + x) as usize] == 0
            };
            let tried = |p: ImagePoint| {
                let (x, y) = (i64::from(p.x), i64::from(p.y));
                let all = (-1..12).flat_map(|u| (-1..10).map(move |v| (u, v)));
                all.filter(|(u, v)| outside(*u, *v))
                    .map(|(u, v)| ((u - x).pow(2) + (v - y).pow(2)) as u64)
                    .min()
                    .expect("the frame is outside")
            };
            let pixels = (0..9).flat_map(|y| (0..11).map(move |x| ImagePoint::new(x, y)));
            let mut best: Option<(u64, ImagePoint)> = None;
            for p in pixels.filter(|p| mask.contains(*p)) {
                let ring = depths.shallow(&mask, (tried(p) as f64).sqrt() + 1e-6);
                prop_assert!(ring.contains(p));
                let inner = depths.shallow(&mask, (tried(p) as f64).sqrt() - 1e-6);
                prop_assert!(!inner.contains(p));
                if best.is_none_or(|(most, _)| tried(p) > most) {
                    best = Some((tried(p), p));
                }
            }
            prop_assert_eq!(depths.deepest(&[]), best);
        }
    }

    #[test]
    fn a_mask_over_a_huge_image_is_as_deep_as_its_disk_to_a_few_pixels() {
        let size = Size::new(20_000, 20_000);
        let centre = ImagePoint::new(9_000, 11_000);
        let mask = Mask::from_disk(size, centre, 8_000.0);
        let depths = Depths::of(&mask);
        assert!(depths.squared.len() as u64 <= MOST);
        let (squared, at) = depths.deepest(&[]).expect("it has pixels");
        assert!(
            ((squared as f64).sqrt() - 8_000.0).abs() < 10.0,
            "{squared}"
        );
        assert!(
            at.x.abs_diff(centre.x) < 20 && at.y.abs_diff(centre.y) < 20,
            "{at:?}"
        );
    }

    #[test]
    fn what_is_shallow_is_known_from_every_third_pixel() {
        let size = Size::new(1_000, 1_000);
        let mask = Mask::from_disk(size, ImagePoint::new(500, 480), 400.0);
        let bounds = mask.bounds().expect("it has pixels");
        let (coarse, exact) = (Depths::sampled(&mask, bounds, 3), Depths::of(&mask));
        let iou = coarse.shallow(&mask, 60.0).iou(&exact.shallow(&mask, 60.0));
        assert!(iou > 0.95, "{iou}");
    }
}
