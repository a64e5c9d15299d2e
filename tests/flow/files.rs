//! Images, folders, and what others do to them meanwhile.

use super::*;

#[test]
fn an_unfinished_draft_is_there_again_after_reopening() {
    let (folder, images) = folder(&["chelsea.png"]);
    let mut session = Session::open(folder.path());
    session.box_by_its_corners([(55, 10), (451, 300)]);
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
fn one_bad_file_does_not_stop_the_folder() {
    let (folder, _) = folder(&["coffee.png"]);
    std::fs::write(folder.path().join("broken.jpg"), "not an image").expect("written");
    let mut session = Session::start(folder.path(), "click");
    session.settle(|s| s.walked && !s.broken.is_empty());
    let why = session.state.broken.values().next().expect("told");
    assert!(why.contains("broken.jpg"), "{why}");
    session.keys("n");
    session.settle(|s| s.shown().is_some());
    session.keys("i enter");
    assert_eq!(session.objects(), 1);
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
fn an_image_is_reached_by_a_part_of_its_name() {
    let (folder, _) = folder(&["astronaut.png", "chelsea.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    session.settle(|s| s.walked);
    session.keys("/");
    session.type_text("coff");
    session.keys("enter");
    session.settle(|s| s.shown().is_some());
    assert_eq!(session.state.at, 2);
}

#[test]
fn a_large_photo_is_seen_coarsely_first_and_keys_typed_meanwhile_wait_for_all_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let picture = image::RgbImage::from_pixel(7000, 5000, image::Rgb([90, 120, 150]));
    picture.save(folder.path().join("a.jpg")).expect("saved");
    let mut session = Session::start(folder.path(), "watershed");
    session.settle(|s| s.first_look().is_some());
    let scene = termask::ui::view::scene(&session.state).expect("a coarse picture");
    let coarse = scene.photo.image.size();
    assert!(
        coarse.longest() >= 1600 && coarse.longest() < 7000,
        "{coarse:?}"
    );
    session.keys("m");
    assert_eq!(session.state.held.len(), 1);
    session.settle(|s| s.shown().is_some());
    let scene = termask::ui::view::scene(&session.state).expect("the picture");
    assert_eq!(scene.photo.image.size(), Size::new(7000, 5000));
    assert!(
        session.state.focus().is_some(),
        "the brush painted where it was"
    );
}

#[test]
fn what_was_finished_in_an_earlier_session_is_passed_over_and_found_by_its_standing() {
    let (folder, images) = folder(&["astronaut.png", "chelsea.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("n");
    session.settle(|s| s.shown().is_some());
    session.keys("w");
    drop(session);
    let mut session = Session::open(folder.path());
    session.settle(|s| s.standings.of(&images[1]).finished);
    assert_eq!(session.state.matching_images("is:finished"), [1]);
    assert_eq!(session.state.matching_images("is:untouched o"), [0, 2]);
    assert_eq!(session.state.matching_images("COF .png"), [2]);
    session.keys("N");
    assert_eq!(session.state.path(), Some(images[2].as_path()));
}

#[test]
fn images_that_turn_out_to_come_first_leave_the_person_where_they_are() {
    let (folder, images) = folder(&["chelsea.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("n");
    session.settle(|s| s.shown().is_some());
    session.keys("m enter");
    let others = [
        folder.path().join("astronaut.png"),
        folder.path().join("b.png"),
    ];
    session.state.learn(Outcome::Found(0, others.to_vec()));
    assert_eq!(*session.state.images, [&others[..], &images[..]].concat());
    assert_eq!(session.state.path(), Some(images[1].as_path()));
    let open = session.state.shown().expect("still open");
    assert_eq!(open.document().objects.len(), 1);
}

/// Two pages: bytes, then 16 bits of which most lie in a narrow range.
fn two_pages(path: &Path) {
    use tiff::encoder::colortype::{Gray16, RGB8};
    let mut file = std::fs::File::create(path).expect("created");
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).expect("begun");
    let grey = vec![90_u8; 3 * 64 * 48];
    encoder.write_image::<RGB8>(64, 48, &grey).expect("written");
    let deep: Vec<u16> = (0..64 * 48_u16).map(|v| 5000 + v).collect();
    encoder
        .write_image::<Gray16>(64, 48, &deep)
        .expect("written");
}

#[test]
fn each_page_has_files_of_its_own_and_keys_change_how_its_values_are_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    two_pages(&folder.path().join("scan.tif"));
    let mut session = Session::open(folder.path());
    session.settle(|s| s.walked);
    assert_eq!(session.state.images.len(), 2);
    session.keys("m m enter }");
    let told = format!("{:?}", session.state.notice);
    assert!(told.contains("8 bits a value"), "{told}");
    session.keys("n");
    session.settle(|s| s.shown().is_some());
    let before = session.state.shown().expect("open").decoded.clone();
    session.keys("}");
    session.settle(|s| s.shown().is_some_and(|o| o.decoded.key != before.key));
    let open = session.state.shown().expect("open");
    let at = ImagePoint::new(0, 1);
    assert!(open.decoded.image.pixel(at)[0] < before.image.pixel(at)[0]);
    session.keys("{");
    session.settle(|s| s.shown().is_some_and(|o| o.decoded.key == before.key));
    session.keys("m m enter");
    drop(session);
    for name in ["scan", "scan#2"] {
        assert!(folder.path().join(format!("{name}.termask.json")).is_file());
        assert!(folder.path().join(format!("{name}.mask.png")).is_file());
    }
    let faults = termask::store::check::check(folder.path(), termask::store::check::Mode::Look);
    assert_eq!(faults.expect("checked"), []);
    let out = tempfile::tempdir().expect("a folder");
    let choice = termask::store::gather::Choice::default();
    let gathered = termask::store::gather::gather(folder.path(), &choice).expect("gathered");
    let yolo = termask::store::formats::Format::Yolo;
    termask::store::formats::export(&gathered.set, yolo, out.path()).expect("exported");
    let page = out.path().join("images/train/scan#2.png");
    assert_eq!(image::image_dimensions(page).expect("a picture"), (64, 48));
    assert!(out.path().join("labels/train/scan#2.txt").is_file());
}

#[test]
fn the_list_beside_the_picture_tells_how_far_each_image_is() {
    let (folder, _) = folder(&["astronaut.png", "chelsea.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    session.state.settings.personal = None;
    session.settle(|s| s.walked);
    let wide = session.state.canvas;
    session.keys("m enter w n");
    session.settle(|s| s.shown().is_some());
    session.keys("m enter A");
    let screen = drawn(&session.state);
    assert!(session.state.canvas.cols < wide.cols, "it has its place");
    let row = |name: &str| {
        let found = screen.lines().skip(1).find(|l| l.contains(name));
        found
            .unwrap_or_else(|| panic!("{name} in\n{screen}"))
            .to_string()
    };
    assert!(row("astronaut").contains("✓ astronaut"), "{screen}");
    assert!(row("chelsea").contains("○ chelsea"), "{screen}");
    assert!(row("coffee").contains("  coffee"), "{screen}");
    // A press of the mouse goes there.
    let event = crossterm::event::MouseEvent {
        kind: crossterm::event::MouseEventKind::Down(crossterm::event::MouseButton::Left),
        column: session.state.canvas.cols + 2,
        row: 3,
        modifiers: KeyModifiers::NONE,
    };
    session.state.input(&Input::Mouse(event), session.now);
    assert_eq!(session.state.at, 2);
    session.settle(|s| s.shown().is_some());
    session.keys("A");
    assert_eq!(session.state.canvas, wide);
}

/// The text on the screen.
fn drawn(state: &State) -> String {
    let backend = ratatui::backend::TestBackend::new(state.screen.0, state.screen.1);
    let mut terminal = ratatui::Terminal::new(backend).expect("a screen of cells");
    terminal
        .draw(|frame| termask::ui::view::draw(state, frame))
        .expect("drawn");
    terminal.backend().to_string()
}

#[test]
fn the_status_tells_what_the_sitting_brought_on_all_images() {
    let (folder, _) = folder(&["chelsea.png", "coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("m enter L m enter w n");
    session.settle(|s| s.shown().is_some());
    session.now += 5 * 60_000;
    session.keys("m enter u");
    let told = "this sitting: 2 made  1 finished  0 min";
    let screen = drawn(&session.state);
    assert!(screen.contains(told), "a pause is no work: {screen}");
    session.keys("p");
    session.settle(|s| s.shown().is_some());
    session.keys("tab d w");
    let told = "this sitting: 1 made  0 finished";
    assert!(drawn(&session.state).contains(told));
    drop(session);
    // What was there before is no work of the next sitting.
    let mut session = Session::start(folder.path(), "click");
    session.now += 3_600_000;
    session.state.now = session.now;
    session.settle(|s| s.shown().is_some());
    assert!(drawn(&session.state).contains("0 made"));
}

#[test]
fn where_the_terminal_shows_pictures_the_list_has_thumbnails() {
    let (folder, images) = folder(&["chelsea.png", "coffee.png", "rocket.jpg"]);
    std::fs::write(folder.path().join("broken.jpg"), "not an image").expect("written");
    let mut session = Session::start(folder.path(), "click");
    session.settle(|s| s.walked && s.images.len() == 4);
    session.state.settings.personal = None;
    session.state.layers = Layers::Many;
    session.keys("n A");
    session.settle(|s| s.shown().is_some() && s.thumbnails.len() == 4);
    let scene = termask::ui::view::scene(&session.state).expect("a picture");
    let shown = scene.thumbnails.iter();
    let right = session.state.canvas.cols;
    assert!(shown.clone().all(|t| t.cells.col > right));
    assert_eq!(shown.count(), images.len(), "all but the broken one");
    let screen = drawn(&session.state);
    let lines: Vec<&str> = screen.lines().collect();
    let row = |name| lines.iter().rposition(|l| l.contains(name)).expect("named");
    let rows = ["chelsea", "coffee", "rocket"].map(row);
    assert!(
        rows.is_sorted() && rows[2] > rows[0] + 2,
        "{rows:?} in\n{screen}"
    );
}
