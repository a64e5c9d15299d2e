//! Keys through the real keymap, state, engine and files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use termask::core::document::Verdict;
use termask::core::geometry::{CellSize, ImagePoint};
use termask::core::review::Order;
use termask::store::folder::progress;
use termask::store::settings;
use termask::ui::keymap::Key;
use termask::ui::review::Plan;
use termask::ui::state::{Mode, Open, State};
use termask::ui::tour::Tour;
use termask::ui::workers::{Event, Workers};

/// The app without a terminal: the same state and workers, keys from the test.
struct Session {
    state: State,
    workers: Workers,
    events: mpsc::Receiver<Event>,
    now: i64,
}

impl Session {
    fn open(folder: &Path) -> Self {
        let settings = settings::load(folder).expect("settings");
        let (sender, events) = mpsc::channel();
        let paths = vec![folder.to_path_buf()];
        let workers = Workers::start(paths, "click".into(), settings.file.clone(), &sender);
        let mut state = State::new(settings, Arc::from("tester@here"));
        state.resize((100, 40), CellSize::default());
        let mut session = Self {
            state,
            workers,
            events,
            now: 1_700_000_000_000,
        };
        session.settle(|s| s.shown().is_some());
        session
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

#[test]
fn an_unfinished_draft_is_there_again_after_reopening() {
    let (folder, images) = folder(&["chelsea.png"]);
    let mut session = Session::open(folder.path());
    session.keys("b 8 l 4 j b");
    let area = session.state.focus().expect("a mask").area();
    drop(session);
    assert!(
        progress(&images[0])
            .expect("readable")
            .expect("saved")
            .has_draft
    );
    let again = Session::open(folder.path());
    assert_eq!(again.state.focus().expect("the draft").area(), area);
}

#[test]
fn a_count_moves_and_a_digit_alone_gives_the_class() {
    let (folder, _) = folder(&["coffee.png"]);
    let toml = "[[classes]]\nname = \"cup\"\n[[classes]]\nname = \"spoon\"\n";
    std::fs::write(folder.path().join("termask.toml"), toml).expect("written");
    let mut session = Session::open(folder.path());
    let start = session.cursor();
    session.keys("l");
    let cell = session.cursor().x - start.x;
    session.keys("2 l");
    assert_eq!(session.cursor().x, start.x + 3 * cell);
    assert_eq!(&*session.state.class, "cup", "the digit was a count");
    session.keys("2");
    assert_eq!(&*session.state.class, "spoon");
}

#[test]
fn a_new_class_by_name_is_kept_in_the_folder() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("c");
    session.type_text("mug");
    session.keys("enter");
    session.settle(|s| s.new_class.is_none());
    drop(session);
    let settings = settings::load(folder.path()).expect("settings");
    assert_eq!(settings.classes.last().expect("a class").name, "mug");
}

#[test]
fn grid_aim_narrows_and_a_click_ends_it_there() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("g q");
    assert_eq!(session.cursor(), ImagePoint::new(99, 66));
    session.keys("c i");
    let prompt = &session.state.shown().expect("open").document().draft.prompt;
    assert_eq!(prompt.clicks[0].at, ImagePoint::new(166, 110));
}

#[test]
fn painting_needs_no_engine_and_erasing_takes_it_back() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("m L m");
    let painted = session.state.focus().expect("painted").area();
    session.keys("M H M");
    assert!(session.state.focus().is_none_or(|m| m.area() < painted));
}

