//! Which window pixels are settled and which an algorithm has to decide.

use crate::core::geometry::{ImagePoint, Size};
use crate::core::prompt::{Prompt, Side};

use super::window::Window;

/// What is known of a window pixel beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    Free,
    Inside,
    Outside,
}

impl From<Side> for Seed {
    fn from(side: Side) -> Self {
        match side {
            Side::Inside => Self::Inside,
            Side::Outside => Self::Outside,
        }
    }
}

/// Free inside the box, outside around it; all free where the prompt has no box.
pub fn from_rect(window: &Window, prompt: &Prompt) -> Vec<Seed> {
    let Some(rect) = prompt.rect else {
        return vec![Seed::Free; window.pixels.len()];
    };
    let mut seeds = vec![Seed::Outside; window.pixels.len()];
    for (i, seed) in seeds.iter_mut().enumerate() {
        let (x, y) = place(window.size, i);
        if rect.contains(window.image_from_window(x, y)) {
            *seed = Seed::Free;
        }
    }
    seeds
}

/// Settles a disk of `radius` image pixels around each click, and never less than the pixel under
/// it; the newest click wins where they overlap.
pub fn stamp(seeds: &mut [Seed], window: &Window, prompt: &Prompt, radius: f64) {
    for click in &prompt.clicks {
        if !window.rect.contains(click.at) {
            continue;
        }
        for i in disk(window, click.at, radius) {
            seeds[i] = click.side.into();
        }
    }
}

/// The window pixels within `radius` image pixels of a point, the one under it included.
pub fn disk(window: &Window, at: ImagePoint, radius: f64) -> Vec<usize> {
    let centre = window.window_from_image(at);
    let (sx, sy) = window.scale();
    let (rx, ry) = (radius / sx, radius / sy);
    let reach = |c: u32, r: f64, end: u32| c.saturating_sub(r as u32)..(c + r as u32 + 1).min(end);
    let mut pixels = Vec::new();
    for y in reach(centre.y, ry, window.size.height) {
        for x in reach(centre.x, rx, window.size.width) {
            let dx = (f64::from(x) - f64::from(centre.x)) / rx.max(1.0);
            let dy = (f64::from(y) - f64::from(centre.y)) / ry.max(1.0);
            if dx * dx + dy * dy <= 1.0 {
                pixels.push(y as usize * window.size.width as usize + x as usize);
            }
        }
    }
    pixels
}

/// Free within `radius` pixels of the labels' edge (as a square), settled elsewhere.
pub fn band(size: Size, inside: &[bool], radius: u32) -> Vec<Seed> {
    let (width, height) = (size.width as usize, size.height as usize);
    let radius = radius as usize;
    // Sums over a sliding window, first along the rows, then down the columns.
    let mut across = vec![0u32; inside.len()];
    for (row, sums) in inside.chunks(width).zip(across.chunks_mut(width)) {
        let mut sum: u32 = row[..radius.min(width)].iter().map(|i| u32::from(*i)).sum();
        for x in 0..width {
            sum += u32::from(x + radius < width && row[(x + radius).min(width - 1)]);
            if x > radius {
                sum -= u32::from(row[x - radius - 1]);
            }
            sums[x] = sum;
        }
    }
    let mut column = vec![0u32; width];
    for row in across.chunks(width).take(radius.min(height)) {
        add(&mut column, row);
    }
    let mut seeds = Vec::with_capacity(inside.len());
    for y in 0..height {
        if y + radius < height {
            add(&mut column, &across[(y + radius) * width..][..width]);
        }
        if y > radius {
            for (c, s) in column
                .iter_mut()
                .zip(&across[(y - radius - 1) * width..][..width])
            {
                *c -= s;
            }
        }
        let rows = (y + radius).min(height - 1) + 1 - y.saturating_sub(radius);
        for (x, sum) in column.iter().enumerate() {
            let columns = (x + radius).min(width - 1) + 1 - x.saturating_sub(radius);
            seeds.push(match *sum as usize {
                0 => Seed::Outside,
                all if all == rows * columns => Seed::Inside,
                _ => Seed::Free,
            });
        }
    }
    seeds
}

fn add(sums: &mut [u32], row: &[u32]) {
    for (s, r) in sums.iter_mut().zip(row) {
        *s += r;
    }
}

/// Column and row of a pixel by its index.
pub fn place(size: Size, index: usize) -> (u32, u32) {
    let index = index as u32;
    (index % size.width, index / size.width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_is_free_within_its_radius_of_the_edge_and_settled_elsewhere() {
        let size = Size::new(12, 7);
        let inside: Vec<bool> = (0..84).map(|i| i % 12 >= 5).collect();
        let seeds = band(size, &inside, 2);
        for (i, seed) in seeds.iter().enumerate() {
            let expected = match i % 12 {
                0..=2 => Seed::Outside,
                3..=6 => Seed::Free,
                _ => Seed::Inside,
            };
            assert_eq!(*seed, expected, "pixel {i}");
        }
    }
}
