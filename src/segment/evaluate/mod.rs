//! How many clicks an engine needs until a mask is right: the protocol of RITM (Sofiiuk et al. 2021).

mod correlation;

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use self::correlation::{correlation, ranks};
use crate::core::adaptation::Adaptation;
use crate::core::distance::Depths;
use crate::core::document::Proposal;
use crate::core::geometry::{ImagePoint, ImageRect};
use crate::core::image::Image;
use crate::core::mask::Mask;
use crate::core::prompt::{Click, Prompt, Side};
use crate::segment::{Engine, Question, Result};

/// Clicking ends at this `IoU`.
const GOOD: f64 = 0.90;

/// Width of the band that boundary `IoU` compares, as a share of the image's diagonal
/// (Cheng et al. 2021).
const BAND: f64 = 0.02;

/// An object whose mask is known.
#[derive(Debug, Clone)]
pub struct Sample {
    pub image: Arc<Image>,
    pub image_key: u64,
    pub truth: Mask,
    /// Pixels that count neither way.
    pub ignored: Mask,
}

#[derive(Debug, Clone)]
pub struct Protocol {
    /// An object that is not right after so many clicks is a failure.
    pub clicks: usize,
    /// Where probabilities are cut; without one where the engine cuts them.
    pub threshold: Option<f32>,
    /// How far the corners of a second box lie off, as a share of its sides; none is tried at 0.
    pub jitter: f64,
    /// What the click net is taught.
    pub adaptation: Option<Arc<Adaptation>>,
}

/// How sure an engine was of an answer, and how right it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trust {
    pub confidence: f32,
    /// What the probabilities alone let expect, where there are any.
    pub expected: Option<f32>,
    pub iou: f64,
}

impl Trust {
    fn of(proposal: &Proposal, iou: f64) -> Self {
        let soft = proposal.soft.as_ref();
        Self {
            confidence: proposal.confidence,
            expected: soft.map(|s| s.expected_iou(proposal.threshold)),
            iou,
        }
    }
}

/// What came of one object.
#[derive(Debug, Clone)]
pub struct Trial {
    /// `IoU` after each click; ends with the first that is good.
    pub ious: Vec<f64>,
    pub box_iou: f64,
    pub box_jitter_iou: Option<f64>,
    /// Of the mask from the tight box.
    pub boundary_iou: f64,
    /// Of the answers to the first click and to the tight box.
    pub trust: [Option<Trust>; 2],
    /// Milliseconds of each answer to a click.
    pub milliseconds: Vec<f64>,
}

impl Trial {
    /// Clicks until an `IoU`; `most` where it was not reached.
    pub fn clicks_until(&self, iou: f64, most: usize) -> usize {
        let reached = self.ious.iter().position(|v| *v >= iou);
        reached.map_or(most, |i| i + 1)
    }

    /// The best `IoU` within so many clicks.
    pub fn best_within(&self, clicks: usize) -> f64 {
        self.ious.iter().take(clicks).copied().fold(0.0, f64::max)
    }
}

/// The means over all objects.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Report {
    pub n: usize,
    pub noc80: f64,
    pub noc85: f64,
    pub noc90: f64,
    /// Objects that never reached an `IoU` of 0.9.
    pub failures: usize,
    pub iou1: f64,
    pub iou3: f64,
    pub iou5: f64,
    pub box_iou: f64,
    pub box_jitter_iou: Option<f64>,
    pub boundary_iou: f64,
    pub ms_median: f64,
    /// Mean distance of the confidence from the `IoU`, after a first click and from a box.
    pub confidence_error: f64,
    /// Spearman's rank correlation of the two.
    pub confidence_rank: f64,
}

impl Report {
    /// `None` where there was nothing to try.
    pub fn of(trials: &[Trial], protocol: &Protocol) -> Option<Self> {
        if trials.is_empty() {
            return None;
        }
        let n = trials.len() as f64;
        let mean = |value: &dyn Fn(&Trial) -> f64| trials.iter().map(value).sum::<f64>() / n;
        let clicks = |iou| mean(&|t: &Trial| t.clicks_until(iou, protocol.clicks) as f64);
        let jittered: Vec<f64> = trials.iter().filter_map(|t| t.box_jitter_iou).collect();
        let mut times: Vec<f64> = trials
            .iter()
            .flat_map(|t| t.milliseconds.iter().copied())
            .collect();
        times.sort_by(f64::total_cmp);
        let trust: Vec<Trust> = trials.iter().flat_map(|t| t.trust).flatten().collect();
        Some(Self {
            n: trials.len(),
            noc80: clicks(0.80),
            noc85: clicks(0.85),
            noc90: clicks(GOOD),
            failures: trials
                .iter()
                .filter(|t| t.best_within(usize::MAX) < GOOD)
                .count(),
            iou1: mean(&|t| t.best_within(1)),
            iou3: mean(&|t| t.best_within(3)),
            iou5: mean(&|t| t.best_within(5)),
            box_iou: mean(&|t| t.box_iou),
            box_jitter_iou: (!jittered.is_empty())
                .then(|| jittered.iter().sum::<f64>() / jittered.len() as f64),
            boundary_iou: mean(&|t| t.boundary_iou),
            ms_median: times.get(times.len() / 2).copied().unwrap_or(0.0),
            confidence_error: trust
                .iter()
                .map(|t| (f64::from(t.confidence) - t.iou).abs())
                .sum::<f64>()
                / trust.len().max(1) as f64,
            confidence_rank: correlation(
                &ranks(trust.iter().map(|t| f64::from(t.confidence))),
                &ranks(trust.iter().map(|t| t.iou)),
            ),
        })
    }
}

