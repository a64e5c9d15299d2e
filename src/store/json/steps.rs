//! The undo history in the sidecar: each step as its difference to the one nearer to the present.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::read::Decoder;
use super::write::{Encoder, Where};
use super::{DraftFile, ObjectFile, VerdictName};
use crate::core::document::{Document, Object};
use crate::core::geometry::Size;
use crate::core::history::History;
use crate::core::mask::Mask;

/// How many steps back and forth a sidecar keeps.
const DEPTH: usize = 50;

#[derive(Debug, Serialize, Deserialize)]
pub struct HistoryFile {
    /// COCO strings of the masks that the steps name by their place here.
    masks: Vec<Arc<str>>,
    /// Objects that are no longer, or not yet again, in the document.
    objects: Vec<ObjectFile>,
    /// The nearest to the present first.
    past: Vec<StepFile>,
    future: Vec<StepFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StepFile {
    /// How many objects of the nearer step stay at the beginning and at the end.
    keep: [usize; 2],
    /// What lies between them: first the document's objects are counted, then `objects`.
    between: Vec<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    draft: Option<DraftFile>,
    verdict: VerdictName,
    finished: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    comment: String,
    next_id: u64,
}

impl HistoryFile {
    /// `None` where there is nothing to undo or redo.
    pub fn encode(history: &History<Document>, encoder: &mut Encoder) -> Option<Self> {
        let past = history.past().iter().rev().take(DEPTH);
        let future = history.future().iter().rev().take(DEPTH);
        if past.len() + future.len() == 0 {
            return None;
        }
        let now = history.now();
        let address = |o: &Arc<Object>| Arc::as_ptr(o) as usize;
        let mut places: HashMap<usize, usize> = now
            .objects
            .iter()
            .enumerate()
            .map(|(i, o)| (address(o), i))
            .collect();
        let mut objects = Vec::new();
        let mut chain = |steps: &mut dyn Iterator<Item = &Arc<Document>>| {
            let mut nearer = now;
            let mut files = Vec::new();
            for step in steps {
                let same = |(a, b): &(&Arc<Object>, &Arc<Object>)| Arc::ptr_eq(a, b);
                let pairs = step.objects.iter().zip(&nearer.objects);
                let head = pairs.take_while(same).count();
                let (ours, theirs) = (&step.objects[head..], &nearer.objects[head..]);
                let tail = ours
                    .iter()
                    .rev()
                    .zip(theirs.iter().rev())
                    .take_while(same)
                    .count();
                let between = ours[..ours.len() - tail].iter().map(|object| {
                    let next = now.objects.len() + objects.len();
                    let at = *places.entry(address(object)).or_insert(next);
                    if at == next {
                        objects.push(encoder.object(object, Where::Table));
                    }
                    at
                });
                files.push(StepFile {
                    keep: [head, tail],
                    between: between.collect(),
                    draft: encoder.draft(&step.draft, Where::Table),
                    verdict: step.verdict.into(),
                    finished: step.finished,
                    comment: step.comment.clone(),
                    next_id: step.next_id,
                });
                nearer = step;
            }
            files
        };
        let (past, future) = (chain(&mut past.into_iter()), chain(&mut future.into_iter()));
        Some(Self {
            masks: encoder.take_table(),
            objects,
            past,
            future,
        })
    }

    pub fn decode(self, now: Document, size: Size) -> Result<History<Document>, String> {
        let plain = Decoder::new(size, &[]);
        let masks = self.masks.iter().map(|m| plain.counts(m));
        let table: Vec<Arc<Mask>> = masks.collect::<Result<_, _>>()?;
        let decoder = Decoder::new(size, &table);
        let mut pool = now.objects.clone();
        for object in self.objects {
            pool.push(Arc::new(decoder.object(object)?));
        }
        let now = Arc::new(now);
        let past = unchain(self.past, &now, &pool, &decoder)?;
        let future = unchain(self.future, &now, &pool, &decoder)?;
        Ok(History::resume(past, now, future))
    }
}

/// The steps, the furthest from the present first.
fn unchain(
    files: Vec<StepFile>,
    now: &Arc<Document>,
    pool: &[Arc<Object>],
    decoder: &Decoder<'_>,
) -> Result<Vec<Arc<Document>>, String> {
    let mut steps: Vec<Arc<Document>> = Vec::new();
    for file in files.into_iter().take(DEPTH) {
        let nearer = &steps.last().unwrap_or(now).objects;
        let [head, tail] = file.keep;
        if head.checked_add(tail).is_none_or(|n| n > nearer.len()) {
            return Err("a step keeps more objects than there are".into());
        }
        let between = file.between.iter().map(|at| pool.get(*at).map(Arc::clone));
        let between: Option<Vec<_>> = between.collect();
        let between = between.ok_or("a step names an object that is not there")?;
        let mut objects = nearer[..head].to_vec();
        objects.extend(between);
        objects.extend_from_slice(&nearer[nearer.len() - tail..]);
        steps.push(Arc::new(Document {
            objects,
            draft: decoder.draft(file.draft)?,
            verdict: file.verdict.into(),
            finished: file.finished,
            comment: file.comment,
            next_id: file.next_id,
            extra: now.extra.clone(),
        }));
    }
    steps.reverse();
    Ok(steps)
}
