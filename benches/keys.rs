//! How many keys an object takes: a simulated person plays the real keymap on pictures whose masks
//! are known, and always aims with the cheapest keys.
//!
//! `cargo bench --bench keys -- IMAGES MASKS [EVERY]`: photos, masks of the same stem (0 and 255),
//! every so manieth picture. Nothing is run without a data set: it prints where one comes from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crossterm::event::{Event, KeyEvent};
use termask::core::distance::Depths;
use termask::core::geometry::{CellSize, ImagePoint, ImageRect, Size};
use termask::core::mask::Mask;
use termask::segment::{self, Engine};
use termask::store::decode::{self, Decoded};
use termask::store::settings::Settings;
use termask::ui::action::{Action, Answer, OpenedImage, Outcome};
use termask::ui::keymap::Key;
use termask::ui::state::State;

/// Clicks after which the person gives up.
const MOST_CLICKS: usize = 20;
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

/// What a person begins an object with.
#[derive(Debug, Clone, Copy)]
enum First {
    Box,
    Click,
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

/// A person before one picture.
struct Person<'a> {
    state: State,
    engine: &'a mut dyn Engine,
    truth: Mask,
    now: i64,
    keys: usize,
    engine_ms: f64,
}

impl<'a> Person<'a> {
    fn sit_down(
        path: &Path,
        decoded: Decoded,
        truth: Mask,
        engine: &'a mut dyn Engine,
        from: ImagePoint,
    ) -> Self {
        let mut state = State::new(Settings::default(), Arc::from("keys@bench"));
        let cell = CellSize {
            width: 10.0,
            height: 20.0,
        };
        state.resize((100, 40), cell);
        state.learn(Outcome::Found(vec![path.to_path_buf()]));
        state.learn(Outcome::Opened(Box::new(OpenedImage {
            path: path.to_path_buf(),
            decoded,
            history: termask::core::history::History::default(),
            access: termask::store::sidecar::Access::Writable,
            notes: Vec::new(),
        })));
        state.act(Action::Point(from), 1);
        Self {
            state,
            engine,
            truth,
            now: 1,
            keys: 0,
            engine_ms: 0.0,
        }
    }

    /// Keys until each IoU is reached, in hundredths.
    fn label(&mut self, first: First) -> HashMap<u32, usize> {
        let mut reached = HashMap::new();
        match first {
            First::Box => self.give_box(),
            First::Click => self.click(),
        }
        for _ in 0..MOST_CLICKS {
            let iou = self.state.focus().map_or(0.0, |m| m.iou(&self.truth));
            for percent in [85, 90] {
                if iou * 100.0 >= f64::from(percent) {
                    reached.entry(percent).or_insert(self.keys);
                }
            }
            if reached.len() == 2 {
                break;
            }
            self.click();
        }
        reached
    }

    /// Two corners, each within two cells of the true one.
    fn give_box(&mut self) {
        let bounds = self.truth.bounds().expect("an object");
        let corners = [
            ImagePoint::new(bounds.x0, bounds.y0),
            ImagePoint::new(bounds.x1 - 1, bounds.y1 - 1),
        ];
        for corner in corners {
            let view = self.state.shown().expect("open").view;
            // As exact as one aims by eye: half a cell to either side.
            let (dx, dy) = (
                (0.75 * view.cell.width / view.scale_x()) as u32 + 1,
                (0.5 * view.cell.height / view.scale_y()) as u32 + 1,
            );
            let near = ImageRect::new(
                corner.x.saturating_sub(dx),
                corner.y.saturating_sub(dy),
                (corner.x + dx + 1).min(view.image.width),
                (corner.y + dy + 1).min(view.image.height),
            );
            self.aim(&Mask::from_rect(view.image, near), corner);
            self.press("b");
        }
    }

    /// A click in the deep of the largest error, as the number-of-clicks protocol does; anywhere at least
    /// half as deep as its deepest pixel will do.
    fn click(&mut self) {
        let size = self.truth.size();
        let mask = self.state.focus();
        let mask = mask.map_or_else(|| Mask::empty(size), |m| (*m).clone());
        let missing = largest(&self.truth.difference(&mask));
        let extra = largest(&mask.difference(&self.truth));
        let depth = |m: &Option<Mask>| {
            let m = m.as_ref()?;
            Depths::of(m).deepest(&[])
        };
        let (inside, outside) = (depth(&missing), depth(&extra));
        let key = match (inside, outside) {
            (None, None) => return,
            (Some(i), Some(o)) if o.0 > i.0 => "o",
            (None, Some(_)) => "o",
            (Some(_), _) => "i",
        };
        let (region, (squared, at)) = if key == "i" {
            (missing.expect("seen"), inside.expect("seen"))
        } else {
            (extra.expect("seen"), outside.expect("seen"))
        };
        let half = (squared as f64).sqrt() / 2.0;
        let rim = Depths::of(&region).shallow(&region, half);
        let deep = region.difference(&rim);
        let target = if deep.is_empty() { region } else { deep };
        self.aim(&target, at);
        self.press(key);
    }

