//! `GrabCut`: the object's colours are learnt from a box or clicks, the edge is a minimum cut.

use crate::core::document::Proposal;
use crate::core::mask::Mask;
use crate::core::prompt::{Prompt, Side};
use crate::segment::{Cancel, Engine, Error, Question, Result};

use super::cut::{self, Contrast, Labels, Models};
use super::seed::{self, Seed};
use super::window::Window;
use super::{focus, previous, proposal};

const NAME: &str = "grabcut";
/// Longest side of the window in which the colours are learnt.
const COARSE: u32 = 448;
/// Rounds of learning and cutting; most prompts settle earlier.
const ROUNDS: u32 = 6;
/// Radius of a click's settled disk, in pixels of the coarse window. People click well inside of what
/// they mean: a smaller disk needs more clicks.
const CLICK: f64 = 5.0;

/// The engine; it keeps nothing between questions.
#[derive(Debug, Default)]
pub struct GrabCut;

impl Engine for GrabCut {
    fn name(&self) -> &str {
        NAME
    }

    fn propose(&mut self, question: &Question) -> Result<Vec<Proposal>> {
        let prompt = &question.prompt;
        let window = Window::cut(&question.image, focus(question, NAME)?, COARSE)?;
        let radius = CLICK * window.scale().0;
        let mut seeds = seed::from_rect(&window, prompt);
        seed::stamp(&mut seeds, &window, prompt, radius);
        let start = first_guess(&window, &seeds, question);
        let contrast = Contrast::measure(&window);
        let (models, inside) = learn(&window, &seeds, start, &contrast, &question.cancel)?;
        let inside = connected(&window, &inside, prompt);
        let labels = cut::sharpen(
            &question.image,
            Labels { window, inside },
            &question.cancel,
            |finer, mut seeds| {
                seed::stamp(&mut seeds, finer, prompt, radius);
                let contrast = Contrast::measure(finer);
                cut::cut(finer, &seeds, &models, &contrast, &question.cancel)
            },
        )?;
        question.cancel.check()?;
        let mask = labels.window.mask(question.image.size(), &labels.inside);
        let mask = obey(mask, prompt);
        if mask.is_empty() {
            return Err(nothing_found());
        }
        let confidence = agreement(&labels, &models);
        Ok(vec![proposal(NAME, mask, confidence)])
    }
}

fn nothing_found() -> Error {
    Error::Prompt(
        "grabcut found nothing there that differs in colour from its surroundings: \
         add an inside click on the object"
            .into(),
    )
}

/// The labels before any colour is known: the mask that clicks correct, else the box, else what
/// lies near the inside clicks.
fn first_guess(window: &Window, seeds: &[Seed], question: &Question) -> Vec<bool> {
    let prompt = &question.prompt;
    let mut inside = if let Some(mask) = previous(question) {
        window.sample(mask)
    } else if prompt.rect.is_some() {
        in_box(window, seeds)
    } else {
        let mut near = vec![false; window.pixels.len()];
        let reach = f64::from(window.rect.size().longest()) / 8.0;
        for at in prompt.points(Side::Inside) {
            for i in seed::disk(window, at, reach) {
                near[i] = true;
            }
        }
        near
    };
    for (i, seed) in inside.iter_mut().zip(seeds) {
        match seed {
            Seed::Inside => *i = true,
            Seed::Outside => *i = false,
            Seed::Free => {}
        }
    }
    inside
}

/// All that is free; where the box leaves nothing outside, its rim stands for the surroundings.
fn in_box(window: &Window, seeds: &[Seed]) -> Vec<bool> {
    let mut inside: Vec<bool> = seeds.iter().map(|s| *s != Seed::Outside).collect();
    if inside.iter().all(|i| *i) {
        let size = window.size;
        let rim = (size.longest() / 32).max(1);
        for (i, label) in inside.iter_mut().enumerate() {
            let (x, y) = seed::place(size, i);
            let to_edge = x.min(y).min(size.width - 1 - x).min(size.height - 1 - y);
            *label = to_edge >= rim;
        }
    }
    inside
}

