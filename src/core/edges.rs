//! Box sides that snap to strong edges of the picture.

use super::geometry::{ImagePoint, ImageRect};
use super::image::Image;

/// Lines sampled across a side at most: more tell nothing new.
const SAMPLES: u32 = 64;
/// How much stronger than the mean of its surroundings an edge must be.
const CLEAR: f64 = 2.0;

/// `rect` with each side moved, by at most `reach` pixels, to the strongest edge that runs along
/// it; a side without a clear edge nearby stays.
pub fn snap(image: &Image, rect: ImageRect, reach: u32) -> ImageRect {
    let size = image.size();
    let across = |x: u32| step(image, rect.y0, rect.y1, |y| [(x - 1, y), (x, y)]);
    let down = |y: u32| step(image, rect.x0, rect.x1, |x| [(x, y - 1), (x, y)]);
    let x0 = best(rect.x0, reach, size.width, across);
    let x1 = best(rect.x1, reach, size.width, across);
    let y0 = best(rect.y0, reach, size.height, down);
    let y1 = best(rect.y1, reach, size.height, down);
    if x0 >= x1 || y0 >= y1 {
        return rect;
    }
    ImageRect::new(x0, y0, x1, y1)
}

/// The strongest border between two pixel lines near `at`, a border itself: 0 to `length`.
fn best(at: u32, reach: u32, length: u32, strength: impl Fn(u32) -> f64) -> u32 {
    let range = at.saturating_sub(reach).max(1)..(at + reach + 1).min(length);
    let all: Vec<(u32, f64)> = range.map(|i| (i, strength(i))).collect();
    let mean = all.iter().map(|e| e.1).sum::<f64>() / all.len().max(1) as f64;
    let top = all.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    top.filter(|e| e.1 > CLEAR * mean && e.1 > 4.0)
        .map_or(at, |e| e.0)
}

/// Mean difference of brightness over a border, from `low` to `high` along it.
fn step(image: &Image, low: u32, high: u32, pair: impl Fn(u32) -> [(u32, u32); 2]) -> f64 {
    let count = (high - low).clamp(1, SAMPLES);
    let place = |i: u32| low + (high - low) * i / count;
    let total: f64 = (0..count)
        .map(|i| {
            let [a, b] = pair(place(i)).map(|(x, y)| brightness(image, x, y));
            (a - b).abs()
        })
        .sum();
    total / f64::from(count)
}

/// 0 to 255 (Rec. 601).
fn brightness(image: &Image, x: u32, y: u32) -> f64 {
    let [r, g, b] = image.pixel(ImagePoint::new(x, y)).map(f64::from);
    0.299 * r + 0.587 * g + 0.114 * b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::Size;

    fn image() -> Image {
        let (w, h) = (100, 80);
        let inside = |x, y| (30..70).contains(&x) && (20..50).contains(&y);
        let pixels = (0..h).flat_map(|y| {
            (0..w).flat_map(move |x| {
                let noise = ((x * 7 + y * 13) % 5) as u8;
                [if inside(x, y) { 180 } else { 60 } + noise; 3]
            })
        });
        Image::from_rgb(Size::new(w, h), pixels.collect())
    }

    #[test]
    fn a_box_near_an_object_snaps_to_its_sides() {
        let rough = ImageRect::new(26, 23, 73, 47);
        assert_eq!(snap(&image(), rough, 5), ImageRect::new(30, 20, 70, 50));
    }

    #[test]
    fn a_side_without_an_edge_in_reach_stays() {
        let rough = ImageRect::new(10, 20, 70, 50);
        assert_eq!(snap(&image(), rough, 5).x0, 10);
        let flat = Image::from_rgb(Size::new(40, 40), vec![9; 4800]);
        let rect = ImageRect::new(0, 3, 40, 20);
        assert_eq!(snap(&flat, rect, 5), rect);
    }
}
