//! Objects carried over from one image to the next.

use super::*;
use termask::core::document::{Document, Origin};
use termask::store::sidecar;

/// Two pictures of one cup: on the second one all has moved to the right.
fn sequence() -> (tempfile::TempDir, Vec<PathBuf>) {
    let (folder, mut images) = folder(&["coffee.png"]);
    let photo = image::open(&images[0]).expect("a photo").into_rgb8();
    let moved = image::RgbImage::from_fn(photo.width(), photo.height(), |x, y| {
        *photo.get_pixel(x.saturating_sub(MOVED), y)
    });
    images.push(folder.path().join("later.png"));
    moved.save(&images[1]).expect("written");
    (folder, images)
}

const MOVED: u32 = 15;

fn read(image: &Path) -> Document {
    let read = sidecar::read(image).expect("readable").expect("saved");
    read.history.now().clone()
}

fn is_over(state: &State) -> bool {
    state.shown().is_some_and(|o| o.refinding.is_none())
}

#[test]
fn the_objects_of_the_image_before_are_found_again_where_they_have_moved() {
    let (folder, images) = sequence();
    let mut session = Session::open(folder.path());
    session.box_by_its_corners([(50, 10), (480, 390)]);
    session.keys("enter");
    session.box_by_its_corners([(170, 20), (410, 290)]);
    session.keys("enter n");
    session.settle(|s| s.shown().is_some());
    session.keys("Y");
    session.settle(is_over);
    assert_eq!(session.objects(), 2);
    session.keys("Y");
    let told = format!("{:?}", session.state.notice);
    assert!(told.contains("here already"), "{told}");
    drop(session);
    let (before, after) = (read(&images[0]), read(&images[1]));
    for (old, new) in before.objects.iter().zip(&after.objects) {
        assert_eq!(
            (new.verdict, &*new.origin.who),
            (Verdict::Unseen, Origin::REFIND)
        );
        assert!(new.is_untouched() && new.prompt.rect.is_some());
        assert!(new.track.is_some() && new.track == old.track, "one thing");
    }
    assert_ne!(after.objects[0].track, after.objects[1].track);
    let left = |d: &Document| d.objects[0].mask.bounds().expect("not empty").centre().x;
    let moved = left(&after).abs_diff(left(&before));
    assert!(
        moved.abs_diff(MOVED) < 5,
        "moved by {moved}: {:?}",
        before.objects[0].mask.bounds()
    );
}

#[test]
fn one_undo_takes_back_all_that_was_found_again() {
    let (folder, _) = sequence();
    let mut session = Session::open(folder.path());
    session.keys("i enter H m enter n");
    session.settle(|s| s.shown().is_some());
    session.keys("Y");
    session.settle(is_over);
    assert_eq!(session.objects(), 2);
    session.keys("u");
    assert_eq!(session.objects(), 0);
}

#[test]
fn a_prompt_is_answered_while_objects_are_looked_for_and_esc_ends_the_search() {
    let (folder, _) = sequence();
    let mut session = Session::open(folder.path());
    session.keys("i enter H m enter n");
    session.settle(|s| s.shown().is_some());
    session.type_text("Yi");
    session.settle(|s| s.focus().is_some());
    session.settle(is_over);
    assert!(session.state.focus().is_some(), "the draft stays");
    assert_eq!(session.objects(), 2);
    session.keys("u u u");
    session.type_text("Y");
    session.keys("esc");
    assert!(is_over(&session.state));
    assert_eq!(session.objects(), 0);
}

#[test]
fn copies_keep_the_track_and_come_once() {
    let (folder, images) = sequence();
    let mut session = Session::open(folder.path());
    session.keys("i enter n");
    session.settle(|s| s.shown().is_some());
    session.keys("y y");
    assert_eq!(session.objects(), 1);
    drop(session);
    let track = |image: &Path| read(image).objects[0].track;
    assert!(track(&images[0]).is_some());
    assert_eq!(track(&images[0]), track(&images[1]));
}