/// Learns the colours of both sides and cuts, in turns, until the labels stay.
fn learn(
    window: &Window,
    seeds: &[Seed],
    mut inside: Vec<bool>,
    contrast: &Contrast,
    cancel: &Cancel,
) -> Result<(Models, Vec<bool>)> {
    let mut models = Models::learn(window, &inside).ok_or_else(nothing_found)?;
    for _ in 0..ROUNDS {
        models = models.relearn(window, &inside);
        let labels = cut::cut(window, seeds, &models, contrast, cancel)?;
        let changed = labels.iter().zip(&inside).filter(|(a, b)| a != b).count();
        inside = labels;
        if changed * 1000 < inside.len() {
            break;
        }
    }
    Ok((models, inside))
}

/// In a box, all but crumbs and the pieces that were clicked. Of clicks alone only the pieces that
/// hold one: colours also find everything else that looks alike.
fn connected(window: &Window, inside: &[bool], prompt: &Prompt) -> Vec<bool> {
    let width = window.size.width as usize;
    let (piece, areas) = pieces(width, inside);
    let wanted: Vec<u32> = prompt
        .points(Side::Inside)
        .filter(|at| window.rect.contains(*at))
        .map(|at| {
            let at = window.window_from_image(at);
            piece[at.y as usize * width + at.x as usize]
        })
        .collect();
    let largest = areas.iter().copied().max().unwrap_or(0);
    let keeps = |p: u32| {
        let is_crumb = areas[p as usize] * 50 < largest;
        wanted.contains(&p) || (prompt.rect.is_some() && !is_crumb)
    };
    inside
        .iter()
        .zip(&piece)
        .map(|(i, p)| *i && keeps(*p))
        .collect()
}

/// Numbers the connected pieces (four neighbours) of the labelled pixels, with their areas.
fn pieces(width: usize, inside: &[bool]) -> (Vec<u32>, Vec<usize>) {
    let mut piece = vec![u32::MAX; inside.len()];
    let mut areas = Vec::new();
    let mut stack = Vec::new();
    for start in 0..inside.len() {
        if !inside[start] || piece[start] != u32::MAX {
            continue;
        }
        let number = areas.len() as u32;
        piece[start] = number;
        stack.push(start);
        let mut area = 0;
        while let Some(i) = stack.pop() {
            area += 1;
            let x = i % width;
            let around = [
                (x > 0).then(|| i - 1),
                (x + 1 < width).then_some(i + 1),
                i.checked_sub(width),
                (i + width < inside.len()).then_some(i + width),
            ];
            for j in around.into_iter().flatten() {
                if inside[j] && piece[j] == u32::MAX {
                    piece[j] = number;
                    stack.push(j);
                }
            }
        }
        areas.push(area);
    }
    (piece, areas)
}

/// The pixels under the clicks themselves, whatever the resolution left of them.
fn obey(mask: Mask, prompt: &Prompt) -> Mask {
    let size = mask.size();
    prompt
        .clicks
        .iter()
        .filter(|c| size.contains(c.at))
        .fold(mask, |mask, click| {
            let dot = Mask::from_disk(size, click.at, 0.5);
            match click.side {
                Side::Inside => mask.union(&dot),
                Side::Outside => mask.difference(&dot),
            }
        })
}

/// The confidence: which share of the pixels within three of the edge has the side that its colour
/// alone would choose. A clean edge between two different colours comes near to 1; where the
/// smoothness had to overrule the colours it falls towards one half.
fn agreement(labels: &Labels, models: &Models) -> f32 {
    let band = seed::band(labels.window.size, &labels.inside, 3);
    let (mut agreeing, mut all) = (0u32, 0u32);
    for (i, seed) in band.iter().enumerate() {
        if *seed == Seed::Free {
            all += 1;
            let likes_inside = models.preference(labels.window.pixels[i]) > 0.0;
            agreeing += u32::from(likes_inside == labels.inside[i]);
        }
    }
    if all == 0 {
        0.5
    } else {
        agreeing as f32 / all as f32
    }
}
