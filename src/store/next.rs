//! Which images are worth a person's time first.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use crate::core::document::{Document, Object, Verdict};
use crate::core::geometry::Size;
use crate::core::printable::printable;
use crate::store::compare::{self, LEAST_SHARED};
use crate::store::error::Result;
use crate::store::masks::{self, Instance, Masked, Masks};
use crate::store::names;
use crate::store::sidecar;

/// What a person has done about an image. The order is that of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody made, changed or judged an object.
    Unlabelled,
    Labelled,
    Finished,
}

/// An image in the queue, and what its place comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    pub path: PathBuf,
    pub state: State,
    /// How far the stored objects and the predictions are from each other: 1 less the sum of the
    /// pairs' `IoU`s over the number of pairs and lone objects. 0 is the same, 1 nothing in common;
    /// pairs of two classes count as nothing in common. `None` where one of both is unknown.
    pub disagreement: Option<f64>,
    /// Of the least sure object that no person touched, stored or predicted; `None` where no model
    /// said anything.
    pub confidence: Option<f32>,
    /// Objects that are stored and not rejected.
    pub objects: usize,
    /// Objects that are predicted; `None` where the image is not among the predictions.
    pub predicted: Option<usize>,
    /// The reason, in words.
    pub why: String,
}

/// The images in the order in which a person should see them, and what had to be left out.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    pub candidates: Vec<Candidate>,
    pub left_out: Vec<String>,
}

/// Orders the images under a folder: those that nobody labelled first, the finished last; among
/// them the largest disagreement first (0 where it is unknown), then the least confident (0 where
/// no model said anything), then by name.
pub fn queue(root: &Path, predictions: Option<&Masks>) -> Result<Queue> {
    let paths = masks::images_under(root)?;
    let predicted = predictions.map_or_else(HashMap::new, |p| predicted(root, &paths, p));
    let read: Vec<std::result::Result<Candidate, String>> = paths
        .par_iter()
        .enumerate()
        .map(|(i, path)| candidate(path, predicted.get(&i).copied()))
        .collect();
    let mut queue = Queue::default();
    queue
        .left_out
        .extend(predictions.iter().flat_map(|p| p.left_out.clone()));
    for image in read {
        match image {
            Ok(candidate) => queue.candidates.push(candidate),
            Err(why) => queue.left_out.push(why),
        }
    }
    // The sort is stable: equals stay in the order of their names.
    queue.candidates.sort_by(|a, b| {
        let gap = |c: &Candidate| c.disagreement.unwrap_or(0.0);
        let sure = |c: &Candidate| c.confidence.unwrap_or(0.0);
        let by_state = a.state.cmp(&b.state);
        by_state
            .then_with(|| gap(b).total_cmp(&gap(a)))
            .then_with(|| sure(a).total_cmp(&sure(b)))
    });
    Ok(queue)
}

/// The predictions by the image's place in `paths`.
fn predicted<'a>(root: &Path, paths: &[PathBuf], set: &'a Masks) -> HashMap<usize, &'a Masked> {
    let here: Vec<String> = paths.iter().map(|p| masks::name_below(root, p)).collect();
    let there: Vec<String> = set.images.iter().map(|i| i.name.clone()).collect();
    let pairs = names::pair(&here, &there).into_iter();
    pairs.map(|(i, j)| (i, &set.images[j])).collect()
}

fn candidate(path: &Path, predicted: Option<&Masked>) -> std::result::Result<Candidate, String> {
    let read = sidecar::read(path).map_err(|e| e.to_string())?;
    let stored = read.as_ref().map(|r| (r.history.now(), r.image.size()));
    let state = stored.map_or(State::Unlabelled, |(document, _)| state(document));
    let kept: Vec<Arc<Object>> = stored
        .iter()
        .flat_map(|(document, _)| document.objects.iter())
        .filter(|o| o.verdict != Verdict::Rejected && !o.mask.is_empty())
        .cloned()
        .collect();
    let disagreement = match (stored, predicted) {
        (Some((_, size)), Some(predicted)) => {
            check_size(path, size, predicted)?;
            let is_said = state == State::Finished || !kept.is_empty();
            is_said.then(|| disagreement(&kept, &predicted.objects))
        }
        _ => None,
    };
    let proposed = kept.iter().filter(|o| o.is_untouched());
    let sure = proposed.filter_map(|o| o.confidence);
    let theirs = predicted.iter().flat_map(|p| &p.objects);
    let confidence = sure
        .chain(theirs.filter_map(|o| o.confidence))
        .min_by(f32::total_cmp);
    let mut candidate = Candidate {
        path: path.to_path_buf(),
        state,
        disagreement,
        confidence,
        objects: kept.len(),
        predicted: predicted.map(|p| p.objects.len()),
        why: String::new(),
    };
    candidate.why = why(&candidate);
    Ok(candidate)
}

fn state(document: &Document) -> State {
    if document.finished {
        State::Finished
    } else if document.objects.iter().all(|o| o.is_untouched()) {
        State::Unlabelled
    } else {
        State::Labelled
    }
}

fn check_size(path: &Path, size: Size, predicted: &Masked) -> std::result::Result<(), String> {
    if size == predicted.size {
        return Ok(());
    }
    Err(format!(
        "{}: it has {}x{} pixels, its prediction {}x{}; predict on the image as it is",
        printable(path),
        size.width,
        size.height,
        predicted.size.width,
        predicted.size.height
    ))
}

fn disagreement(stored: &[Arc<Object>], predicted: &[Instance]) -> f64 {
    let stored: Vec<Instance> = stored.iter().map(masks::instance).collect();
    let matching = compare::matching(&stored, predicted, LEAST_SHARED);
    let objects = matching.pairs.len() + matching.only_a.len() + matching.only_b.len();
    if objects == 0 {
        return 0.0;
    }
    let pairs = matching.pairs.iter();
    let same = pairs.filter(|p| !compare::has_other_class(&stored[p.a], &predicted[p.b]));
    1.0 - same.map(|p| p.iou).sum::<f64>() / objects as f64
}

fn why(candidate: &Candidate) -> String {
    let state = match candidate.state {
        State::Unlabelled => "nobody labelled it",
        State::Labelled => "somebody labelled it",
        State::Finished => "it is finished",
    };
    let gap = candidate.disagreement.map(|d| {
        let predicted = candidate.predicted.unwrap_or(0);
        let stored = candidate.objects;
        format!("{stored} stored and {predicted} predicted objects disagree by {d:.2}")
    });
    let sure = candidate
        .confidence
        .map(|c| format!("the least sure object has confidence {c:.2}"));
    let silent = || "no model said anything of it".to_owned();
    let reasons: Vec<String> = gap.into_iter().chain(sure).collect();
    let reasons = if reasons.is_empty() {
        silent()
    } else {
        reasons.join("; ")
    };
    format!("{state}; {reasons}")
}
