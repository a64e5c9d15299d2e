//! How deep each pixel of a mask lies: the exact Euclidean distance to what is not the mask.

use super::geometry::{ImagePoint, ImageRect};
use super::mask::Mask;

/// Squared distances of a mask's pixels to the nearest pixel outside it; what lies beside the image
/// counts as outside.
#[derive(Debug, Clone)]
pub struct Depths {
    bounds: ImageRect,
    squared: Vec<u32>,
}

impl Depths {
    /// Meijster, Roerdink and Hesselink 2000: along the columns first, then along the rows, where
    /// each column is a parabola and only the lowest ones count. Linear in the bounds' pixels.
    pub fn of(mask: &Mask) -> Self {
        let bounds = mask.bounds().unwrap_or(ImageRect::new(0, 0, 0, 0));
        let (width, height) = (bounds.width() as usize, bounds.height() as usize);
        let bits = mask.to_bytes(bounds);
        let mut vertical: Vec<i64> = vec![0; width * height];
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
            line[1..=width].copy_from_slice(row);
            let lowest = envelope(&line);
            squared.extend((1..=width).map(|x| lowest[x]));
        }
        Self { bounds, squared }
    }

    /// The deepest pixel, the first one in row order, that is none of `taken`; with its squared
    /// distance. `None` where the mask holds no other.
    pub fn deepest(&self, taken: &[ImagePoint]) -> Option<(u32, ImagePoint)> {
        let width = self.bounds.width().max(1);
        let mut best: Option<(u32, ImagePoint)> = None;
        for (i, depth) in self.squared.iter().enumerate() {
            if *depth <= best.map_or(0, |(most, _)| most) {
                continue;
            }
            let (x, y) = (i as u32 % width, i as u32 / width);
            let at = ImagePoint::new(self.bounds.x0 + x, self.bounds.y0 + y);
            if !taken.contains(&at) {
                best = Some((*depth, at));
            }
        }
        best
    }

    /// The pixels whose nearest pixel outside lies at most `depth` away.
    pub fn shallow(&self, mask: &Mask, depth: f64) -> Mask {
        let width = self.bounds.width() as usize;
        Mask::from_fn(mask.size(), self.bounds, |p| {
            let i = (p.y - self.bounds.y0) as usize * width + (p.x - self.bounds.x0) as usize;
            self.squared[i] > 0 && f64::from(self.squared[i]) <= depth * depth
        })
    }
}

/// For each x the least `(x - i)² + line[i]²`.
fn envelope(line: &[i64]) -> Vec<u32> {
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
        distances[x as usize] = cost(x, i) as u32;
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
                    .map(|(u, v)| ((u - x).pow(2) + (v - y).pow(2)) as u32)
                    .min()
                    .expect("the frame is outside")
            };
            let pixels = (0..9).flat_map(|y| (0..11).map(move |x| ImagePoint::new(x, y)));
            let mut best: Option<(u32, ImagePoint)> = None;
            for p in pixels.filter(|p| mask.contains(*p)) {
                let ring = depths.shallow(&mask, f64::from(tried(p)).sqrt() + 1e-6);
                prop_assert!(ring.contains(p));
                let inner = depths.shallow(&mask, f64::from(tried(p)).sqrt() - 1e-6);
                prop_assert!(!inner.contains(p));
                if best.is_none_or(|(most, _)| tried(p) > most) {
                    best = Some((tried(p), p));
                }
            }
            prop_assert_eq!(depths.deepest(&[]), best);
        }
    }
}
