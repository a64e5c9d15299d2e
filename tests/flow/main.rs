//! Keys through the real keymap, state, engine and files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use termask::core::document::Verdict;
use termask::core::geometry::{CellSize, ImagePoint, Size};
use termask::core::review::Order;
use termask::store::progress::progress;
use termask::store::settings;
use termask::term::Layers;
use termask::term::pace::Speed;
use termask::ui::action::Action;
use termask::ui::action::Outcome;
use termask::ui::keymap::Key;
use termask::ui::mode::Mode;
use termask::ui::review::Plan;
use termask::ui::state::{Open, State};
use termask::ui::tour::Tour;
use termask::ui::workers::{Event, Workers};

mod aim;
mod comfort;
mod contour;
mod files;
mod review;
mod sequence;

/// The app without a terminal: the same state and workers, keys from the test.
struct Session {
    state: State,
    workers: Workers,
    events: mpsc::Receiver<Event>,
    now: i64,
}

impl Session {
    /// With all images found, the first one open, and the click net.
    fn open(folder: &Path) -> Self {
        let mut session = Self::start(folder, "click");
        session.settle(|s| s.walked && s.shown().is_some());
        session
    }

    /// Before anything has come.
    fn start(folder: &Path, engine: &str) -> Self {
        let settings = settings::load(folder).expect("settings");
        let (sender, events) = mpsc::channel();
        let paths = vec![folder.to_path_buf()];
        let workers = Workers::start(paths, engine.into(), settings.file.clone(), &sender);
        let mut state = State::new(settings, Arc::from("tester@here"));
        state.resize((100, 40), CellSize::default());
        Self {
            state,
            workers,
            events,
            now: 1_700_000_000_000,
        }
    }

    /// Lets answers come until the condition holds and all is saved.
    fn settle(&mut self, done: impl Fn(&State) -> bool) {
        self.workers.follow(self.state.wants());
        let saved = |s: &State| s.shown().is_none_or(Open::is_saved);
        let answered = |s: &State| s.wants().answer.is_none();
        while !(done(&self.state) && saved(&self.state) && answered(&self.state)) {
            let event = self.events.recv().expect("the workers live");
            if let Event::Outcome(outcome) = event {
                self.state.learn(outcome);
            }
            self.workers.follow(self.state.wants());
        }
    }

    fn keys(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.now += 300;
            let Key { code, modifiers } = Key::parse(key).expect("a key");
            self.state
                .input(&Input::Key(KeyEvent::new(code, modifiers)), self.now);
            self.settle(|_| true);
        }
    }

    fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            let code = match c {
                '\r' => KeyCode::Enter,
                c => KeyCode::Char(c),
            };
            let event = KeyEvent::new(code, KeyModifiers::NONE);
            self.state.input(&Input::Key(event), self.now);
        }
    }

    fn go_to(&mut self, x: u32, y: u32) {
        let there = Action::Point(ImagePoint::new(x, y));
        self.state.act(there, 1);
    }

    fn box_by_its_corners(&mut self, corners: [(u32, u32); 2]) {
        for (x, y) in corners {
            self.go_to(x, y);
            self.keys("b");
        }
    }

    fn objects(&self) -> usize {
        self.state.shown().expect("open").document().objects.len()
    }

    fn cursor(&self) -> ImagePoint {
        self.state.shown().expect("open").cursor
    }
}

fn folder(photos: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let copies = photos.iter().map(|photo| {
        let to = folder.path().join(photo);
        std::fs::copy(Path::new("assets").join(photo), &to).expect("copied");
        to
    });
    let copies = copies.collect();
    (folder, copies)
}

#[test]
fn a_click_and_enter_make_an_object_that_lies_beside_the_image() {
    let (folder, images) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("i enter");
    assert_eq!(session.objects(), 1);
    let progress = progress(&images[0]).expect("readable").expect("saved");
    assert_eq!((progress.objects, progress.has_draft), (1, false));
    assert!(folder.path().join("coffee.mask.png").is_file());
    let object = &session.state.shown().expect("open").document().objects[0];
    assert_eq!(object.origin.engine, "click");
    assert_eq!(object.origin.who, "tester@here");
}

#[test]
fn undo_brings_the_draft_back_without_asking_the_engine() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("i enter");
    session.state.input(
        &Input::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::NONE)),
        session.now,
    );
    assert_eq!(session.objects(), 0);
    let draft = &session.state.shown().expect("open").document().draft;
    assert!(draft.mask().is_some());
    assert!(session.state.wants().answer.is_none());
    session.keys("C-r");
    assert_eq!(session.objects(), 1);
}
