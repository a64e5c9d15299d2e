//! One image: asks the engine, and adds what is new to the files beside it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use crate::core::document::{Document, Object, Origin, Proposal};
use crate::core::geometry::Size;
use crate::core::history::History;
use crate::core::mask::Mask;
use crate::core::printable::printable;
use crate::core::prompt::Prompt;
use crate::segment::proposals::{self, Options, Seeds};
use crate::segment::{Cancel, Engine, Error, Question};
use crate::store::boxes::Detected;
use crate::store::decode::{self, Decoded};
use crate::store::sidecar::{self, Access, Opened, Sidecar};

/// A proposal that shares more with an object than this is that object.
const SAME: f64 = 0.5;

/// An image and where to ask on it.
#[derive(Debug, Clone)]
pub struct Job {
    pub path: PathBuf,
    /// The size of the image that the boxes were made for, where it is known.
    pub size: Option<Size>,
    pub seeds: Where,
}

/// Where on an image.
#[derive(Debug, Clone)]
pub enum Where {
    Boxes(Vec<Detected>),
    /// At a grid of so many points along the longest side; what is less confident is left out.
    Grid {
        along: u32,
        least: f32,
    },
}

/// Whether images with proposals of an earlier run are asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    AskAgain,
    PassOver,
}

/// What became of an image.
#[derive(Debug)]
pub enum Outcome {
    /// So many objects were added.
    Added(usize),
    /// A person called it finished: nothing is missing.
    Finished,
    /// An earlier run was here.
    Earlier,
    /// Somebody else has it open, or it cannot be written.
    Closed(String),
    /// A signal came before all was asked; nothing was added.
    Stopped,
}

/// An image, ready to be asked about, or what became of it without.
#[derive(Debug)]
pub enum Prepared {
    Ready(Decoded),
    Settled(Outcome),
}

/// Reads an image, unless nothing is to be done about it.
pub fn prepare(job: &Job, earlier: Earlier) -> Result<Prepared> {
    let read = sidecar::read(&job.path)?;
    let outcome = read.and_then(|read| {
        let outcome = settled(&read.history, earlier)?;
        // A run that was killed between the two files has left the mask to be written.
        let is_whole = !matches!(outcome, Outcome::Earlier) || sidecar::is_masked(&job.path, &read);
        is_whole.then_some(outcome)
    });
    if let Some(outcome) = outcome {
        return Ok(Prepared::Settled(outcome));
    }
    let decoded = decode::decode(&job.path)?;
    let size = decoded.image.size();
    if let Some(told) = job.size {
        ensure!(
            told == size,
            "{}: the boxes are for {}x{}, the upright image is {}x{}; bring the image they were made for",
            printable(&job.path),
            told.width,
            told.height,
            size.width,
            size.height
        );
    }
    Ok(Prepared::Ready(decoded))
}

fn settled(history: &History<Document>, earlier: Earlier) -> Option<Outcome> {
    if history.now().finished {
        return Some(Outcome::Finished);
    }
    let ours = |o: &Arc<Object>| o.origin.who == Origin::PRELABEL;
    let was_here = earlier == Earlier::PassOver && objects(history).any(ours);
    was_here.then_some(Outcome::Earlier)
}

/// The objects that are there, and those that were: what a person deleted does not come again.
fn objects(history: &History<Document>) -> impl Iterator<Item = &Arc<Object>> {
    let past = history.past().iter().chain(history.future());
    let documents = past.map(|d| &**d).chain([history.now()]);
    documents.flat_map(|d| &d.objects)
}

