//! Aiming and outlining by keys.

use super::*;

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
fn the_engines_readings_follow_each_other_and_undo_goes_back() {
    let (folder, _) = folder(&["coffee.png"]);
    let sam = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sam/sam");
    let mut session = Session::start(folder.path(), sam.to_str().expect("a plain name"));
    session.settle(|s| s.shown().is_some() && s.engine.is_some());
    session.keys("i");
    session.settle(|s| s.shown().is_some_and(|o| o.document().draft.answered));
    let count = session.state.shown().expect("open").alternatives.len();
    assert!(count > 1, "a click may mean the part or the whole");
    let first = session.state.focus();
    session.keys("t");
    let second = session.state.focus();
    assert_ne!(second, first);
    session.keys("u");
    assert_eq!(session.state.focus(), first);
    session.keys("C-r");
    assert_eq!(session.state.focus(), second);
}

#[test]
fn the_click_net_reads_a_prompt_in_crops_of_other_sizes_and_begins_anew_after_the_last() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.settle(|s| s.engine.is_some());
    session.keys("i");
    let first = session.state.focus();
    session.keys("t");
    let second = session.state.focus();
    assert_ne!(second, first, "a smaller crop");
    session.keys("u");
    assert_eq!(session.state.focus(), first);
    session.keys("C-r t t");
    assert_eq!(session.state.focus(), first, "all three were seen");
}

#[test]
fn a_capital_of_the_grid_clicks_where_it_has_led() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("g q C");
    let prompt = &session.state.shown().expect("open").document().draft.prompt;
    assert_eq!(prompt.clicks[0].at, ImagePoint::new(166, 110));
    assert_eq!(session.state.mode, Mode::Aim);
}

#[test]
fn the_grid_goes_on_for_the_second_corner_of_a_box() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("g q b");
    let corner = session.cursor();
    assert!(matches!(session.state.mode, Mode::Grid { .. }));
    session.keys("C");
    let rect = |s: &Session| {
        let open = s.state.shown().expect("open");
        open.document().draft.prompt.rect.expect("a box")
    };
    assert_eq!((rect(&session).x0, rect(&session).y0), (corner.x, corner.y));
    // Whoever moves by other keys goes on from the first corner.
    session.keys("esc g q b L J b");
    assert_eq!((rect(&session).x0, rect(&session).y0), (corner.x, corner.y));
    assert_eq!(rect(&session).x1, session.cursor().x + 1);
}

#[test]
fn esc_ends_a_search_for_objects_before_its_letters_come() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.type_text("f");
    assert!(session.state.wants().hints.is_some());
    session.keys("esc");
    assert!(session.state.wants().hints.is_none());
    assert!(!session.state.shown().expect("open").hinting);
}
