//! `termask doctor` says how pictures would be shown and why, in terminals that answer as real ones
//! do.

use std::fs;
use std::io::{Read, Write};
use std::process;

use pty_process::Size;
use pty_process::blocking::{Command, open};

/// A question, and what a terminal answers.
type Answer = (&'static [u8], &'static [u8]);

const CELL: Answer = (b"\x1b[16t", b"\x1b[6;20;10t");
const WINDOW: Answer = (b"\x1b[14t", b"\x1b[4;800;1000t");
const KITTY_QUERY: Answer = (b"a=q", b"\x1b_Gi=31;OK\x1b\\");
const KITTY_ATTRIBUTES: Answer = (b"\x1b[c", b"\x1b[?62;c");
/// How far a frame has come: the line is measured where a terminal is far.
const STATUS: Answer = (b"\x1b[5n", b"\x1b[0n");
const NO_PARENT: Answer = (
    b"P=9302,",
    b"\x1b_Gi=9301,p=1;ENOPARENT:no such image\x1b\\",
);
const PLACED: Answer = (b"P=9302,", b"\x1b_Gi=9301,p=1;OK\x1b\\");
const REGISTERS: Answer = (b"\x1b[?1;1;0S", b"\x1b[?1;0;1024S");

const KITTY: [Answer; 8] = [
    KITTY_QUERY,
    (b"\x1b[>0q", b"\x1bP>|kitty(0.41.1)\x1b\\"),
    (b"\x1b[>q", b"\x1bP>|kitty(0.41.1)\x1b\\"),
    CELL,
    WINDOW,
    NO_PARENT,
    KITTY_ATTRIBUTES,
    STATUS,
];
const OLDER_KITTY: [Answer; 6] = [
    KITTY_QUERY,
    (b"\x1b[>q", b"\x1bP>|kitty(0.29.2)\x1b\\"),
    CELL,
    WINDOW,
    KITTY_ATTRIBUTES,
    STATUS,
];
const GHOSTTY: [Answer; 7] = [
    KITTY_QUERY,
    (b"\x1b[>q", b"\x1bP>|ghostty 1.2.0\x1b\\"),
    CELL,
    WINDOW,
    PLACED,
    (b"\x1b[c", b"\x1b[?62;22c"),
    STATUS,
];
const FOOT: [Answer; 7] = [
    (b"\x1b[>0q", b"\x1bP>|foot(1.13.1)\x1b\\"),
    (b"\x1b[>q", b"\x1bP>|foot(1.13.1)\x1b\\"),
    CELL,
    WINDOW,
    REGISTERS,
    (b"\x1b[c", b"\x1b[?62;4;22c"),
    STATUS,
];

/// The program in a pseudo-terminal of 100x40 cells. All that was written.
fn run(command: Command, answers: &[Answer]) -> String {
    let (mut pty, pts) = open().expect("a pseudo-terminal");
    pty.resize(Size::new_with_pixel(40, 100, 1000, 800))
        .expect("sized");
    let mut child = command
        .env("LC_ALL", "C.UTF-8")
        .spawn(pts)
        .expect("started");
    let (mut said, mut looked, mut buffer) = (Vec::new(), 0, vec![0; 1 << 16]);
    // The end of a pseudo-terminal is an error, not a length of 0.
    while let Ok(length) = pty.read(&mut buffer) {
        said.extend_from_slice(&buffer[..length]);
        while looked < said.len() {
            let rest = &said[looked..];
            // The end may be the beginning of a question.
            if answers
                .iter()
                .any(|(q, _)| q.len() > rest.len() && q.starts_with(rest))
            {
                break;
            }
            let asked = answers.iter().find(|(q, _)| rest.starts_with(q));
            if let Some((_, answer)) = asked {
                pty.write_all(answer).expect("the program listens");
            }
            looked += asked.map_or(1, |(q, _)| q.len());
        }
    }
    child.wait().expect("it ran");
    String::from_utf8_lossy(&said).into_owned()
}

fn doctor(words: &[&str]) -> Command {
    let command = Command::new(env!("CARGO_BIN_EXE_termask"))
        .arg("doctor")
        .args(words)
        .env("TERM", "xterm-256color");
    ["TMUX", "TERM_PROGRAM", "TERMASK_TERMINAL"]
        .into_iter()
        .fold(command, Command::env_remove)
}

/// What the line about graphics says.
#[track_caller]
fn graphics(said: &str) -> &str {
    let line = said.lines().find_map(|l| l.strip_prefix("graphics"));
    line.unwrap_or_else(|| panic!("no graphics in {said}"))
        .trim()
}

/// Runs it in a real tmux, in a terminal that answers. `None` where there is no tmux.
fn in_tmux(options: &str, words: &str, answers: &[Answer]) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    if process::Command::new("tmux").arg("-V").output().is_err() {
        println!("skipped: there is no tmux");
        return None;
    }
    fs::write(path("conf"), options).expect("written");
    let script = format!(
        "{} doctor {words}; tmux capture-pane -p -J > {}",
        env!("CARGO_BIN_EXE_termask"),
        path("said")
    );
    fs::write(path("script"), script).expect("written");
    let session = format!("sh {}", path("script"));
    let command = Command::new("tmux").args(["-u", "-S", &path("socket"), "-f", &path("conf")]);
    let command = command.args(["new-session", &session]);
    let command = command.env("TERM", "xterm-256color").env_remove("TMUX");
    run(command, answers);
    Some(fs::read_to_string(path("said")).expect("the doctor has spoken"))
}