/// Asks the engine while the image is locked, so that no other process does the same work.
pub fn label(
    job: &Job,
    decoded: &Decoded,
    engine: &mut dyn Engine,
    class: &dyn Fn(Option<&str>) -> Arc<str>,
    earlier: Earlier,
    stop: &Cancel,
) -> Result<Outcome> {
    let Opened {
        mut sidecar,
        mut history,
        ..
    } = Sidecar::open(&job.path, decoded)?;
    if let Access::ReadOnly { why } = sidecar.access {
        return Ok(Outcome::Closed(why));
    }
    // Another process may have been here since it was prepared.
    if let Some(outcome) = settled(&history, earlier) {
        if matches!(outcome, Outcome::Earlier) {
            sidecar.save(&history)?;
        }
        return Ok(outcome);
    }
    let known = known(&history);
    let found = match &job.seeds {
        Where::Boxes(boxes) => in_boxes(boxes, decoded, engine),
        Where::Grid { along, least } => at_points(*along, *least, decoded, engine, stop),
    };
    let mut found = match found {
        Ok(found) => found,
        Err(Error::Cancelled) => return Ok(Outcome::Stopped),
        Err(why) => return Err(why).with_context(|| printable(&job.path)),
    };
    found.retain(|f| {
        let mask = &f.proposal.mask;
        !mask.is_empty() && known.iter().all(|k| k.iou(mask) <= SAME)
    });
    if found.is_empty() {
        return Ok(Outcome::Added(0));
    }
    let count = found.len();
    let now = jiff::Timestamp::now().as_millisecond();
    history.step(|document| {
        for found in found {
            let id = document.take_id();
            let object = Object {
                prompt: found.prompt,
                origin: Origin {
                    who: Origin::PRELABEL.into(),
                    ..found.proposal.origin
                },
                confidence: Some(found.proposal.confidence),
                ..Object::new(id, class(found.class.as_deref()), found.proposal.mask, now)
            };
            document.objects.push(Arc::new(object));
        }
    });
    sidecar.save(&history)?;
    Ok(Outcome::Added(count))
}

/// The masks that a proposal must not repeat, the draft's too.
fn known(history: &History<Document>) -> Vec<Arc<Mask>> {
    let mut seen = HashSet::new();
    let masks = objects(history).map(|o| Arc::clone(&o.mask));
    let masks = masks.chain(history.now().draft.mask());
    masks.filter(|m| seen.insert(Arc::clone(m))).collect()
}

struct Answer {
    class: Option<String>,
    prompt: Prompt,
    proposal: Proposal,
}

/// The engine's best proposal for each box.
fn in_boxes(
    boxes: &[Detected],
    decoded: &Decoded,
    engine: &mut dyn Engine,
) -> Result<Vec<Answer>, Error> {
    let size = decoded.image.size();
    let questions = boxes.iter().filter_map(|detected| {
        let prompt = Prompt {
            rect: Some(detected.rect(size)?),
            clicks: Vec::new(),
        };
        let question = Question::new(&decoded.image, decoded.key, prompt);
        Some((detected, question))
    });
    let asked: Vec<(&Detected, Question)> = questions.collect();
    let mut answers = Vec::new();
    for batch in asked.chunks(engine.batch()) {
        let questions: Vec<Question> = batch.iter().map(|(_, q)| q.clone()).collect();
        for ((detected, question), proposals) in batch.iter().zip(engine.propose_all(&questions)) {
            let proposals = match proposals {
                Ok(proposals) => proposals,
                // Nothing is found in this box; the others have their own answers.
                Err(Error::Prompt(_)) => continue,
                Err(why) => return Err(why),
            };
            answers.extend(proposals.into_iter().next().map(|proposal| Answer {
                class: detected.class.clone(),
                prompt: question.prompt.clone(),
                proposal,
            }));
        }
    }
    Ok(answers)
}

/// What the engine finds at the points of a grid, each thing once.
fn at_points(
    along: u32,
    least: f32,
    decoded: &Decoded,
    engine: &mut dyn Engine,
    stop: &Cancel,
) -> Result<Vec<Answer>, Error> {
    let options = Options {
        seeds: Seeds::Grid(along),
        least_confidence: least,
        ..Options::default()
    };
    let (image, key) = (&decoded.image, decoded.key);
    let found = proposals::propose_everywhere(engine, image, key, &options, stop)?;
    let answer = |proposal| Answer {
        class: None,
        prompt: Prompt::default(),
        proposal,
    };
    Ok(found.into_iter().map(answer).collect())
}
