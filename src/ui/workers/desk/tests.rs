use std::path::PathBuf;

use super::*;
use crate::core::geometry::Size;
use crate::core::mask::Mask;
use crate::core::prompt::Prompt;
use crate::segment::Question;

fn picture(key: u64) -> Picture {
    let image = Image::from_rgb(Size::new(1, 1), vec![0; 3]);
    (Arc::new(image), key)
}

fn ask(key: u64) -> Ask {
    Ask {
        path: PathBuf::from("a.png"),
        question: Question::new(&picture(key).0, key, Prompt::default()),
        attempt: 0,
    }
}

/// A desk whose engine, a slow one, has been opened.
fn desk() -> Desk {
    let desk = Desk::default();
    desk.engine("models/sam".into());
    assert!(matches!(desk.next(), Some(Job::Open(_))));
    desk
}

fn preparing(desk: &Desk) -> (u64, Cancel) {
    match desk.next() {
        Some(Job::Prepare((_, key), cancel)) => (key, cancel),
        _ => panic!("nothing is computed ahead"),
    }
}

#[test]
fn the_click_net_stands_in_until_a_picture_is_encoded_and_no_longer() {
    let desk = desk();
    desk.ask(ask(1));
    assert!(desk.next_meanwhile().is_some());
    assert!(matches!(desk.next(), Some(Job::Answer(_))));
    desk.done(1);
    desk.ask(ask(1));
    assert!(desk.lock().meanwhile.take(|_| 1).is_none());
}

#[test]
fn an_engine_that_answers_at_once_has_no_stand_in_and_computes_nothing_ahead() {
    let desk = Desk::default();
    desk.engine("grabcut".into());
    assert!(matches!(desk.next(), Some(Job::Open(_))));
    desk.ahead(vec![picture(1)]);
    desk.ask(ask(1));
    assert!(desk.lock().meanwhile.take(|_| 1).is_none());
    assert!(matches!(desk.next(), Some(Job::Answer(_))));
}

#[test]
fn the_shown_picture_is_encoded_first_and_its_neighbours_next() {
    let desk = desk();
    desk.ahead(vec![picture(1), picture(2)]);
    assert_eq!(preparing(&desk).0, 1);
    desk.done(1);
    let (key, cancel) = preparing(&desk);
    assert_eq!(key, 2);
    // One more neighbour was read meanwhile: what runs is still wanted.
    desk.ahead(vec![picture(1), picture(2), picture(3)]);
    assert!(!cancel.is_cancelled());
}

#[test]
fn a_jump_and_a_question_about_another_picture_end_what_runs() {
    let desk = desk();
    desk.ahead(vec![picture(1), picture(2)]);
    let (_, first) = preparing(&desk);
    desk.ahead(vec![picture(8), picture(9)]);
    assert!(first.is_cancelled());
    let (key, second) = preparing(&desk);
    assert_eq!(key, 8);
    desk.ask(ask(8));
    assert!(!second.is_cancelled(), "it is what the question waits for");
    desk.ask(ask(9));
    assert!(second.is_cancelled());
}

fn answering(desk: &Desk) -> (u64, Cancel) {
    match desk.next() {
        Some(Job::Answer(ask)) => (ask.question.image_key, ask.question.cancel),
        _ => panic!("nothing is answered"),
    }
}

#[test]
fn a_newer_question_ends_the_one_before_and_a_jump_the_one_about_another_picture() {
    let desk = desk();
    desk.ahead(vec![picture(1), picture(2)]);
    desk.ask(ask(1));
    let (_, first) = answering(&desk);
    // One more neighbour was read meanwhile.
    desk.ahead(vec![picture(1), picture(2), picture(3)]);
    assert!(!first.is_cancelled());
    desk.ask(ask(1));
    assert!(first.is_cancelled());
    let (_, second) = answering(&desk);
    desk.ahead(vec![picture(8)]);
    assert!(second.is_cancelled());
    desk.ask(ask(9));
    let (key, third) = answering(&desk);
    desk.ahead(vec![picture(9)]);
    assert!(
        key == 9 && !third.is_cancelled(),
        "it was the first to know"
    );
}

#[test]
fn a_question_ends_a_search_for_hints_but_not_what_goes_on_beside() {
    let desk = desk();
    let (image, key) = picture(1);
    let path = PathBuf::from("a.png");
    desk.hint(Hints { path, image, key });
    let Some(Job::Find(_, search)) = desk.next() else {
        panic!("nothing is looked for");
    };
    desk.aside(Some(ask(1)));
    let Some(Job::Aside(aside)) = desk.next() else {
        panic!("nothing is asked aside");
    };
    desk.ask(ask(1));
    assert!(search.is_cancelled() && !aside.question.cancel.is_cancelled());
    desk.aside(None);
    assert!(aside.question.cancel.is_cancelled());
}

#[test]
fn a_preview_and_a_snap_end_when_they_are_no_longer_wanted() {
    let desk = desk();
    desk.preview(Some(ask(1)));
    let Some(Meanwhile::Preview(preview)) = desk.next_meanwhile() else {
        panic!("nothing is previewed");
    };
    let (image, _) = picture(1);
    let mask = Arc::new(Mask::empty(image.size()));
    let path = PathBuf::from("a.png");
    desk.snap(Some(Snap { path, image, mask }));
    let Some(Meanwhile::Snap(_, snap)) = desk.next_meanwhile() else {
        panic!("nothing is snapped");
    };
    assert!(!preview.question.cancel.is_cancelled());
    desk.preview(None);
    assert!(preview.question.cancel.is_cancelled() && !snap.is_cancelled());
    desk.snap(None);
    assert!(snap.is_cancelled());
}
