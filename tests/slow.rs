//! A slow line: what waits for it behind tmux, which takes at once all that it is given, and what is
//! still under way when the program ends.

#[expect(dead_code, reason = "the bench uses the rest")]
mod far;

use std::fs;
use std::path::Path;
use std::process::Command;

use far::{RATE, Sign, Terminal, Within};

/// What may wait for the line: the round trip of 0.2 s, and as much again.
const FEW: usize = (0.4 * RATE) as usize;

#[test]
fn what_waits_behind_tmux_is_little_and_keys_go_on_while_the_photo_comes() {
    if Command::new("tmux").arg("-V").output().is_err() {
        return println!("skipped: there is no tmux");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let photo = folder.path().join("rocket.jpg");
    fs::copy("assets/rocket.jpg", &photo).expect("the photo can be copied");
    let mut terminal = Terminal::start(&photo, Within::Tmux);
    terminal.wait_for(Sign::Photo);
    terminal.take_most_queued();
    for i in 1..4 {
        terminal.press("l");
        terminal.wait_for(Sign::Mark);
        terminal.wait_for_bytes(terminal.received + i * 8000);
    }
    let queued = terminal.take_most_queued();
    assert!(queued < FEW, "{queued} bytes waited for the line");

    // The person's keys are tmux's as before, while answers come.
    terminal.press("\x02");
    terminal.wait_for_bytes(terminal.received + 8000);
    terminal.press("c");
    wait_for_windows(&mut terminal, 2);
    terminal.press("\x02lq");
    wait_for_windows(&mut terminal, 1);
    for table in ["root", "prefix"] {
        let key = terminal.tmux(&["list-keys", "-T", table, "C-M-S-F3"]);
        assert_eq!(key, "", "it is left as it was");
    }
}

fn wait_for_windows(terminal: &mut Terminal, count: usize) {
    while terminal.tmux(&["list-windows"]).lines().count() != count {
        terminal.wait_for_bytes(terminal.received + 1);
    }
}

#[test]
fn of_two_panes_the_one_in_use_gets_the_terminal_s_answers() {
    if Command::new("tmux").arg("-V").output().is_err() {
        return println!("skipped: there is no tmux");
    }
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["rocket.jpg", "coffee.png"] {
        let photo = Path::new("assets").join(name);
        fs::copy(photo, folder.path().join(name)).expect("the photo can be copied");
    }
    let mut terminal = Terminal::start(&folder.path().join("rocket.jpg"), Within::Tmux);
    terminal.wait_for(Sign::Photo);
    let other = folder.path().join("coffee.png");
    let program = env!("CARGO_BIN_EXE_termask");
    let line = format!("'{program}' '{}'", other.display());
    terminal.tmux(&["split-window", "-h", &line]);
    wait_for_hearer(&mut terminal, "%1");
    terminal.tmux(&["select-pane", "-t", "%0"]);
    wait_for_hearer(&mut terminal, "%0");
    terminal.tmux(&["select-pane", "-t", "%1"]);
    wait_for_hearer(&mut terminal, "%1");
}

fn wait_for_hearer(terminal: &mut Terminal, pane: &str) {
    for _ in 0..20 {
        let key = terminal.tmux(&["list-keys", "-T", "root", "C-M-S-F3"]);
        if key.contains(pane) {
            return;
        }
        terminal.wait_until_quiet();
    }
    panic!("{pane} does not get the answers");
}

#[test]
fn what_the_terminal_still_answers_at_the_end_is_not_left_to_the_shell() {
    let folder = tempfile::tempdir().expect("a folder");
    let photo = folder.path().join("rocket.jpg");
    fs::copy("assets/rocket.jpg", &photo).expect("the photo can be copied");
    let mut terminal = Terminal::start(&photo, Within::Shell);
    terminal.wait_for(Sign::Photo);
    terminal.wait_for_bytes(terminal.received + 8000);
    terminal.press("q");
    terminal.wait_for_text("\x1b[?1049l");
    terminal.press("x\r");
    terminal.wait_for_text("got-x");
}
