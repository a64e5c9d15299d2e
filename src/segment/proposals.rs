//! Proposals for a whole picture: what an engine finds at the points of a grid or in given boxes,
//! each thing once, the surest first.

use std::sync::Arc;

use crate::core::document::Proposal;
use crate::core::geometry::{ImagePoint, ImageRect, Size};
use crate::core::image::Image;
use crate::core::mask::Mask;
use crate::core::prompt::{Click, Prompt, Side, Soft};
use crate::segment::{Cancel, Engine, Error, Question, Result};

/// Where an engine is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seeds {
    /// Inside clicks in the middles of square cells, so many along the longest side.
    Grid(u32),
    /// A box each.
    Boxes(Vec<ImageRect>),
}

/// What is asked and what is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub seeds: Seeds,
    /// Proposals below this confidence are left out.
    pub least_confidence: f32,
    /// Proposals whose edge moves too much with the threshold are left out: the area at three
    /// quarters of certainty over that at one quarter, after SAM's `stability_score`.
    pub least_stability: f32,
    /// Fewer pixels than this are a speck.
    pub least_area: u64,
    /// Share of the picture above which a mask is the background.
    pub most_share: f64,
    /// Two masks with a higher IoU are one thing.
    pub same: f64,
    /// At most so many proposals.
    pub most: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seeds: Seeds::Grid(12),
            least_confidence: 0.7,
            least_stability: 0.8,
            least_area: 64,
            most_share: 0.9,
            same: 0.7,
            most: 100,
        }
    }
}

