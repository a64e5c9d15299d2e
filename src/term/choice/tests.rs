//! Which way follows from which answers.

use super::*;

fn plain(answer: &[u8]) -> Report {
    let answers = Answers {
        plain: answer.to_vec(),
        ..Answers::default()
    };
    conclude(&answers, &Surroundings::default())
}

fn through(answer: &[u8], terminal: &str, passage: Passage) -> Report {
    let answers = Answers {
        plain: b"\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c".to_vec(),
        through: answer.to_vec(),
        ..Answers::default()
    };
    let tmux = Tmux {
        version: "3.3a".into(),
        terminal: terminal.into(),
        passage,
        pane: 3,
        is_unused: false,
    };
    let around = Surroundings {
        tmux: Some(tmux),
        ..Surroundings::default()
    };
    conclude(&answers, &around)
}

#[test]
fn kitty_is_taken_where_its_query_is_answered() {
    let report = plain(
        b"\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.35.2)\x1b\\\x1b[6;20;10t\x1b[4;800;1000t\x1b[?62;c",
    );
    assert_eq!((report.graphics, report.way), (Graphics::Kitty, Way::Edits));
    assert_eq!(report.name.as_deref(), Some("kitty(0.35.2)"));
    assert_eq!((report.cell.width, report.cell.height), (10.0, 20.0));
}

#[test]
fn another_terminal_with_kitty_graphics_gets_whole_pictures() {
    let report = plain(b"\x1b_Gi=31;OK\x1b\\\x1bP>|ghostty 1.1.0\x1b\\\x1b[?62;22c");
    assert_eq!(
        (report.graphics, report.way),
        (Graphics::Kitty, Way::Direct)
    );
}

#[test]
fn sixel_is_read_from_the_attributes() {
    let report = plain(b"\x1b[?63;1;2;4;6c");
    assert_eq!(report.graphics, Graphics::Sixel);
    assert!(!report.is_cell_known);
    assert_eq!(plain(b"\x1b[?64;1;2;6;22c").graphics, Graphics::Blocks);
}

#[test]
fn xterm_js_gets_opaque_sixel_though_it_answers_the_kitty_query() {
    let report = plain(b"\x1b_Gi=31;OK\x1b\\\x1bP>|xterm.js(6.1.0)\x1b\\\x1b[?62;4;9;22c");
    assert_eq!(report.graphics, Graphics::Sixel);
}

#[test]
fn a_terminal_that_answers_nothing_gets_blocks_and_advice() {
    let report = plain(b"");
    assert_eq!(report.graphics, Graphics::Blocks);
    assert!(!report.advice.is_empty());
}

#[test]
fn inside_tmux_the_version_of_kitty_decides() {
    let ok = b"\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t";
    let taken = |name| through(ok, name, Passage::Open);
    assert_eq!(taken("kitty(0.35.2)").way, Way::Relative(3));
    assert!(taken("kitty(0.35.2)").is_cell_known);
    for version in ["kitty(0.28.0)", "kitty(0.30.1)"] {
        assert_eq!(taken(version).way, Way::Grid(3));
    }
    assert_eq!(taken("ghostty 1.1.0").way, Way::Tiles(3));
    for other in ["kitty(0.26.5)", "Konsole 22.12.3", ""] {
        let report = taken(other);
        assert_eq!(report.graphics, Graphics::Blocks);
        assert!(report.advice[0].contains("outside of tmux"));
        assert_eq!(report.forced(Graphics::Kitty).way, Way::Tiles(3));
    }
}

#[test]
fn a_nameless_terminal_behind_tmux_shows_by_its_answer_that_it_places_relatively() {
    let answer = b"\x1b_Gi=31;OK\x1b\\\x1b_Gi=31,p=1;ENOPARENT:none\x1b\\\x1b[6;20;10t";
    assert_eq!(through(answer, "", Passage::Open).way, Way::Relative(3));
    // What kitty says of its version counts for more.
    let old = through(answer, "kitty(0.30.1)", Passage::Open);
    assert_eq!(old.way, Way::Grid(3));
}

#[test]
fn sixel_needs_a_tmux_that_says_where_its_pane_lies() {
    let answers = Answers {
        plain: b"\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c".to_vec(),
        through: b"\x1b[?1;0;1024S\x1b[6;19;10t".to_vec(),
        ..Answers::default()
    };
    let around = Surroundings {
        tmux: Some(Tmux::default()),
        ..Surroundings::default()
    };
    let report = conclude(&answers, &around);
    assert_eq!(report.graphics, Graphics::Blocks);
    assert!(report.reason.contains("elsewhere"), "{}", report.reason);
    let own = Answers {
        plain: b"\x1bP>|tmux 3.5a\x1b\\\x1b[?1;2;4c".to_vec(),
        ..Answers::default()
    };
    let report = conclude(&own, &around);
    assert_eq!(
        (report.graphics, report.way),
        (Graphics::Sixel, Way::Direct)
    );
}

#[test]
fn an_unused_pane_is_told_who_gets_the_answers() {
    let around = Surroundings {
        tmux: Some(Tmux {
            passage: Passage::Open,
            is_unused: true,
            ..Tmux::default()
        }),
        ..Surroundings::default()
    };
    let report = conclude(&Answers::default(), &around);
    assert_eq!(report.graphics, Graphics::Blocks);
    assert!(report.reason.contains("another pane"), "{}", report.reason);
}

#[test]
fn a_protocol_that_was_asked_for_goes_through_tmux_too() {
    let report = through(b"", "XTerm(379)", Passage::Open);
    assert_eq!(report.clone().forced(Graphics::Sixel).way, Way::Passed);
    let iterm = report.forced(Graphics::Iterm);
    assert_eq!(iterm.way, Way::Passed);
    assert!(iterm.reason.contains("otherwise it would be blocks"));
}

#[test]
fn the_environment_names_the_terminal_where_asking_does_not() {
    let around = |program: &str, terminal: &str| Surroundings {
        program: program.into(),
        terminal: terminal.into(),
        ..Surroundings::default()
    };
    let silent = |around| conclude(&Answers::default(), &around).graphics;
    assert_eq!(silent(around("WezTerm", "")), Graphics::Iterm);
    assert_eq!(silent(around("", "mintty 3.6.1")), Graphics::Iterm);
    assert_eq!(silent(around("Apple_Terminal", "")), Graphics::Blocks);
}

#[test]
fn sixel_behind_tmux_shows_in_its_number_of_colours() {
    let report = through(
        b"\x1b[?1;0;1024S\x1b[6;19;10t",
        "foot(1.13.1)",
        Passage::Open,
    );
    assert_eq!(
        (report.graphics, report.way),
        (Graphics::Sixel, Way::Passed)
    );
    let refused = through(b"\x1b[?1;3;0S\x1b[6;19;10t", "XTerm(379)", Passage::Open);
    assert_eq!(refused.graphics, Graphics::Blocks);
}

#[test]
fn a_closed_tmux_is_told_how_to_open() {
    let report = through(b"", "kitty(0.35.2)", Passage::Closed);
    assert_eq!(report.graphics, Graphics::Blocks);
    assert!(report.advice[0].contains("tmux set -g allow-passthrough on"));
}
