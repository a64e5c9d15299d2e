//! Fits the click net's last layer, its threshold and its first look to masks that were accepted.

mod fit;

use std::sync::Arc;

use self::fit::Pixel;
use super::click::head::{Evidence, Layer};
use super::click::{ClickNet, Input, THRESHOLD, model_hash};
use super::evaluate::{Sample, first_click, iou};
use super::{Engine, Question, Result};
use crate::core::adaptation::Adaptation;
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::core::prompt::Prompt;

/// Fewer masks than this say too little.
pub const LEAST_MASKS: usize = 8;
/// By how much the mean `IoU` on held-out masks must rise for an adaptation to be kept.
pub const LEAST_GAIN: f64 = 0.01;
/// Each mask is held out once, with one in so many.
const FOLDS: usize = 4;
/// Pixels that are looked at of each answer, half of them within `NEAR` cells of the edge.
const PIXELS: usize = 1000;
const NEAR: u32 = 8;
/// Thresholds to choose from.
const THRESHOLDS: [f32; 7] = [0.3, 0.36, 0.42, 0.49, 0.56, 0.62, 0.68];

/// What came of an adaptation.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub masks: usize,
    /// Mean `IoU` of the answers to a box and to a first click, as shipped.
    pub before: f64,
    /// The same of masks that were held out from fitting.
    pub after: f64,
    /// Fitted to all masks; `None` where what was shipped is as good.
    pub adaptation: Option<Adaptation>,
    /// What came of each mask's box, in their order.
    pub tried: Vec<Tried>,
}

/// Two answers to the box of a mask.
#[derive(Debug, Clone)]
pub struct Tried {
    /// As shipped.
    pub before: Shown,
    /// Fitted to others.
    pub after: Shown,
}

/// An answer, and how good it is.
#[derive(Debug, Clone)]
pub struct Shown {
    pub mask: Arc<Mask>,
    pub iou: f64,
}

/// Where a first click looks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Whole,
    Near,
}

/// What one mask teaches.
struct Lesson {
    /// The shipped answer to the box.
    shipped: Shown,
    /// The `IoU` of the shipped answer to a first click.
    clicked: f64,
    boxed: Taught,
    /// From a first click, having looked at the whole image.
    click: Taught,
    /// From a first click, having looked around it.
    near_click: Taught,
}

/// The shipped answer's `IoU`, and pixels of its crop.
struct Taught {
    iou: f64,
    pixels: Vec<Pixel>,
}

/// Fits to masks of one class, whose longer `sides` are given, and tries each on a fit that has not
/// seen it. `load` brings one at a time, since their images may not fit into memory together, and is
/// asked twice for each.
pub fn adapt<E: From<super::Error>>(
    net: &mut ClickNet,
    sides: &[u32],
    load: &mut dyn FnMut(usize) -> std::result::Result<Sample, E>,
) -> std::result::Result<Outcome, E> {
    let extent = median(sides);
    let mut lessons = Vec::with_capacity(sides.len());
    for i in 0..sides.len() {
        lessons.push(study(net, &load(i)?, extent)?);
    }
    let before = mean(
        lessons
            .iter()
            .map(|l| f64::midpoint(l.boxed.iou, l.clicked)),
    );
    let folds = FOLDS.min(sides.len());
    let (mut fitted, mut aimed) = (0.0, 0.0);
    let mut tried: Vec<Tried> = lessons.iter().map(Lesson::untried).collect();
    for fold in 0..folds {
        let is_held_out = |i: usize| i % folds == fold;
        let seen: Vec<&Lesson> = (0..sides.len())
            .filter(|i| !is_held_out(*i))
            .map(|i| &lessons[i])
            .collect();
        let adaptation = learn(net.last_layer(), &seen, extent);
        let look = adaptation.extent.map_or(Look::Whole, |_| Look::Near);
        let adaptation = Arc::new(adaptation);
        for i in (0..sides.len()).filter(|i| is_held_out(*i)) {
            let [boxed, clicked] = try_out(net, &load(i)?, &adaptation)?;
            fitted += f64::midpoint(boxed.iou, clicked.iou);
            tried[i].after = boxed;
            let lesson = &lessons[i];
            aimed += f64::midpoint(lesson.boxed.iou, lesson.by_click(look).iou);
        }
    }
    let (fitted, aimed) = (fitted / sides.len() as f64, aimed / sides.len() as f64);
    let mut adaptation = learn(
        net.last_layer(),
        &lessons.iter().collect::<Vec<_>>(),
        extent,
    );
    // The new last layer must earn its place beside the new first look alone.
    let after = if fitted >= aimed + LEAST_GAIN {
        fitted
    } else {
        adaptation.weights.clear();
        adaptation.threshold = THRESHOLD;
        tried = lessons.iter().map(Lesson::untried).collect();
        aimed
    };
    Ok(Outcome {
        masks: sides.len(),
        before,
        after,
        adaptation: (after >= before + LEAST_GAIN).then_some(adaptation),
        tried,
    })
}