/// Clicks one object until it is right, and asks for it by its box.
///
/// # Errors
/// Those of the engine.
pub fn evaluate(engine: &mut dyn Engine, sample: &Sample, protocol: &Protocol) -> Result<Trial> {
    let mut clicks: Vec<Click> = Vec::new();
    let mut previous: Option<Proposal> = None;
    let mut trial = Trial {
        ious: Vec::new(),
        box_iou: 0.0,
        box_jitter_iou: None,
        boundary_iou: 0.0,
        trust: [None; 2],
        milliseconds: Vec::new(),
    };
    while clicks.len() < protocol.clicks && trial.ious.last().is_none_or(|iou| *iou < GOOD) {
        let Some(click) = next_click(sample, previous.as_ref().map(|p| &*p.mask), &clicks) else {
            break;
        };
        clicks.push(click);
        let prompt = Prompt {
            rect: None,
            clicks: clicks.clone(),
        };
        let start = Instant::now();
        let proposal = ask(engine, sample, prompt, previous.take(), protocol)?;
        trial
            .milliseconds
            .push(1000.0 * start.elapsed().as_secs_f64());
        let reached = iou(&proposal.mask, sample);
        trial.trust[0].get_or_insert_with(|| Trust::of(&proposal, reached));
        trial.ious.push(reached);
        previous = Some(proposal);
    }
    let Some(rect) = sample.truth.bounds() else {
        return Ok(trial);
    };
    let mut boxed = |rect| {
        let prompt = Prompt {
            rect: Some(rect),
            clicks: Vec::new(),
        };
        ask(engine, sample, prompt, None, protocol)
    };
    let proposal = boxed(rect)?;
    trial.box_iou = iou(&proposal.mask, sample);
    trial.trust[1] = Some(Trust::of(&proposal, trial.box_iou));
    trial.boundary_iou = boundary_iou(&proposal.mask, sample);
    if protocol.jitter > 0.0 {
        let rect = jittered(rect, sample, protocol.jitter);
        trial.box_jitter_iou = Some(iou(&boxed(rect)?.mask, sample));
    }
    Ok(trial)
}

fn ask(
    engine: &mut dyn Engine,
    sample: &Sample,
    prompt: Prompt,
    previous: Option<Proposal>,
    protocol: &Protocol,
) -> Result<Proposal> {
    let question = Question {
        previous,
        adaptation: protocol.adaptation.clone(),
        ..Question::new(&sample.image, sample.image_key, prompt)
    };
    let mut proposal = engine.propose(&question)?.swap_remove(0);
    if let (Some(soft), Some(threshold)) = (&proposal.soft, protocol.threshold) {
        proposal.mask = soft.mask(sample.image.size(), threshold);
        proposal.threshold = threshold;
    }
    Ok(proposal)
}

/// The first click of the protocol: the middle of the object; `None` where there is none.
pub fn first_click(sample: &Sample) -> Option<Click> {
    next_click(sample, None, &[])
}

/// The middle of the largest error, no pixel twice; inside only where what is missing lies deeper
/// than what is too much.
fn next_click(sample: &Sample, mask: Option<&Mask>, clicks: &[Click]) -> Option<Click> {
    let nothing = Mask::empty(sample.truth.size());
    let mask = mask.unwrap_or(&nothing);
    let taken: Vec<ImagePoint> = clicks.iter().map(|c| c.at).collect();
    let deepest = |error: Mask| Depths::of(&error.difference(&sample.ignored)).deepest(&taken);
    let missing = deepest(sample.truth.difference(mask));
    let surplus = deepest(mask.difference(&sample.truth));
    let depth = |found: Option<(u64, ImagePoint)>| found.map_or(0, |(depth, _)| depth);
    let (found, side) = if depth(missing) > depth(surplus) {
        (missing, Side::Inside)
    } else {
        (surplus, Side::Outside)
    };
    found.map(|(_, at)| Click { at, side })
}

