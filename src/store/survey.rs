//! Finds the objects of many images that a review shall look at.

use std::path::PathBuf;

use rayon::prelude::*;

use super::sidecar;
use crate::core::review::{Filter, Found};

/// How many sidecars are read before what they hold is handed over.
const BATCH: usize = 256;

/// Reads the sidecars of `images`, beginning at `from` and around to the image before it, and
/// hands over what the filter takes, in that order. `found` returns false to stop. Returns what
/// could not be read.
pub fn survey(
    images: &[PathBuf],
    from: usize,
    filter: &Filter,
    found: &mut dyn FnMut(Vec<Found>) -> bool,
) -> Vec<String> {
    let count = images.len();
    let order: Vec<usize> = (0..count).map(|i| (from + i) % count).collect();
    let mut problems = Vec::new();
    for batch in order.chunks(BATCH) {
        let read: Vec<_> = batch
            .par_iter()
            .filter(|i| filter.takes_name(&images[**i]))
            .map(|i| one(&images[*i], *i, filter))
            .collect();
        let mut all = Vec::new();
        for result in read {
            match result {
                Ok(mut objects) => all.append(&mut objects),
                Err(why) => problems.push(why),
            }
        }
        if !all.is_empty() && !found(all) {
            break;
        }
    }
    problems
}

fn one(path: &std::path::Path, image: usize, filter: &Filter) -> Result<Vec<Found>, String> {
    let Some(read) = sidecar::read(path).map_err(|e| e.to_string())? else {
        return Ok(Vec::new());
    };
    let document = read.history.now();
    if !filter.takes_document(document) {
        return Ok(Vec::new());
    }
    let objects = document.objects.iter().filter(|o| filter.takes(o));
    Ok(objects.map(|o| Found::new(image, o)).collect())
}