    /// Brings the cursor onto the target with as few keys as there are: moves with counts, the
    /// doubtful place, or grid aim; `exact` where nothing coarser hits it.
    fn aim(&mut self, target: &Mask, exact: ImagePoint) {
        let open = self.state.shown().expect("open");
        if target.contains(open.cursor) {
            return;
        }
        let mut best = self.by_moves(target);
        if let Some(grid) = self.by_grid(target)
            && best.as_ref().is_none_or(|b| grid.len() < b.len())
        {
            best = Some(grid);
        }
        let draft = &open.document().draft;
        let doubt = draft.proposal.as_ref().and_then(|p| p.soft.as_ref());
        let doubt = doubt.and_then(|s| s.most_doubtful(target.size(), &draft.prompt));
        if doubt.is_some_and(|at| target.contains(at)) {
            best = Some(vec![";".into()]);
        }
        let keys = best.unwrap_or_else(|| self.pixel_by_pixel(exact));
        for key in keys {
            self.press(&key);
        }
    }

    /// Counts and moves by cells that land on the target.
    fn by_moves(&self, target: &Mask) -> Option<Vec<String>> {
        let open = self.state.shown().expect("open");
        let view = open.view;
        let across = (view.cell.width / view.scale_x()).round().max(1.0) as i64;
        let down = (view.cell.height / view.scale_y()).round().max(1.0) as i64;
        let mut best: Option<Vec<String>> = None;
        for dy in -36..=36_i64 {
            for dx in -99..=99_i64 {
                let x = i64::from(open.cursor.x) + dx * across;
                let y = i64::from(open.cursor.y) + dy * down;
                if x < 0 || y < 0 || !target.contains(ImagePoint::new(x as u32, y as u32)) {
                    continue;
                }
                let mut keys = line(dx, ["h", "l"], ["H", "L"]);
                keys.extend(line(dy, ["k", "j"], ["K", "J"]));
                if best.as_ref().is_none_or(|b| keys.len() < b.len()) {
                    best = Some(keys);
                }
            }
        }
        best
    }

    /// `g` and the parts that lead to a region whose middle lies on the target.
    fn by_grid(&self, target: &Mask) -> Option<Vec<String>> {
        const NAMES: [&str; 9] = ["q", "w", "e", "a", "s", "d", "z", "x", "c"];
        let whole = self.state.shown().expect("open").view.source;
        if target.contains(whole.centre()) {
            return Some(vec!["g".into()]);
        }
        let mut regions = vec![(whole, vec!["g".to_string()])];
        for _ in 0..4 {
            let mut next = Vec::new();
            for (region, keys) in regions {
                for (part, name) in (0..9).zip(NAMES) {
                    let part = region.ninth(part);
                    let mut keys = keys.clone();
                    keys.push(name.into());
                    if target.contains(part.centre()) {
                        return Some(keys);
                    }
                    next.push((part, keys));
                }
            }
            regions = next;
        }
        None
    }

    fn pixel_by_pixel(&self, to: ImagePoint) -> Vec<String> {
        let from = self.state.shown().expect("open").cursor;
        let (dx, dy) = (
            i64::from(to.x) - i64::from(from.x),
            i64::from(to.y) - i64::from(from.y),
        );
        let mut keys = Vec::new();
        for (way, names) in [(dx, ["A-h", "A-l"]), (dy, ["A-k", "A-j"])] {
            if way != 0 {
                keys.extend(way.abs().to_string().chars().map(String::from));
                keys.push(names[usize::from(way > 0)].into());
            }
        }
        keys
    }

    /// One key, and the answer of the engine if it is asked.
    fn press(&mut self, key: &str) {
        self.now += 300;
        self.keys += 1;
        let Key { code, modifiers } = Key::parse(key).expect("a key");
        self.state
            .input(&Event::Key(KeyEvent::new(code, modifiers)), self.now);
        let Some(ask) = self.state.wants().answer else {
            return;
        };
        let start = Instant::now();
        let proposals = self.engine.propose(&ask.question).expect("an answer");
        let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
        self.engine_ms += milliseconds;
        self.state.learn(Outcome::Proposed(Box::new(Answer {
            ask,
            proposals,
            milliseconds,
            is_final: true,
        })));
    }
}

/// The cheapest keys along one axis: single steps, eights with single steps, or a count.
fn line(way: i64, single: [&str; 2], eight: [&str; 2]) -> Vec<String> {
    let side = usize::from(way > 0);
    let length = way.unsigned_abs();
    let steps = |n: u64, key: &str| vec![key.to_string(); n as usize];
    let mut eights = steps(length / 8, eight[side]);
    eights.extend(steps(length % 8, single[side]));
    let mut counted: Vec<String> = length.to_string().chars().map(String::from).collect();
    counted.push(single[side].into());
    if eights.len() <= counted.len() {
        eights
    } else {
        counted
    }
}

/// The part with the most pixels.
fn largest(mask: &Mask) -> Option<Mask> {
    mask.parts().into_iter().max_by_key(Mask::area)
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
