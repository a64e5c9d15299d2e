//! The outline of a mask, edited point by point.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use termask::core::mask::Mask;

use super::*;

/// A session with a painted draft.
fn painted() -> (tempfile::TempDir, Session) {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("] ] ] ] m L m");
    (folder, session)
}

fn mask(session: &Session) -> Arc<Mask> {
    session.state.focus().expect("a mask")
}

fn place(session: &Session) -> (usize, usize) {
    match &session.state.mode {
        Mode::Contour(contour) => contour.outline.place(),
        mode => panic!("{mode:?}"),
    }
}

#[test]
fn move_keys_move_the_point_at_the_cursor_and_enter_keeps_the_new_outline() {
    let (_folder, mut session) = painted();
    let before = mask(&session);
    session.keys("V");
    let from = session.cursor();
    session.keys("L");
    assert!(
        session.cursor().x > from.x,
        "the cursor goes with its point"
    );
    assert_eq!(mask(&session), before, "nothing is kept yet");
    session.keys("enter");
    let after = mask(&session);
    assert_eq!(session.state.mode, Mode::Aim);
    assert!(after.area() > before.area() && after.iou(&before) > 0.5);
    session.keys("u");
    assert_eq!(mask(&session), before, "one step of undo");
    session.keys("V");
    let (start, count) = place(&session);
    session.keys("tab");
    assert_eq!(place(&session), (start % count + 1, count));
    session.keys("i d l u u");
    assert_eq!(
        place(&session).1,
        count + 1,
        "the added point is there again"
    );
    session.keys("esc");
    assert_eq!(mask(&session), before);
}

#[test]
fn an_objects_outline_is_edited_in_its_place_or_left_as_it_was() {
    let (_folder, mut session) = painted();
    session.keys("enter tab V j j esc");
    let objects = |s: &Session| s.state.shown().expect("open").document().objects.clone();
    let before = objects(&session);
    assert_eq!(before.len(), 1);
    session.keys("tab V J enter");
    let after = objects(&session);
    assert_eq!((after.len(), after[0].id), (1, before[0].id));
    assert_ne!(after[0].mask, before[0].mask);
    let draft = &session.state.shown().expect("open").document().draft;
    assert!(draft.is_empty());
}

#[test]
fn the_mouse_drags_a_point_and_undo_takes_the_whole_drag_back() {
    let (_folder, mut session) = painted();
    session.keys("V");
    let before = session.state.mode.clone();
    let from = session.cursor();
    let view = session.state.shown().expect("open").view;
    let cell = view.cell_from_image(from).expect("in view");
    let mut mouse = |kind, right: u16| {
        let event = MouseEvent {
            kind,
            column: cell.col + right,
            row: cell.row,
            modifiers: KeyModifiers::NONE,
        };
        session.state.input(&Input::Mouse(event), session.now);
    };
    let button = MouseButton::Left;
    mouse(MouseEventKind::Down(button), 0);
    for right in 1..6 {
        mouse(MouseEventKind::Drag(button), right);
    }
    mouse(MouseEventKind::Up(button), 6);
    assert!(session.cursor().x > from.x, "the point came along");
    session.keys("u");
    let Mode::Contour(now) = &session.state.mode else {
        panic!("still at it");
    };
    let Mode::Contour(before) = before else {
        panic!("it began");
    };
    assert_eq!(now.outline.rings(), before.outline.rings());
    session.keys("enter");
    let draft = &session.state.shown().expect("open").document().draft;
    assert!(draft.prompt.is_empty(), "the mouse gave no prompt");
}

#[test]
fn nothing_else_changes_the_document_while_an_outline_is_edited() {
    let (_folder, mut session) = painted();
    session.keys("V n b x m w X + z");
    assert!(matches!(session.state.mode, Mode::Contour(_)));
    let document = session.state.shown().expect("open").document();
    assert!(!document.finished && document.draft.prompt.is_empty());
}
