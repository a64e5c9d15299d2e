//! The labelling of a window's free pixels that `GrabCut`'s energy likes best.
//!
//! The energy is that of Rother, Kolmogorov and Blake ("`GrabCut`", SIGGRAPH 2004): each pixel pays
//! −ln of its colour's density under its side's mixture, and neighbours on different sides pay
//! `γ / distance · exp(−β ‖difference of colour‖²)`, with `β = 1 / (2 · mean ‖difference‖²)`.

use crate::core::geometry::{ImageRect, Size};
use crate::core::image::Image;
use crate::segment::{Cancel, Result};

use super::colour::ColourModel;
use super::graph::{DIRECTIONS, Graph};
use super::seed::{self, Seed};
use super::window::Window;

/// The paper's weight of the edge term.
const GAMMA: f32 = 50.0;
/// The graph counts in whole numbers: this many make one unit of energy.
const UNIT: f32 = 64.0;
/// More colours than these teach a mixture nothing new.
const SAMPLES: usize = 40_000;
/// No resolution finer than this is cut: above it the edge is interpolated.
const FINEST: u32 = 2048;
/// How far from the coarse edge the fine one may lie, in fine pixels.
const BAND: u32 = 4;

/// What the colours of both sides are like.
#[derive(Debug, Clone)]
pub struct Models {
    pub inside: ColourModel,
    pub outside: ColourModel,
}

impl Models {
    /// Learns both sides' colours from labels; `None` where a side has no pixel.
    pub fn learn(window: &Window, inside: &[bool]) -> Option<Self> {
        Some(Self {
            inside: ColourModel::learn(&colours(window, |i| inside[i]))?,
            outside: ColourModel::learn(&colours(window, |i| !inside[i]))?,
        })
    }

    /// Learns from the settled pixels alone; `None` where a side has none.
    pub fn learn_settled(window: &Window, seeds: &[Seed]) -> Option<Self> {
        Some(Self {
            inside: ColourModel::learn(&colours(window, |i| seeds[i] == Seed::Inside))?,
            outside: ColourModel::learn(&colours(window, |i| seeds[i] == Seed::Outside))?,
        })
    }

    /// One step of learning towards other labels.
    #[must_use]
    pub fn relearn(&self, window: &Window, inside: &[bool]) -> Self {
        Self {
            inside: self.inside.relearn(&colours(window, |i| inside[i])),
            outside: self.outside.relearn(&colours(window, |i| !inside[i])),
        }
    }

    /// How much dearer it is to call a colour outside than inside.
    pub fn preference(&self, colour: [u8; 3]) -> f32 {
        self.outside.cost(colour) - self.inside.cost(colour)
    }
}

fn colours(window: &Window, is_of_side: impl Fn(usize) -> bool) -> Vec<[u8; 3]> {
    let step = window.pixels.len().div_ceil(2 * SAMPLES).max(1);
    (0..window.pixels.len())
        .filter(|i| is_of_side(*i))
        .step_by(step)
        .map(|i| window.pixels[i])
        .collect()
}

/// Weights of the links to the right and the three below, for each pixel.
#[derive(Debug)]
pub struct Contrast {
    beta: f32,
}

impl Contrast {
    pub fn measure(window: &Window) -> Self {
        let Size { width, height } = window.size;
        let (mut sum, mut pairs) = (0u64, 0u64);
        for y in 0..height as usize {
            for x in 0..width as usize {
                let i = y * width as usize + x;
                if x + 1 < width as usize {
                    sum += u64::from(squared(window.pixels[i], window.pixels[i + 1]));
                    pairs += 1;
                }
                if y + 1 < height as usize {
                    sum += u64::from(squared(window.pixels[i], window.pixels[i + width as usize]));
                    pairs += 1;
                }
            }
        }
        Self {
            beta: if sum == 0 {
                0.0
            } else {
                (pairs as f64 / (2.0 * sum as f64)) as f32
            },
        }
    }

