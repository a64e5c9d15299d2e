//! Watershed: inside and outside markers are flooded over the image's steepness until they meet.

use std::collections::VecDeque;

use crate::core::document::Proposal;
use crate::core::geometry::Size;
use crate::core::prompt::{Prompt, Side};
use crate::segment::{Engine, Error, Question, Result};

use super::cut::{self, Labels};
use super::seed::{self, Seed};
use super::window::Window;
use super::{focus, proposal};

const NAME: &str = "watershed";
/// Longest side of the window that is flooded first.
const COARSE: u32 = 512;
/// Radius of a click's marker, in pixels of that window.
const CLICK: f64 = 2.0;
/// Highest steepness that is told apart from a higher one.
const STEEPEST: u16 = 1023;

/// The engine. The answer depends on the markers alone, never on an earlier answer.
///
/// Markers are the clicks; outside are also what lies around the box and, where nothing else is
/// outside, the frame of the picture. A box without an inside click has its middle as a marker.
#[derive(Debug, Default)]
pub struct Watershed;

impl Engine for Watershed {
    fn name(&self) -> &str {
        NAME
    }

    fn propose(&mut self, question: &Question) -> Result<Vec<Proposal>> {
        let afresh = Question {
            previous: None,
            ..question.clone()
        };
        let prompt = &question.prompt;
        let window = Window::cut(&question.image, focus(&afresh, NAME)?, COARSE)?;
        let radius = CLICK * window.scale().0;
        let seeds = markers(&window, prompt, radius);
        let relief = relief(&window);
        let inside = inside(window.size, &relief, &seeds);
        let confidence = steepness_at_edge(window.size, &relief, &inside);
        let labels = cut::sharpen(
            &question.image,
            Labels { window, inside },
            &question.cancel,
            |finer, mut seeds| {
                seed::stamp(&mut seeds, finer, prompt, radius);
                let relief = self::relief(finer);
                question.cancel.check()?;
                Ok(self::inside(finer.size, &relief, &seeds))
            },
        )?;
        let mask = labels.window.mask(question.image.size(), &labels.inside);
        if mask.is_empty() {
            return Err(Error::Prompt(
                "watershed was left no room by the outside clicks: take one back".into(),
            ));
        }
        Ok(vec![proposal(NAME, mask, confidence)])
    }
}

fn markers(window: &Window, prompt: &Prompt, radius: f64) -> Vec<Seed> {
    let mut seeds = seed::from_rect(window, prompt);
    if let Some(rect) = prompt.rect
        && prompt.points(Side::Inside).next().is_none()
    {
        let middle = f64::from(rect.width().min(rect.height())) / 8.0;
        for i in seed::disk(window, rect.centre(), middle) {
            seeds[i] = Seed::Inside;
        }
    }
    if seeds.iter().all(|s| *s != Seed::Outside) {
        let size = window.size;
        for (i, seed) in seeds.iter_mut().enumerate() {
            let (x, y) = seed::place(size, i);
            if x == 0 || y == 0 || x + 1 == size.width || y + 1 == size.height {
                *seed = Seed::Outside;
            }
        }
    }
    seed::stamp(&mut seeds, window, prompt, radius);
    seeds
}

fn inside(size: Size, relief: &[u16], seeds: &[Seed]) -> Vec<bool> {
    let markers = seeds.iter().map(|s| match s {
        Seed::Free => 0,
        Seed::Inside => 1,
        Seed::Outside => 2,
    });
    let basins = flood(size, relief, markers.collect());
    basins.into_iter().map(|b| b == 1).collect()
}

/// Steepness of each pixel: Sobel's gradient, of the channel where it is largest.
fn relief(window: &Window) -> Vec<u16> {
    let Size { width, height } = window.size;
    let (width, height) = (width as usize, height as usize);
    let mut relief = Vec::with_capacity(window.pixels.len());
    for y in 0..height {
        let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)]
            .map(|y| &window.pixels[y * width..][..width]);
        for x in 0..width {
            let (l, r) = (x.saturating_sub(1), (x + 1).min(width - 1));
            let steepness = |channel: usize| {
                let at = |row: usize, x: usize| f32::from(rows[row][x][channel]);
                let across =
                    at(0, r) + 2.0 * at(1, r) + at(2, r) - (at(0, l) + 2.0 * at(1, l) + at(2, l));
                let down =
                    at(2, l) + 2.0 * at(2, x) + at(2, r) - (at(0, l) + 2.0 * at(0, x) + at(0, r));
                across.hypot(down)
            };
            let steepest = (0..3).map(steepness).fold(0.0, f32::max);
            relief.push((steepest as u16).min(STEEPEST));
        }
    }
    relief
}

/// Floods the relief from the markers (0 is unmarked), lowest pixels first and, at the same height,
/// those first that were reached first (Meyer 1991, as scikit-image does it with four neighbours).
///
/// Heights beyond 1023 count as 1023. Pixels that no marker reaches stay 0.
pub fn flood(size: Size, relief: &[u16], mut basins: Vec<u32>) -> Vec<u32> {
    let width = size.width as usize;
    let mut queues = vec![VecDeque::new(); usize::from(STEEPEST) + 1];
    let level_of = |i: usize| usize::from(relief[i].min(STEEPEST));
    let around = |i: usize, all: usize| {
        let x = i % width;
        let around = [
            i.checked_sub(width),
            (x > 0).then(|| i - 1),
            (x + 1 < width).then_some(i + 1),
            (i + width < all).then_some(i + width),
        ];
        around.into_iter().flatten()
    };
    for (i, basin) in basins.iter().enumerate() {
        // A marker in the midst of others floods nothing.
        if *basin != 0 && around(i, basins.len()).any(|j| basins[j] == 0) {
            queues[level_of(i)].push_back(i as u32);
        }
    }
    let mut level = 0;
    while level < queues.len() {
        let Some(i) = queues[level].pop_front() else {
            level += 1;
            continue;
        };
        let (i, basin) = (i as usize, basins[i as usize]);
        for j in around(i, basins.len()) {
            if basins[j] == 0 {
                basins[j] = basin;
                queues[level_of(j)].push_back(j as u32);
                level = level.min(level_of(j));
            }
        }
    }
    basins
}

/// The confidence: how steep the image is along the edge, `e / (e + mean)` with the mean over the
/// window. One half is an edge through flat ground, 0.9 one that is nine times steeper than usual.
fn steepness_at_edge(size: Size, relief: &[u16], inside: &[bool]) -> f32 {
    let band = seed::band(size, inside, 1);
    let (mut sum, mut count) = (0.0f64, 0u32);
    for (seed, r) in band.iter().zip(relief) {
        if *seed == Seed::Free {
            sum += f64::from(*r);
            count += 1;
        }
    }
    let edge = sum / f64::from(count.max(1));
    let mean = relief.iter().map(|r| f64::from(*r)).sum::<f64>() / relief.len() as f64;
    if edge + mean == 0.0 {
        return 0.5;
    }
    (edge / (edge + mean)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_basins_meet_on_the_ridge_between_them() {
        let size = Size::new(9, 1);
        let relief = [0, 1, 2, 3, 9, 4, 3, 2, 1];
        let mut markers = vec![0; 9];
        (markers[0], markers[8]) = (1, 2);
        let basins = flood(size, &relief, markers);
        assert_eq!(&basins[..4], [1, 1, 1, 1]);
        assert_eq!(&basins[5..], [2, 2, 2, 2]);
    }

    #[test]
    fn without_a_marker_nothing_is_flooded() {
        assert_eq!(flood(Size::new(2, 2), &[5; 4], vec![0; 4]), [0; 4]);
    }
}
