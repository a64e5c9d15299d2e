//! How many keys an object takes: a simulated person plays the real keymap on pictures whose masks
//! are known, and always aims with the cheapest keys.
//!
//! `cargo bench --bench keys -- IMAGES MASKS [EVERY]`: photos, masks of the same stem (0 and 255),
//! every so manieth picture. Nothing is run without a data set: it prints where one comes from.

mod aim;
mod person;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use person::{First, Person};
use termask::core::geometry::Size;
use termask::core::mask::Mask;
use termask::segment;
use termask::store::decode;

/// What counts as one key press of a practised person, in seconds.
const SECONDS_A_KEY: f64 = 0.3;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let [images, masks, rest @ ..] = words.as_slice() else {
        println!(
            "cargo bench --bench keys -- IMAGES MASKS [EVERY]: for example ECSSD's images and masks"
        );
        return;
    };
    let every = rest.first().and_then(|e| e.parse().ok()).unwrap_or(1);
    let mut engine = segment::open("click").expect("the built-in network");
    let tries = [First::Box, First::Click].into_iter();
    let tries = tries.flat_map(|first| Start::ALL.map(|start| (first, start)));
    for (first, start) in tries {
        // Where the last object ended, as a share of the picture's sides.
        let mut last = (0.0, 0.0);
        let mut keys = HashMap::from([(85, Vec::new()), (90, Vec::new())]);
        let mut engine_ms = Vec::new();
        for (photo, mask) in pairs(Path::new(images), Path::new(masks))
            .iter()
            .step_by(every)
        {
            let Some(truth) = truth(mask) else { continue };
            let decoded = decode::decode(photo).expect("a picture");
            let size = decoded.image.size();
            let share = match start {
                Start::Centre => (0.5, 0.5),
                Start::Corner => (0.0, 0.0),
                Start::Last => last,
            };
            let place = |share: f64, side: u32| (share * f64::from(side)) as i64;
            let from = size.clamp(place(share.0, size.width), place(share.1, size.height));
            let mut person = Person::sit_down(photo, decoded, truth, engine.as_mut(), from);
            let reached = person.label(first);
            for (percent, all) in &mut keys {
                // Enter is a key too; who never gets there pays for all that was tried.
                all.push(reached.get(percent).copied().unwrap_or(person.keys) + 1);
            }
            engine_ms.push(person.engine_ms);
            let end = person.state.shown().expect("open").cursor;
            last = (
                f64::from(end.x) / f64::from(size.width),
                f64::from(end.y) / f64::from(size.height),
            );
        }
        report(first, start, &mut keys, &mut engine_ms);
    }
}

/// Where the cursor is when a person begins.
#[derive(Debug, Clone, Copy)]
enum Start {
    Centre,
    Corner,
    /// Where the object before ended, on a picture of another size perhaps.
    Last,
}

impl Start {
    const ALL: [Self; 3] = [Self::Centre, Self::Corner, Self::Last];

    const fn name(self) -> &'static str {
        match self {
            Self::Centre => "the centre",
            Self::Corner => "the upper left corner",
            Self::Last => "where the object before ended",
        }
    }
}

fn report(first: First, start: Start, keys: &mut HashMap<u32, Vec<usize>>, engine_ms: &mut [f64]) {
    engine_ms.sort_by(f64::total_cmp);
    let ms = engine_ms[engine_ms.len() / 2];
    println!(
        "{first:?} first, cursor from {}, {} objects",
        start.name(),
        engine_ms.len()
    );
    for percent in [85, 90] {
        let all = keys.get_mut(&percent).expect("both");
        all.sort_unstable();
        let (median, far) = (all[all.len() / 2], all[all.len() * 9 / 10]);
        println!(
            "  IoU 0.{percent}: median {median} keys, nine in ten within {far}; {:.1} s an object at {SECONDS_A_KEY} s a key with the engine's {ms:.0} ms",
            median as f64 * SECONDS_A_KEY + ms / 1000.0
        );
    }
}

/// Photos with the mask of the same stem.
fn pairs(images: &Path, masks: &Path) -> Vec<(PathBuf, PathBuf)> {
    let stem = |p: &Path| p.file_stem().unwrap_or_default().to_os_string();
    let list = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let mut all: Vec<_> = entries.flatten().map(|e| e.path()).collect();
        all.sort();
        all
    };
    let masks: HashMap<_, _> = list(masks).into_iter().map(|m| (stem(&m), m)).collect();
    let found = list(images);
    found
        .into_iter()
        .filter_map(|photo| {
            let mask = masks.get(&stem(&photo))?.clone();
            Some((photo, mask))
        })
        .collect()
}

/// The pixels above half; `None` for an empty mask.
fn truth(path: &Path) -> Option<Mask> {
    let grey = image::open(path).expect("a mask").to_luma8();
    let size = Size::new(grey.width(), grey.height());
    let mask = Mask::from_fn(size, size.bounds(), |p| grey.get_pixel(p.x, p.y).0[0] > 127);
    (!mask.is_empty()).then_some(mask)
}