impl Lesson {
    fn by_click(&self, look: Look) -> &Taught {
        match look {
            Look::Whole => &self.click,
            Look::Near => &self.near_click,
        }
    }

    /// The same answer before and after.
    fn untried(&self) -> Tried {
        Tried {
            before: self.shipped.clone(),
            after: self.shipped.clone(),
        }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

fn median(sides: &[u32]) -> f32 {
    let mut sides = sides.to_vec();
    sides.sort_unstable();
    sides.get(sides.len() / 2).map_or(0.0, |side| *side as f32)
}

/// The net's own last layer, with or without a first look around the click.
fn shipped(own: &Layer, extent: Option<f32>) -> Adaptation {
    let (weights, bias) = own;
    Adaptation {
        model: model_hash().into(),
        weights: weights.to_vec(),
        bias: *bias,
        threshold: THRESHOLD,
        extent,
    }
}

/// The questions about a sample: its tight box, and a first click at its middle.
fn questions(sample: &Sample, adaptation: &Arc<Adaptation>) -> [Question; 2] {
    let boxed = Prompt {
        rect: sample.truth.bounds(),
        clicks: Vec::new(),
    };
    let clicked = Prompt {
        rect: None,
        clicks: first_click(sample).into_iter().collect(),
    };
    [boxed, clicked].map(|prompt| Question {
        adaptation: Some(Arc::clone(adaptation)),
        ..Question::new(&sample.image, sample.image_key, prompt)
    })
}

fn study(net: &mut ClickNet, sample: &Sample, extent: f32) -> Result<Lesson> {
    let [whole, near] =
        [None, Some(extent)].map(|extent| Arc::new(shipped(net.last_layer(), extent)));
    let [boxed, clicked] = questions(sample, &whole);
    let [_, near_clicked] = questions(sample, &near);
    let mut ask = |question: &Question| -> Result<(Taught, Arc<Mask>)> {
        let input = net.last_input(question)?;
        let evidence = net.evidence(&input)?;
        let proposal = net.finish(question, &input, evidence.logits(&whole), THRESHOLD);
        let taught = Taught {
            iou: iou(&proposal.mask, sample),
            pixels: pixels(&evidence, &input, &sample.truth),
        };
        Ok((taught, proposal.mask))
    };
    let (boxed, mask) = ask(&boxed)?;
    let (click, near_click) = (ask(&clicked)?.0, ask(&near_clicked)?.0);
    let unadapted = Question {
        adaptation: None,
        ..clicked
    };
    let answer = net.propose(&unadapted)?.swap_remove(0);
    Ok(Lesson {
        shipped: Shown {
            mask,
            iou: boxed.iou,
        },
        clicked: iou(&answer.mask, sample),
        boxed,
        click,
        near_click,
    })
}

/// Pixels of a crop, half of them near the object's edge.
fn pixels(evidence: &Evidence, input: &Input, truth: &Mask) -> Vec<Pixel> {
    let size = Size::new(input.pass.size as u32, input.pass.size as u32);
    let scale = input.square.side / input.pass.size as f64;
    let image = truth.size();
    let place = |x: u32, y: u32| {
        let x = (input.square.x + f64::from(x) * scale).round();
        let y = (input.square.y + f64::from(y) * scale).round();
        let on_image =
            x >= 0.0 && y >= 0.0 && x < f64::from(image.width) && y < f64::from(image.height);
        on_image.then(|| image.clamp(x as i64, y as i64))
    };
    let inside = Mask::from_fn(size, size.bounds(), |p| {
        place(p.x, p.y).is_some_and(|at| truth.contains(at))
    });
    let near = inside.grown(NEAR).difference(&inside.shrunk(NEAR));
    let seen = Mask::from_fn(size, size.bounds(), |p| place(p.x, p.y).is_some());
    let mut pixels = Vec::with_capacity(PIXELS);
    for part in [near.intersection(&seen), seen.difference(&near)] {
        let step = (part.area() as f64 / (PIXELS / 2) as f64).max(1.0);
        let mut next = 0.0;
        let mut passed = 0.0;
        for run in part.runs() {
            while next < passed + f64::from(run.x1 - run.x0) {
                let (x, y) = (run.x0 + (next - passed) as u32, run.y);
                pixels.push(Pixel {
                    inputs: evidence.at(x as usize, y as usize),
                    is_inside: inside.contains(size.clamp(x.into(), y.into())),
                    stands_for: step as f32,
                });
                next += step;
            }
            passed += f64::from(run.x1 - run.x0);
        }
    }
    pixels
}

/// The adaptation that fits some lessons best, near the net's own last layer.
fn learn(own: &Layer, lessons: &[&Lesson], extent: f32) -> Adaptation {
    let clicks = |look| mean(lessons.iter().map(|l| l.by_click(look).iou));
    let look = if clicks(Look::Near) > clicks(Look::Whole) {
        Look::Near
    } else {
        Look::Whole
    };
    let groups: Vec<&[Pixel]> = lessons
        .iter()
        .flat_map(|l| [&*l.boxed.pixels, &*l.by_click(look).pixels])
        .collect();
    let layer = fit::fit(&groups, own);
    Adaptation {
        model: model_hash().into(),
        weights: layer.0.to_vec(),
        bias: layer.1,
        threshold: threshold(&groups, &layer),
        extent: (look == Look::Near).then_some(extent),
    }
}

/// The threshold with the best mean `IoU`, as the pixels let it be estimated.
fn threshold(groups: &[&[Pixel]], layer: &Layer) -> f32 {
    let score = |threshold: f32| -> f64 {
        let cut = (threshold / (1.0 - threshold)).ln();
        let of_group = |group: &&[Pixel]| {
            let (mut both, mut either) = (0.0, 0.0);
            for pixel in *group {
                let on = fit::logit(layer, &pixel.inputs) > cut;
                both += f64::from(u8::from(on && pixel.is_inside)) * f64::from(pixel.stands_for);
                either += f64::from(u8::from(on || pixel.is_inside)) * f64::from(pixel.stands_for);
            }
            both / either.max(1.0)
        };
        mean(groups.iter().map(of_group))
    };
    // Another threshold than the shipped one must be better by more than chance.
    let mut best = (THRESHOLD, score(THRESHOLD) + 0.002);
    for threshold in THRESHOLDS {
        let score = score(threshold);
        if score > best.1 {
            best = (threshold, score);
        }
    }
    best.0
}

/// An adaptation's answers to the box and to the first click.
fn try_out(
    net: &mut ClickNet,
    sample: &Sample,
    adaptation: &Arc<Adaptation>,
) -> Result<[Shown; 2]> {
    let [boxed, clicked] = questions(sample, adaptation);
    let mut show = |question: &Question| -> Result<Shown> {
        let mask = net.propose(question)?.swap_remove(0).mask;
        let iou = iou(&mask, sample);
        Ok(Shown { mask, iou })
    };
    Ok([show(&boxed)?, show(&clicked)?])
}
