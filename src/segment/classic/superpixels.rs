//! Superpixels: an inside click adds the one under it, an outside click takes it away.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::core::document::Proposal;
use crate::core::geometry::{ImagePoint, ImageRect, Size};
use crate::core::image::Image;
use crate::core::mask::{Mask, Run};
use crate::core::prompt::Side;
use crate::segment::{Engine, Error, Question, Result};

use super::proposal;
use super::slic::{self, Slic};
use super::window::Window;

const NAME: &str = "superpixels";
/// Longest side of the window that is tiled.
const COARSE: u32 = 768;
/// Superpixels along the window's longest side: of the picture as a whole, and of a box.
const ALONG_PICTURE: u32 = 48;
const ALONG_BOX: u32 = 24;
/// The usual weight of position against colour.
const COMPACTNESS: f32 = 10.0;
/// Tilings kept in memory, about 2 MiB each.
const KEPT: usize = 4;

/// The engine. A box limits where superpixels are made and makes them as much smaller as the box is
/// smaller than the picture, so a box around a detail gives fine ones.
#[derive(Debug, Default)]
pub struct Superpixels {
    /// The most recently used last.
    kept: Vec<((u64, ImageRect), Arc<Tiles>)>,
}

/// A tiled window.
#[derive(Debug)]
struct Tiles {
    window: Window,
    slic: Slic,
}

impl Engine for Superpixels {
    fn name(&self) -> &str {
        NAME
    }

    fn propose(&mut self, question: &Question) -> Result<Vec<Proposal>> {
        question.cancel.check()?;
        let prompt = &question.prompt;
        let tiles = self.tiles(question)?;
        let mut chosen = BTreeSet::new();
        for click in &prompt.clicks {
            if !tiles.window.rect.contains(click.at) {
                continue;
            }
            let label = tiles.label_at(click.at);
            match click.side {
                Side::Inside => chosen.insert(label),
                Side::Outside => chosen.remove(&label),
            };
        }
        if chosen.is_empty() {
            return Err(Error::Prompt(
                "superpixels has none chosen: give an inside click (a box only limits where)"
                    .into(),
            ));
        }
        let mask = tiles.mask(&question.image, &chosen);
        Ok(vec![proposal(NAME, mask, tiles.confidence(&chosen))])
    }
}

impl Superpixels {
    fn tiles(&mut self, question: &Question) -> Result<Arc<Tiles>> {
        let all = question.image.size().bounds();
        let (rect, along) = match question.prompt.rect {
            Some(rect) => (rect.intersection(all), ALONG_BOX),
            None => (all, ALONG_PICTURE),
        };
        let key = (question.image_key, rect);
        if let Some(found) = self.kept.iter().position(|(k, _)| *k == key) {
            self.kept[found..].rotate_left(1);
        } else {
            let window = Window::cut(&question.image, rect, COARSE)?;
            let step = window.size.longest() as f32 / along as f32;
            let (step, cancel) = (step.max(6.0), &question.cancel);
            let slic = slic::slic(window.size, &window.pixels, step, COMPACTNESS, cancel)?;
            if self.kept.len() == KEPT {
                self.kept.remove(0);
            }
            self.kept.push((key, Arc::new(Tiles { window, slic })));
        }
        let (_, newest) = self.kept.last().expect("one was just found or made");
        Ok(Arc::clone(newest))
    }
}

impl Tiles {
    fn label_at(&self, at: ImagePoint) -> u32 {
        let at = self.window.window_from_image(at);
        self.slic.labels[at.y as usize * self.window.size.width as usize + at.x as usize]
    }