/// Asks the engine at every seed and gives what it found, the surest first.
///
/// A point that lies in a thing already found with a confidence of 0.9 is not asked again, so a
/// picture of few things costs few questions. Things larger than a quarter of the picture do not
/// count there: others may lie in front of them. An engine that answers several prompts faster
/// together gets them so, and finds the same.
///
/// # Errors
/// `Cancelled` when it is; what the engine fails with.
/// A prompt that finds nothing is no error.
pub fn propose_everywhere(
    engine: &mut dyn Engine,
    image: &Arc<Image>,
    image_key: u64,
    options: &Options,
    cancel: &Cancel,
) -> Result<Vec<Proposal>> {
    let mut found: Vec<Proposal> = Vec::new();
    let mut waiting = prompts(&options.seeds, image.size()).into_iter();
    loop {
        cancel.check()?;
        let unknown = waiting.by_ref().filter(|p| !is_known(p, &found));
        let questions: Vec<Question> = unknown
            .take(engine.batch())
            .map(|prompt| Question {
                cancel: cancel.clone(),
                ..Question::new(image, image_key, prompt)
            })
            .collect();
        if questions.is_empty() {
            break;
        }
        let answers = engine.propose_all(&questions);
        for (question, answer) in questions.iter().zip(answers) {
            match answer {
                // What was asked together with it has found it.
                _ if is_known(&question.prompt, &found) => {}
                Ok(proposals) => {
                    found.extend(proposals.into_iter().filter(|p| is_worth(p, options)));
                }
                Err(Error::Prompt(_)) => {}
                Err(why) => return Err(why),
            }
        }
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut kept: Vec<Proposal> = Vec::new();
    for proposal in found {
        if kept.len() == options.most {
            break;
        }
        if kept.iter().all(|k| overlap(k, &proposal) <= options.same) {
            kept.push(proposal);
        }
    }
    Ok(kept)
}

/// Whether a click lies in a thing that was found for sure.
fn is_known(prompt: &Prompt, found: &[Proposal]) -> bool {
    const SURE: f32 = 0.9;
    let is_small = |mask: &Mask| mask.area() <= mask.size().area() / 4;
    prompt.clicks.first().is_some_and(|click| {
        let holds =
            |p: &Proposal| p.confidence >= SURE && p.mask.contains(click.at) && is_small(&p.mask);
        found.iter().any(holds)
    })
}

fn prompts(seeds: &Seeds, size: Size) -> Vec<Prompt> {
    match seeds {
        Seeds::Boxes(boxes) => boxes
            .iter()
            .map(|rect| rect.intersection(size.bounds()))
            .filter(|rect| !rect.is_empty())
            .map(|rect| Prompt {
                rect: Some(rect),
                clicks: Vec::new(),
            })
            .collect(),
        Seeds::Grid(along) => grid(*along, size)
            .map(|at| Prompt {
                rect: None,
                clicks: vec![Click {
                    at,
                    side: Side::Inside,
                }],
            })
            .collect(),
    }
}

/// The middles of square cells, row by row.
fn grid(along: u32, size: Size) -> impl Iterator<Item = ImagePoint> {
    let cell = (f64::from(size.longest()) / f64::from(along.max(1))).max(1.0);
    let count = |n: u32| ((f64::from(n) / cell).round() as u32).max(1);
    let (columns, rows) = (count(size.width), count(size.height));
    let middle = |i: u32, n: u32, length: u32| {
        ((f64::from(i) + 0.5) * f64::from(length) / f64::from(n)) as u32
    };
    (0..rows).flat_map(move |j| {
        (0..columns).map(move |i| {
            ImagePoint::new(middle(i, columns, size.width), middle(j, rows, size.height))
        })
    })
}

fn is_worth(proposal: &Proposal, options: &Options) -> bool {
    let area = proposal.mask.area();
    let share = area as f64 / proposal.mask.size().area() as f64;
    proposal.confidence >= options.least_confidence
        && area >= options.least_area
        && share <= options.most_share
        && proposal
            .soft
            .as_deref()
            .is_none_or(|s| stability(s) >= options.least_stability)
}

fn stability(soft: &Soft) -> f32 {
    let above = |cut: u8| soft.values.iter().filter(|v| **v > cut).count();
    let (narrow, wide) = (above(191), above(64));
    if wide == 0 {
        return 0.0;
    }
    narrow as f32 / wide as f32
}

/// The IoU of two masks; boxes that do not meet spare the work.
fn overlap(a: &Proposal, b: &Proposal) -> f64 {
    let (Some(x), Some(y)) = (a.mask.bounds(), b.mask.bounds()) else {
        return 0.0;
    };
    if x.intersection(y).is_empty() {
        return 0.0;
    }
    a.mask.iou(&b.mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::classic::superpixels::Superpixels;
    use crate::segment::classic::watershed::Watershed;

    /// Dark with three bright squares.
    fn squares() -> (Arc<Image>, Vec<ImageRect>) {
        let size = Size::new(240, 160);
        let rects = vec![
            ImageRect::new(20, 20, 70, 70),
            ImageRect::new(150, 30, 210, 90),
            ImageRect::new(80, 100, 130, 150),
        ];
        let pixels = (0..size.area() as u32).flat_map(|i| {
            let at = ImagePoint::new(i % size.width, i / size.width);
            let is_bright = rects.iter().any(|r| r.contains(at));
            [if is_bright { 230 } else { 30 }; 3]
        });
        (Arc::new(Image::from_rgb(size, pixels.collect())), rects)
    }

    fn options(seeds: Seeds) -> Options {
        Options {
            seeds,
            least_confidence: 0.0,
            ..Options::default()
        }
    }

    #[test]
    fn boxes_beyond_the_picture_are_cut_and_empty_ones_left_out() {
        let (image, rects) = squares();
        let boxes = vec![
            rects[0],
            ImageRect::new(140, 20, 900, 95),
            ImageRect::new(500, 0, 600, 9),
        ];
        let asked = options(Seeds::Boxes(boxes));
        let found = propose_everywhere(&mut Watershed, &image, 1, &asked, &Cancel::default())
            .expect("found");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_prompt_that_finds_nothing_is_passed_over_and_cancelling_ends_it() {
        let (image, rects) = squares();
        // Superpixels answers clicks only: a box alone is an error of the prompt.
        let asked = options(Seeds::Boxes(rects));
        let mut engine = Superpixels::default();
        let none = propose_everywhere(&mut engine, &image, 1, &asked, &Cancel::default())
            .expect("no error");
        assert!(none.is_empty());
        let cancel = Cancel::default();
        cancel.cancel();
        let ended = propose_everywhere(&mut engine, &image, 1, &asked, &cancel);
        assert!(matches!(ended, Err(Error::Cancelled)));
    }
}
