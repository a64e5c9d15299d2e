//! The real program is killed at random moments: what was done up to the key before the last is on
//! the disk.
//!
//! `TERMASK_KILLS=1000 cargo test --test crash` kills it a thousand times, `TERMASK_SEED` chooses
//! other keys and moments.

#[expect(dead_code, reason = "the other tests use the rest")]
mod harness;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use harness::Terminal;
use rustix::process::Signal;
use termask::core::document::{Document, Object};
use termask::core::geometry::CellSize;
use termask::store::check::{self, Kind, Mode};
use termask::store::decode::{Decoded, decode};
use termask::store::settings::Settings;
use termask::store::sidecar::{self, Access};
use termask::ui::action::{OpenedImage, Outcome};
use termask::ui::state::State;

const SIZE: (u16, u16) = (100, 40);
/// How long a save may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often the disk is looked at.
const PACE: Duration = Duration::from_millis(2);

/// Keys that need no engine, those that change something several times.
const KEYS: &str = "hjklHJKLHJKLmmmmMM[]\r\r\r\r\r\rwuuu\x12\x12\tdeXUFI()S+-v";

/// A linear congruential generator (Knuth's MMIX): the same seed gives the same run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        let Self(state) = self;
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % end
    }

    fn key(&mut self) -> char {
        let at = self.below(KEYS.len() as u64) as usize;
        char::from(KEYS.as_bytes()[at])
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |t| t.parse().expect("a number"))
}

/// The document without what differs from run to run: times and the person.
fn timeless(document: &Document) -> Document {
    let object = |object: &Arc<Object>| {
        let mut object = Object::clone(object);
        (object.created, object.changed, object.spent) = (0, 0, 0);
        object.origin.who.clear();
        Arc::new(object)
    };
    let mut document = document.clone();
    document.objects = document.objects.iter().map(object).collect();
    document.draft.spent = 0;
    if let Some(proposal) = &mut document.draft.proposal {
        proposal.origin.who.clear();
    }
    if let Some((_, replaced)) = &mut document.draft.replaces {
        *replaced = object(replaced);
    }
    document
}

/// What lies on the disk, whole.
fn on_disk(image: &Path) -> Document {
    let read = sidecar::read(image).expect("the sidecar is whole");
    read.map_or_else(Document::default, |r| timeless(r.history.now()))
}

/// The app's state without a disk: it says what each key should lead to.
struct Model(State);

impl Model {
    fn open(image: &Path, decoded: &Decoded) -> Self {
        let mut state = State::new(Settings::default(), Arc::from("tester@here"));
        state.resize(SIZE, CellSize::default());
        state.learn(Outcome::Found(0, vec![image.to_path_buf()]));
        state.learn(Outcome::Walked);
        let read = sidecar::read(image).expect("the sidecar is whole");
        state.learn(Outcome::Opened(Box::new(OpenedImage {
            path: image.to_path_buf(),
            decoded: decoded.clone(),
            history: read.map(|r| r.history).unwrap_or_default(),
            access: Access::Writable,
            notes: Vec::new(),
        })));
        Self(state)
    }

    fn press(&mut self, key: char) -> Document {
        let (code, modifiers) = match key {
            '\r' => (KeyCode::Enter, KeyModifiers::NONE),
            '\t' => (KeyCode::Tab, KeyModifiers::NONE),
            '\x12' => (KeyCode::Char('r'), KeyModifiers::CONTROL),
            c => (KeyCode::Char(c), KeyModifiers::NONE),
        };
        self.0.input(&Input::Key(KeyEvent::new(code, modifiers)), 0);
        timeless(self.0.shown().expect("open").document())
    }
}

/// Waits until the disk has this document.
fn wait_for(terminal: &mut Terminal, image: &Path, wanted: &Document, told: &str) {
    let end = Instant::now() + PATIENCE;
    while on_disk(image) != *wanted {
        assert!(
            Instant::now() < end,
            "{told}: it is not saved; on the disk {:#?}, wanted {wanted:#?}; the screen:\n{}",
            on_disk(image),
            terminal.text()
        );
        terminal.listen(PACE);
    }
}

/// One life of the program: some keys with all that they did on the disk, then a burst of keys with
/// a kill at any moment.
fn live_and_die(image: &Path, decoded: &Decoded, random: &mut Random, told: &str) {
    let mut model = Model::open(image, decoded);
    let mut terminal = Terminal::termask(
        &[
            "--graphics",
            "blocks",
            "--engine",
            "watershed",
            image.to_str().expect("a plain name"),
        ],
        SIZE,
    );
    terminal.wait_for("saved  ? help");
    let mut keys = String::new();
    let mut now = on_disk(image);
    for _ in 0..random.below(12) {
        let key = random.key();
        keys.push(key);
        now = model.press(key);
        terminal.press(&key.to_string());
        let told = format!("{told}, keys {keys:?}");
        wait_for(&mut terminal, image, &now, &told);
    }
    let mut allowed = vec![now];
    let burst: String = (0..=random.below(4)).map(|_| random.key()).collect();
    allowed.extend(burst.chars().map(|key| model.press(key)));
    terminal.press(&burst);
    // The moment itself is what is tried: it must depend on nothing that the program shows.
    terminal.listen(Duration::from_micros(random.below(60_000)));
    terminal.signal(Signal::KILL);
    terminal.end();
    let left = on_disk(image);
    assert!(
        allowed.contains(&left),
        "{told}, keys {keys:?} and {burst:?}: {left:#?} is none of {allowed:#?}"
    );
    let mask = image.with_extension("mask.png");
    if mask.exists() {
        image::open(&mask).expect("the mask is whole");
    }
}

#[test]
fn a_program_killed_at_any_moment_loses_at_most_the_keys_in_flight() {
    let (kills, seed) = (number("TERMASK_KILLS", 12), number("TERMASK_SEED", 1));
    let mut random = Random(seed);
    // A document that grows for ever would make all later lives slow.
    for round in 0..kills.div_ceil(25) {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("a.png");
        let picture = image::RgbImage::from_fn(320, 240, |x, y| {
            image::Rgb([x as u8, y as u8, (x * y / 99) as u8])
        });
        picture.save(&image).expect("saved");
        let decoded = decode(&image).expect("decoded");
        for life in 0..25.min(kills - round * 25) {
            let told = format!("seed {seed}, kill {}", round * 25 + life + 1);
            live_and_die(&image, &decoded, &mut random, &told);
        }
        let faults = check::check(folder.path(), Mode::Mend).expect("checked");
        let known = |kind| matches!(kind, Kind::Mask | Kind::Leftover | Kind::Duplicate);
        assert!(faults.iter().all(|f| known(f.kind)), "{faults:#?}");
        let left = check::check(folder.path(), Mode::Look).expect("checked");
        let is_mended = left.iter().all(|f| f.kind == Kind::Duplicate);
        assert!(is_mended, "{left:#?}");
    }
}