#[test]
fn a_review_gives_verdicts_and_goes_on_to_the_next_image() {
    let (folder, images) = folder(&["chelsea.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    make_two(&mut session);
    session.keys("r");
    session.settle(|s| s.selected().is_some());
    session.keys("a");
    session.settle(|s| s.shown().is_some() && s.at == 1 && s.selected().is_some());
    session.keys("x");
    session.settle(|s| s.review.surveyed);
    assert_eq!(verdicts(&images), [(1, 0), (0, 1)]);
    let told = session.state.notice.as_ref().expect("the end is told");
    assert!(format!("{told:?}").contains("2 given"), "{told:?}");
    // A new pass finds nothing: it goes on where the last one stopped.
    session.keys("esc r");
    session.settle(|s| s.review.surveyed);
    assert!(session.state.review.queue.is_empty());
}

#[test]
fn undo_in_a_review_takes_the_verdict_back_on_the_image_before() {
    let (folder, images) = folder(&["chelsea.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    make_two(&mut session);
    session.keys("r");
    session.settle(|s| s.selected().is_some());
    session.keys("a");
    session.settle(|s| s.at == 1 && s.selected().is_some());
    session.keys("u");
    session.settle(|s| s.at == 0 && s.selected().is_some());
    assert_eq!(verdicts(&images), [(0, 0), (0, 0)]);
    session.keys("x");
    session.settle(|s| s.at == 1 && s.selected().is_some());
    assert_eq!(verdicts(&images), [(0, 1), (0, 0)]);
}

#[test]
fn an_object_that_is_fixed_in_the_review_counts_as_accepted() {
    let (folder, images) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("i enter r");
    session.settle(|s| s.selected().is_some());
    session.keys("e o enter");
    session.settle(|s| s.review.given.len() == 1);
    assert_eq!(verdicts(&images), [(1, 0)]);
    let object = &session.state.shown().expect("open").document().objects[0];
    assert_eq!(
        object.prompt.clicks.len(),
        2,
        "the click and its correction"
    );
}

#[test]
fn the_least_sure_come_first_and_each_verdict_is_a_line() {
    let (folder, _) = folder(&["chelsea.png", "coffee.png", "astronaut.png"]);
    let log = folder.path().join("verdicts.jsonl");
    let mut session = Session::open(folder.path());
    for _ in 0..3 {
        session.keys("i enter n");
        session.settle(|s| s.shown().is_some());
    }
    session.state.review.plan = Arc::new(Plan {
        order: Order::Confidence,
        log: Some(log.clone()),
        ..Plan::default()
    });
    session.keys("r");
    session.settle(|s| s.review.surveyed && s.selected().is_some());
    let mut sure = Vec::new();
    for left in (0..3).rev() {
        let object = session.state.selected().expect("one to judge");
        sure.push(object.confidence.expect("the network says"));
        session.keys("f");
        session.settle(|s| s.review.lines.is_empty() && (left == 0 || s.selected().is_some()));
    }
    assert!(sure.is_sorted(), "{sure:?}");
    let lines = std::fs::read_to_string(&log).expect("written");
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines
            .iter()
            .all(|l| l["verdict"] == "flagged" && l["who"] == "tester@here")
    );
}

#[test]
fn a_second_look_is_blind_and_measures_the_person() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("i enter");
    session.state.review.plan = Arc::new(Plan {
        again: 1.0,
        ..Plan::default()
    });
    session.keys("r");
    session.settle(|s| s.review.surveyed && s.selected().is_some());
    session.keys("a a");
    assert_eq!(session.state.review.consistency(), (1, 1));
}

/// One object on each of the first two images; ends on the first.
fn make_two(session: &mut Session) {
    session.keys("i enter n");
    session.settle(|s| s.shown().is_some());
    session.keys("i enter p");
    session.settle(|s| s.shown().is_some());
}

/// Accepted and rejected objects by image.
fn verdicts(images: &[PathBuf]) -> Vec<(u32, u32)> {
    let of = |image: &PathBuf| {
        let p = progress(image).expect("readable").expect("saved");
        (p.accepted as u32, p.rejected as u32)
    };
    images.iter().map(of).collect()
}

#[test]
fn one_bad_file_does_not_stop_the_folder() {
    let (folder, _) = folder(&["coffee.png"]);
    std::fs::write(folder.path().join("broken.jpg"), "not an image").expect("written");
    let settings = settings::load(folder.path()).expect("settings");
    let (sender, events) = mpsc::channel();
    let paths = vec![folder.path().to_path_buf()];
    let workers = Workers::start(paths, "click".into(), settings.file.clone(), &sender);
    let mut state = State::new(settings, Arc::from("tester@here"));
    state.resize((100, 40), CellSize::default());
    let mut session = Session {
        state,
        workers,
        events,
        now: 1,
    };
    session.settle(|s| !s.broken.is_empty());
    let why = session.state.broken.values().next().expect("told");
    assert!(why.contains("broken.jpg"), "{why}");
    session.keys("n");
    session.settle(|s| s.shown().is_some());
    session.keys("i enter");
    assert_eq!(session.objects(), 1);
}

#[test]
fn a_polygon_paints_its_inside_and_undo_takes_one_point_back() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("P 4 l P 4 j P 9 l P u 1 3 h P enter");
    let mask = session.state.focus().expect("painted");
    let bounds = mask.bounds().expect("not empty");
    assert!(bounds.width() > 10 && bounds.height() > 10, "{bounds:?}");
    let inside = bounds.centre();
    assert!(mask.contains(inside));
    session.keys("u");
    assert!(session.state.focus().is_none());
}

#[test]
fn four_extreme_points_make_the_box_around_them() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    let mut points = Vec::new();
    for way in ["8 h", "4 k", "L", "J"] {
        session.keys(way);
        points.push(session.cursor());
        session.keys("x");
    }
    let prompt = &session.state.shown().expect("open").document().draft.prompt;
    let rect = prompt.rect.expect("a box");
    assert_eq!(rect.x0, points.iter().map(|p| p.x).min().expect("four"));
    assert_eq!(rect.y1, points.iter().map(|p| p.y).max().expect("four") + 1);
}