#[test]
fn kitty_answers_the_query() {
    let said = run(doctor(&[]), &KITTY);
    assert_eq!(
        graphics(&said),
        "kitty: the terminal answered the kitty graphics query"
    );
    assert!(said.contains("kitty(0.41.1)"), "{said}");
    assert!(said.contains("cells of 10x20 pixels"), "{said}");
}

#[test]
fn sixel_stands_in_the_attributes() {
    let said = run(doctor(&[]), &FOOT);
    assert_eq!(
        graphics(&said),
        "sixel: the terminal's attributes name sixel"
    );
}

#[test]
fn iterm2_gets_its_own_images() {
    let iterm = [
        KITTY_QUERY,
        (&b"\x1b[>0q"[..], &b"\x1bP>|iTerm2 3.6.0\x1b\\"[..]),
        CELL,
        (b"\x1b[c", b"\x1b[?64;1;2;4;6;22c"),
    ];
    let said = run(doctor(&[]), &iterm);
    assert_eq!(graphics(&said), "iterm: the terminal is iTerm2");
}

#[test]
fn a_terminal_without_pictures_gets_blocks_and_is_told_which_ones_have_them() {
    let plain = [(&b"\x1b[c"[..], &b"\x1b[?1;2c"[..])];
    let said = run(doctor(&[]), &plain);
    assert_eq!(
        graphics(&said),
        "blocks: the terminal answered, and named neither kitty graphics nor sixel"
    );
    assert!(said.contains("* kitty, Ghostty,"), "{said}");
}

#[test]
fn vs_code_without_images_is_told_what_to_turn_on() {
    let plain = [(&b"\x1b[c"[..], &b"\x1b[?1;2c"[..])];
    let said = run(doctor(&[]).env("TERM_PROGRAM", "vscode"), &plain);
    assert!(graphics(&said).starts_with("blocks: "), "{said}");
    assert!(said.contains("terminal.integrated.enableImages"), "{said}");
}

#[test]
fn a_terminal_that_answers_nothing_gets_blocks() {
    let said = run(doctor(&[]), &[]);
    assert_eq!(graphics(&said), "blocks: the terminal answered nothing");
    assert!(said.contains("* kitty, Ghostty,"), "{said}");
}

#[test]
fn what_is_asked_for_is_said_beside_what_would_be_chosen() {
    let said = run(doctor(&["--graphics", "blocks"]), &KITTY);
    assert_eq!(
        graphics(&said),
        "blocks: asked for with --graphics; otherwise it would be kitty: the terminal answered the \
         kitty graphics query"
    );
    let said = run(doctor(&["--graphics", "sixel"]), &FOOT);
    assert_eq!(
        graphics(&said),
        "sixel: asked for with --graphics, and the terminal's attributes name sixel"
    );
}

#[test]
fn in_tmux_kitty_answers_through_it() {
    let Some(said) = in_tmux("set -g allow-passthrough on", "", &KITTY) else {
        return;
    };
    assert!(graphics(&said).starts_with("kitty: inside tmux, kitty answered"));
    assert!(said.contains(" in kitty(0.41.1)"), "{said}");
}

#[test]
fn in_a_tmux_that_passes_nothing_on_the_way_to_open_it_is_told() {
    let Some(said) = in_tmux("set -g allow-passthrough off", "", &KITTY) else {
        return;
    };
    assert_eq!(
        graphics(&said),
        "blocks: inside tmux, which passes no pictures on"
    );
    assert!(said.contains("tmux set -g allow-passthrough on"), "{said}");
}

#[test]
fn in_tmux_older_kitties_and_ghostty_show_characters() {
    let open = "set -g allow-passthrough on";
    let Some(said) = in_tmux(open, "", &OLDER_KITTY) else {
        return;
    };
    assert_eq!(
        graphics(&said),
        "kitty: inside tmux, where kitty before 0.31 shows one picture in characters"
    );
    let said = in_tmux(open, "", &GHOSTTY).expect("it is there");
    assert!(graphics(&said).starts_with("kitty: inside tmux, where Ghostty"));
}

#[test]
fn in_tmux_sixel_is_found_behind_it() {
    let Some(said) = in_tmux("set -g allow-passthrough on", "", &FOOT) else {
        return;
    };
    assert_eq!(
        graphics(&said),
        "sixel: inside tmux, the terminal behind it shows sixel"
    );
    let said = in_tmux("set -g allow-passthrough on", "--graphics iterm", &FOOT);
    let said = said.expect("it is there");
    assert!(
        graphics(&said)
            .starts_with("iterm: asked for with --graphics; otherwise it would be sixel")
    );
}

/// Over ssh from within tmux: the variable that would say so stays behind.
#[test]
fn a_tmux_elsewhere_shows_by_its_answers_what_is_behind_it() {
    let tmux = |attributes| {
        [
            (&b"\x1b[>0q"[..], &b"\x1bP>|tmux 3.5a\x1b\\"[..]),
            (b"\x1b[c", attributes),
        ]
    };
    let plain = tmux(b"\x1b[?1;2c");
    let behind = |more: &[Answer]| run(doctor(&[]), &[&plain[..], more, &[CELL]].concat());
    let said = behind(&[KITTY_QUERY, NO_PARENT]);
    assert!(graphics(&said).starts_with("kitty: inside tmux, kitty answered"));
    let said = behind(&[KITTY_QUERY, PLACED]);
    assert!(graphics(&said).starts_with("blocks: inside tmux, whose terminal does not say"));
    let said = behind(&[REGISTERS]);
    assert!(graphics(&said).starts_with("blocks: inside a tmux elsewhere"));
    let said = run(doctor(&[]), &tmux(b"\x1b[?1;2;4c"));
    assert_eq!(graphics(&said), "sixel: tmux itself shows sixel");
}
