//! What the app does by itself: previews, automatic zoom; and places by letters.

use termask::core::adaptation::Adaptation;
use termask::segment::click::head::INPUTS;
use termask::segment::click::model_hash;
use termask::store::adapted;

use termask::ui::mode::Notice;

use super::*;

/// A session whose switches are kept in a file of its own.
fn open(folder: &Path) -> Session {
    let mut session = Session::open(folder);
    session.state.settings.personal = Some(folder.join("own.toml"));
    session.state.settings.switches = settings::Switches::default();
    session
}

#[test]
fn where_the_cursor_rests_a_click_is_foreseen_and_then_needs_no_engine() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = open(folder.path());
    session.settle(|s| s.engine.is_some());
    session.state.rest();
    assert!(session.state.wants().preview.is_none(), "nobody wants it");
    session.keys("T");
    session.state.rest();
    session.settle(|s| s.preview().is_some());
    let foreseen = session.state.preview().expect("seen").proposals[0].clone();
    session.type_text("i");
    assert!(session.state.wants().answer.is_none(), "it is answered");
    assert_eq!(session.state.focus(), Some(foreseen.mask));
    session.keys("esc l");
    assert!(session.state.preview().is_none(), "the cursor went on");
    session.keys("T");
    drop(session);
    let kept = std::fs::read_to_string(folder.path().join("own.toml")).expect("kept");
    assert!(kept.contains("preview = false"), "{kept}");
}

#[test]
fn no_preview_is_asked_for_on_a_slow_line_or_while_something_is_made() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = open(folder.path());
    session.keys("T");
    session.state.rest();
    assert!(session.state.wants().preview.is_some());
    session.state.speed = Speed::Slow;
    assert!(session.state.wants().preview.is_none());
    session.state.speed = Speed::Fast;
    session.keys("b");
    session.state.rest();
    assert!(session.state.wants().preview.is_none(), "a box is begun");
}

#[test]
fn the_view_goes_near_a_small_object_and_back_when_it_is_kept_or_dropped() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = open(folder.path());
    let view = |s: &Session| s.state.shown().expect("open").view;
    let wide = view(&session);
    session.keys("b 3 l 2 j b");
    assert_eq!(view(&session), wide, "nobody asked for it");
    session.keys("esc Z b 3 h 2 k b");
    let near = view(&session);
    assert!(near.scale() > 1.5 * wide.scale());
    assert!(near.source.contains(session.cursor()));
    session.keys("o");
    let moved = view(&session).scale() / near.scale();
    assert!((moved - 1.0).abs() < 0.01, "a correction moves nothing");
    session.keys("esc");
    assert_eq!(view(&session), wide);
    session.keys("b 3 l 2 j b + enter");
    assert_ne!(view(&session), wide, "who zoomed by hand stays there");
}

#[test]
fn a_letter_names_a_place_and_goes_there_from_another_image() {
    let (folder, _) = folder(&["chelsea.png", "coffee.png"]);
    let mut session = open(folder.path());
    session.keys("L ~ a");
    let place = session.cursor();
    session.keys("H H ` b");
    let told = format!("{:?}", session.state.notice);
    assert!(told.contains("there are a"), "{told}");
    session.keys("` a");
    assert_eq!(session.cursor(), place);
    session.keys("n");
    session.settle(|s| s.shown().is_some());
    session.keys(":");
    session.type_text("go a\r");
    session.settle(|s| s.at == 0 && s.shown().is_some());
    assert_eq!(session.cursor(), place);
}

#[test]
fn what_the_folder_taught_is_taken_out_by_its_command_and_the_draft_asked_anew() {
    let (folder, _) = folder(&["coffee.png"]);
    let file = folder.path().join("termask.toml");
    let adaptation = Adaptation {
        model: model_hash().into(),
        weights: Vec::new(),
        bias: 0.0,
        threshold: 0.49,
        extent: Some(24.0),
    };
    adapted::keep(&file, "object", Some(&adaptation)).expect("kept");
    let mut session = Session::open(folder.path());
    session.keys("i");
    let near = session.state.focus().expect("a mask");
    session.type_text(":adapt-revert\r");
    session.settle(|s| s.adapt.is_none());
    assert!(session.state.settings.adapted.is_empty());
    assert!(settings::adapted(&file).expect("read").is_empty());
    let shipped = session.state.focus().expect("a mask");
    assert_ne!(near, shipped, "it was asked anew");
}

#[test]
fn too_few_masks_to_learn_from_are_told_and_work_goes_on() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.keys("i enter");
    session.type_text(":adapt\r");
    session.settle(|s| s.adapt.is_none());
    let Some(Notice::Problem(told)) = &session.state.notice else {
        panic!("nothing was told: {:?}", session.state.notice);
    };
    assert!(told.contains("no class has 8 accepted masks"), "{told}");
    session.keys("i enter");
    assert_eq!(session.objects(), 2);
}

#[test]
fn twenty_masks_of_a_class_bring_the_offer_to_learn_from_them() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.settle(|s| s.engine.is_some());
    for made in 1..=20 {
        session.keys("m h l m");
        session.keys("enter");
        let offered =
            matches!(&session.state.notice, Some(Notice::Info(t)) if t.contains(":adapt"));
        assert_eq!(offered, made == 20, "{:?}", session.state.notice);
    }
}

#[test]
fn a_mask_that_was_grown_snaps_back_to_the_edges_and_undo_takes_it_back() {
    let (folder, _) = folder(&["coffee.png"]);
    let mut session = Session::open(folder.path());
    session.go_to(260, 120);
    session.keys("i");
    let mask = |session: &Session| {
        let document = session.state.shown().expect("open").document();
        document.draft.mask().expect("a mask")
    };
    let answered = mask(&session);
    session.keys(") ) ) ) ) )");
    let grown = mask(&session);
    session.keys("E");
    session.settle(|s| s.wants().snap.is_none());
    let snapped = mask(&session);
    let (far, near) = (grown.iou(&answered), snapped.iou(&answered));
    assert!(near > far, "grown {far:.3}, snapped {near:.3}");
    session.keys("u");
    assert_eq!(mask(&session), grown);
}

#[test]
fn an_answer_without_a_pixel_is_told() {
    let (folder, _) = folder(&["coffee.png"]);
    let never = Adaptation {
        model: model_hash().into(),
        weights: vec![0.0; INPUTS],
        bias: -9.0,
        threshold: 0.9,
        extent: None,
    };
    let file = folder.path().join("termask.toml");
    adapted::keep(&file, "object", Some(&never)).expect("kept");
    let mut session = Session::open(folder.path());
    session.keys("b L L J b");
    let Some(Notice::Info(told)) = &session.state.notice else {
        panic!("nothing was told: {:?}", session.state.notice);
    };
    assert!(told.contains("no pixel"), "{told}");
}