#[test]
fn the_sheet_rejects_by_letter_and_accepts_the_others_at_once() {
    let (folder, images) = folder(&["chelsea.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    for way in ["H", "4 l", "J"] {
        session.keys(way);
        session.keys("m");
        session.keys("enter");
    }
    session.keys("n");
    session.settle(|s| s.shown().is_some());
    session.keys("m enter p");
    session.settle(|s| s.shown().is_some());
    session.keys("r");
    session.settle(|s| s.selected().is_some());
    session.keys("G");
    assert_eq!(
        session.state.sheet.as_ref().expect("a sheet").tiles.len(),
        3
    );
    session.keys("b enter");
    session.settle(|s| s.at == 1 && s.sheet.is_some());
    assert_eq!(verdicts(&images), [(2, 1), (0, 0)]);
    session.keys("enter");
    assert_eq!(verdicts(&images), [(2, 1), (1, 0)]);
    assert_eq!(session.state.mode, Mode::Review);
    session.keys("u");
    assert_eq!(verdicts(&images)[1], (0, 0));
}

#[test]
fn keys_typed_ahead_reach_the_image_they_were_meant_for() {
    let (folder, images) = folder(&["chelsea.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    // All of it before a single answer has come.
    session.type_text("i\rni\rp");
    session.settle(|s| s.at == 0 && s.held.is_empty() && s.shown().is_some());
    for image in &images {
        assert_eq!(
            progress(image).expect("readable").expect("saved").objects,
            1
        );
    }
}

#[test]
fn a_window_closes_onto_the_review_it_was_opened_from() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("i enter r");
    session.settle(|s| s.selected().is_some());
    session.keys("? esc");
    assert_eq!(session.state.mode, Mode::Review);
    session.keys("F");
    session.type_text("cut off");
    session.keys("enter");
    let object = &session.state.shown().expect("open").document().objects[0];
    assert_eq!(
        (object.comment.as_str(), object.verdict),
        ("cut off", Verdict::Flagged)
    );
}

#[test]
fn a_letter_takes_what_the_engine_found_and_a_capital_accepts_it() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("f");
    session.settle(|s| s.mode == Mode::Hints);
    let count = session.state.shown().expect("open").hints.len();
    assert!(count > 1, "the photo shows more than one thing: {count}");
    session.keys("A");
    assert_eq!(session.objects(), 1);
    // The letters are there again at once, without what is masked now.
    assert_eq!(session.state.mode, Mode::Hints);
    assert!(session.state.shown().expect("open").hints.len() < count);
    session.keys("a");
    assert_eq!(session.state.mode, Mode::Aim);
    let open = session.state.shown().expect("open");
    let draft = &open.document().draft;
    let mask = draft.mask().expect("a mask");
    assert!(
        mask.contains(draft.prompt.clicks[0].at),
        "the click lies in it"
    );
    session.keys("o");
    assert!(session.state.focus().is_some(), "a correction builds on it");
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_shown_and_kept() {
    let (mine, images) = folder(&["coffee.png"]);
    let (theirs, _) = folder(&["coffee.png"]);
    let mut session = Session::open(mine.path());
    let mut other = Session::open(theirs.path());
    other.keys("J i enter");
    drop(other);
    let name = "coffee.termask.json";
    std::fs::copy(theirs.path().join(name), mine.path().join(name)).expect("written");
    session.keys("K i");
    session.settle(|s| s.shown().is_some_and(|o| o.document().objects.len() == 1));
    let told = format!("{:?}", session.state.notice);
    assert!(told.contains("somebody else"), "{told}");
    session.keys("enter");
    assert_eq!(
        progress(&images[0])
            .expect("readable")
            .expect("saved")
            .objects,
        2
    );
}

#[test]
fn the_tour_goes_on_as_the_person_does_what_it_says() {
    let (folder, _) = folder(&["astronaut.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    session.state.tour = Some(Tour::START);
    let says = |s: &Session| s.state.tour.and_then(|t| t.says(&s.state.keymap));
    for (keys, step) in [
        ("K", "2/6"),
        ("i", "3/6"),
        ("enter", "4/6"),
        ("b J L b enter", "5/6"),
    ] {
        session.keys(keys);
        let told = says(&session).expect("the tour goes on");
        assert!(told.starts_with(step), "{keys}: {told}");
    }
    session.keys("r");
    session.settle(|s| s.selected().is_some());
    session.keys("a");
    assert!(says(&session).expect("the last step").starts_with("6/6"));
    session.keys("?");
    assert_eq!(says(&session), None);
}

#[test]
fn an_image_is_reached_by_a_part_of_its_name() {
    let (folder, _) = folder(&["astronaut.png", "chelsea.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("/");
    session.type_text("coff");
    session.keys("enter");
    session.settle(|s| s.shown().is_some());
    assert_eq!(session.state.at, 2);
}