    /// The pixels of the chosen superpixels. Where the picture is finer than the tiling, each pixel
    /// at a superpixel's edge goes to the likest of those around it, so that neighbours still meet
    /// without a gap and without overlap.
    fn mask(&self, image: &Image, chosen: &BTreeSet<u32>) -> Mask {
        let Size { width, height } = self.window.size;
        let mut runs = Vec::new();
        let mut around = Vec::with_capacity(9);
        for v in 0..height {
            for u in 0..width {
                self.labels_around(u, v, &mut around);
                let cell = self.cell(u, v);
                let all = around.iter().all(|l| chosen.contains(l));
                if all || cell.size() == Size::new(1, 1) {
                    let label = self.slic.labels[(v * width + u) as usize];
                    if all || chosen.contains(&label) {
                        runs.extend((cell.y0..cell.y1).map(|y| Run {
                            y,
                            x0: cell.x0,
                            x1: cell.x1,
                        }));
                    }
                } else if around.iter().any(|l| chosen.contains(l)) {
                    self.push_edge(image, cell, &around, chosen, &mut runs);
                }
            }
        }
        Mask::from_runs(image.size(), runs)
    }

    fn push_edge(
        &self,
        image: &Image,
        cell: ImageRect,
        around: &[u32],
        chosen: &BTreeSet<u32>,
        runs: &mut Vec<Run>,
    ) {
        let (sx, sy) = self.window.scale();
        for y in cell.y0..cell.y1 {
            for x in cell.x0..cell.x1 {
                let u = (f64::from(x - self.window.rect.x0) + 0.5) / sx - 0.5;
                let v = (f64::from(y - self.window.rect.y0) + 0.5) / sy - 0.5;
                let colour = image.pixel(ImagePoint::new(x, y));
                let unlike = |l: &u32| self.slic.unlike(*l, colour, u as f32, v as f32);
                let likest = around
                    .iter()
                    .min_by(|a, b| unlike(a).total_cmp(&unlike(b)))
                    .expect("a pixel is around itself");
                if chosen.contains(likest) {
                    runs.push(Run {
                        y,
                        x0: x,
                        x1: x + 1,
                    });
                }
            }
        }
    }

    /// The image pixels of a window pixel.
    fn cell(&self, u: u32, v: u32) -> ImageRect {
        let (rect, size) = (self.window.rect, self.window.size);
        let edge = |start: u32, length: u32, i: u32, n: u32| {
            start + (u64::from(length) * u64::from(i) / u64::from(n)) as u32
        };
        ImageRect::new(
            edge(rect.x0, rect.width(), u, size.width),
            edge(rect.y0, rect.height(), v, size.height),
            edge(rect.x0, rect.width(), u + 1, size.width),
            edge(rect.y0, rect.height(), v + 1, size.height),
        )
    }

    /// The labels of a window pixel and its neighbours, each once.
    fn labels_around(&self, u: u32, v: u32, labels: &mut Vec<u32>) {
        let Size { width, height } = self.window.size;
        labels.clear();
        for y in v.saturating_sub(1)..(v + 2).min(height) {
            for x in u.saturating_sub(1)..(u + 2).min(width) {
                let label = self.slic.labels[(y * width + x) as usize];
                if !labels.contains(&label) {
                    labels.push(label);
                }
            }
        }
    }

    /// The confidence: how unlike the chosen superpixels are to those next to them. `d / (d + 10)`
    /// with the mean difference in Lab along the edge: one half at 10, 0.8 at 40.
    fn confidence(&self, chosen: &BTreeSet<u32>) -> f32 {
        let width = self.window.size.width as usize;
        let labels = &self.slic.labels;
        let (mut sum, mut count) = (0.0, 0u32);
        for i in 0..labels.len() {
            for j in [i + 1, i + width] {
                if j >= labels.len() || (j == i + 1 && j.is_multiple_of(width)) {
                    continue;
                }
                if chosen.contains(&labels[i]) != chosen.contains(&labels[j]) {
                    sum += self.slic.contrast(labels[i], labels[j]);
                    count += 1;
                }
            }
        }
        if count == 0 {
            return 0.5;
        }
        let mean = sum / count as f32;
        mean / (mean + 10.0)
    }
}