    /// What it costs to separate two neighbours, in energy.
    pub fn weight(&self, a: [u8; 3], b: [u8; 3], direction: usize) -> f32 {
        let (dx, dy) = DIRECTIONS[direction];
        let distance = if dx != 0 && dy != 0 {
            std::f32::consts::SQRT_2
        } else {
            1.0
        };
        GAMMA / distance * (-self.beta * squared(a, b) as f32).exp()
    }
}

fn squared(a: [u8; 3], b: [u8; 3]) -> u32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2))
        .sum()
}

/// Labels the free pixels; the settled ones stay as they are.
pub fn cut(
    window: &Window,
    seeds: &[Seed],
    models: &Models,
    contrast: &Contrast,
    cancel: &Cancel,
) -> Result<Vec<bool>> {
    let mut node_of = vec![u32::MAX; seeds.len()];
    let mut free = 0;
    for (node, seed) in node_of.iter_mut().zip(seeds) {
        if *seed == Seed::Free {
            *node = free;
            free += 1;
        }
    }
    let mut graph = Graph::new(free as usize);
    let (width, height) = (window.size.width as i32, window.size.height as i32);
    for i in 0..seeds.len() {
        let colour = window.pixels[i];
        if seeds[i] == Seed::Free {
            graph.pull(node_of[i], (UNIT * models.preference(colour)) as i32);
        }
        let (x, y) = (i as i32 % width, i as i32 / width);
        if x == 0 {
            cancel.check()?;
        }
        for (direction, (dx, dy)) in DIRECTIONS.into_iter().enumerate().skip(4) {
            if x + dx < 0 || x + dx >= width || y + dy >= height {
                continue;
            }
            let j = ((y + dy) * width + x + dx) as usize;
            let (free_node, settled) = match (seeds[i], seeds[j]) {
                (Seed::Free, Seed::Free) => {
                    let weight = contrast.weight(colour, window.pixels[j], direction);
                    graph.link(node_of[i], node_of[j], direction, (UNIT * weight) as i32);
                    continue;
                }
                (Seed::Free, settled) => (node_of[i], settled),
                (settled, Seed::Free) => (node_of[j], settled),
                _ => continue,
            };
            let weight = (UNIT * contrast.weight(colour, window.pixels[j], direction)) as i32;
            let towards_source = match settled {
                Seed::Inside => weight,
                Seed::Free | Seed::Outside => -weight,
            };
            graph.pull(free_node, towards_source);
        }
    }
    let side = graph.cut(cancel)?;
    let labels = seeds.iter().zip(&node_of).map(|(seed, node)| match seed {
        Seed::Inside => true,
        Seed::Outside => false,
        Seed::Free => side[*node as usize],
    });
    Ok(labels.collect())
}

/// A window with a label for each of its pixels.
#[derive(Debug)]
pub struct Labels {
    pub window: Window,
    pub inside: Vec<bool>,
}

/// Doubles the resolution until it is the picture's (or [`FINEST`]), and each time decides anew the
/// pixels next to the edge. `decide` gets the finer window and seeds that are free there only.
pub fn sharpen(
    image: &Image,
    mut labels: Labels,
    cancel: &Cancel,
    mut decide: impl FnMut(&Window, Vec<Seed>) -> Result<Vec<bool>>,
) -> Result<Labels> {
    let rect: ImageRect = labels.window.rect;
    while labels.window.size != rect.size() && labels.window.size.longest() < FINEST {
        let finer = Window::cut(image, rect, (2 * labels.window.size.longest()).min(FINEST))?;
        cancel.check()?;
        let mask = labels.window.mask(image.size(), &labels.inside);
        cancel.check()?;
        let inside = finer.sample(&mask);
        cancel.check()?;
        let seeds = seed::band(finer.size, &inside, BAND);
        cancel.check()?;
        let inside = decide(&finer, seeds)?;
        labels = Labels {
            window: finer,
            inside,
        };
    }
    Ok(labels)
}
