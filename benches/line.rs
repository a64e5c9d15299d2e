//! How the app feels on a slow line: 256 kbit/s with a round trip of 200 ms, real time, outside of
//! tmux and in it.
//!
//! `cargo bench --bench line`. The program runs in a pseudo-terminal; between it, or tmux around it,
//! and a terminal with kitty's protocol lies a line that carries so many bytes a second.

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/far/mod.rs"]
mod far;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use far::{Sign, Terminal, Within};

const STEPS: usize = 12;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let photo = folder.path().join("rocket.jpg");
    println!("256 kbit/s, a round trip of 200 ms; milliseconds");
    for (name, within) in [("kitty", Within::Nothing), ("kitty in tmux", Within::Tmux)] {
        // Without what the last run saved beside it.
        fs::remove_file(folder.path().join("rocket.termask.json")).ok();
        fs::copy("assets/rocket.jpg", &photo).expect("the photo can be copied");
        measure(name, within, &photo);
    }
}

fn measure(name: &str, within: Within, photo: &Path) {
    let mut terminal = Terminal::start(photo, within);
    let start = Instant::now();
    let first = terminal.wait_for(Sign::Photo) - start;
    println!();
    println!("| {name} | median | longest |\n|---|---:|---:|");
    println!("| start to first picture | {} | |", first.as_millis());
    row(
        "cursor step while the photo gets sharper",
        steps(&mut terminal),
    );
    terminal.wait_until_quiet();
    println!(
        "| start to the sharp picture ({} bytes in all) | {} | |",
        terminal.received,
        (terminal.last - start).as_millis()
    );
    println!(
        "| bytes that waited for the line | | {} |",
        terminal.take_most_queued()
    );
    row("cursor step on the idle line", steps(&mut terminal));
    terminal.press("HHKKb");
    terminal.wait_until_quiet();
    let pressed = terminal.press("LLLLJJJb");
    let mask = terminal.wait_for(Sign::Mask) - pressed;
    println!(
        "| box to mask, the engine's time included | {} | |",
        mask.as_millis()
    );
    terminal.press("q");
}

fn row(what: &str, mut times: Vec<Duration>) {
    times.sort();
    println!(
        "| {what} | {} | {} |",
        times[times.len() / 2].as_millis(),
        times[times.len() - 1].as_millis()
    );
}

/// How long the crosshair takes to follow keys.
fn steps(terminal: &mut Terminal) -> Vec<Duration> {
    let step = |i: usize| {
        terminal.forget_seen();
        let pressed = terminal.press(if i.is_multiple_of(2) { "l" } else { "h" });
        terminal.wait_for(Sign::Mark) - pressed
    };
    (0..STEPS).map(step).collect()
}