/// `IoU` with the known mask, without the pixels that do not count.
pub fn iou(mask: &Mask, sample: &Sample) -> f64 {
    let seen = |mask: &Mask| mask.difference(&sample.ignored);
    seen(mask).iou(&seen(&sample.truth))
}

fn boundary_iou(mask: &Mask, sample: &Sample) -> f64 {
    let size = mask.size();
    let width = BAND * f64::from(size.width).hypot(f64::from(size.height));
    let band = |mask: &Mask| Depths::of(mask).shallow(mask, width.max(1.0));
    let seen = |mask: &Mask| band(mask).difference(&sample.ignored);
    seen(mask).iou(&seen(&sample.truth))
}

/// A sloppy box: each side moved by up to `share` of the box's extent, the same at every run.
fn jittered(rect: ImageRect, sample: &Sample, share: f64) -> ImageRect {
    let size = sample.image.size();
    let mut state = sample.image_key ^ u64::from(rect.x0) << 32 ^ u64::from(rect.y0);
    // SplitMix64 (Steele et al. 2014): the same boxes on every machine.
    let mut offset = |extent: u32| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        (2.0 * unit - 1.0) * share * f64::from(extent)
    };
    let mut moved = |at: u32, extent: u32, most: u32| {
        (f64::from(at) + offset(extent))
            .round()
            .clamp(0.0, f64::from(most)) as u32
    };
    let (w, h) = (rect.width(), rect.height());
    let (x0, y0) = (
        moved(rect.x0, w, size.width - 1),
        moved(rect.y0, h, size.height - 1),
    );
    let (x1, y1) = (
        moved(rect.x1, w, size.width),
        moved(rect.y1, h, size.height),
    );
    ImageRect::new(x0, y0, x1.max(x0 + 1), y1.max(y0 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::document::Origin;
    use crate::core::geometry::Size;

    const SIZE: Size = Size::new(60, 40);
    const PROTOCOL: Protocol = Protocol {
        clicks: 5,
        threshold: None,
        jitter: 0.1,
        adaptation: None,
    };

    /// Answers with disks around the inside clicks.
    struct Disks(f64);

    impl Engine for Disks {
        fn name(&self) -> &'static str {
            "disks"
        }

        fn propose(&mut self, question: &Question) -> Result<Vec<Proposal>> {
            let clicks = question.prompt.points(Side::Inside);
            let boxed = question.prompt.rect.map(ImageRect::centre);
            let mask = clicks.chain(boxed).fold(Mask::empty(SIZE), |all, at| {
                all.union(&Mask::from_disk(SIZE, at, self.0))
            });
            Ok(vec![Proposal {
                mask: Arc::new(mask),
                confidence: 1.0,
                soft: None,
                threshold: 0.5,
                origin: Origin::default(),
            }])
        }
    }

    fn sample(truth: Mask) -> Sample {
        Sample {
            image: Arc::new(Image::from_rgb(SIZE, vec![0; 3 * SIZE.area() as usize])),
            image_key: 7,
            truth,
            ignored: Mask::empty(SIZE),
        }
    }

    #[test]
    fn two_disks_take_a_click_each() {
        let [left, right] = [12, 45].map(|x| Mask::from_disk(SIZE, ImagePoint::new(x, 20), 9.0));
        let trial = evaluate(&mut Disks(9.0), &sample(left.union(&right)), &PROTOCOL)
            .expect("disks always answer");
        assert_eq!(trial.ious, [0.5, 1.0]);
        assert_eq!(trial.clicks_until(0.9, 20), 2);
    }

    #[test]
    fn an_object_that_is_never_right_is_a_failure_with_all_clicks() {
        let disk = Mask::from_disk(SIZE, ImagePoint::new(30, 20), 9.0);
        let trial = evaluate(&mut Disks(3.0), &sample(disk), &PROTOCOL).expect("an answer");
        let report = Report::of(&[trial], &PROTOCOL).expect("one trial");
        assert_eq!(report.failures, 1);
        assert!((report.noc90 - 5.0).abs() < 1e-9);
    }

    #[test]
    fn ignored_pixels_count_neither_way() {
        let disk = Mask::from_disk(SIZE, ImagePoint::new(30, 20), 9.0);
        let mut sample = sample(Mask::from_disk(SIZE, ImagePoint::new(30, 20), 5.0));
        sample.ignored = disk.difference(&sample.truth);
        let trial = evaluate(&mut Disks(9.0), &sample, &PROTOCOL).expect("an answer");
        assert_eq!(trial.ious, [1.0]);
    }
}
