//! The review pass: verdicts, order, second looks, the sheet.

use super::*;

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
    // Keys wait for no drawing, which goes on meanwhile.
    session.keys("b enter");
    session.settle(|s| s.at == 1 && s.sheet.as_ref().is_some_and(|s| s.image.is_some()));
    assert_eq!(verdicts(&images), [(2, 1), (0, 0)]);
    session.keys("enter");
    assert_eq!(verdicts(&images), [(2, 1), (1, 0)]);
    assert_eq!(session.state.mode, Mode::Review);
    session.keys("u");
    assert_eq!(verdicts(&images)[1], (0, 0));
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
