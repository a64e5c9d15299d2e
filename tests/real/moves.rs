//! The picture stays with the program: where tmux moves its pane, where another terminal shows it,
//! and where it is stopped and goes on.

use std::fs;
use std::path::Path;

use crate::app::NEAR_IN_256_COLOURS;
use crate::desk::Desk;
use crate::glass::{Expected, bright};
use crate::terminals::{self, Row, Terminal, Way};
use crate::{BLUE, count, drawn};
use image::{Rgb, RgbImage};
use termask::core::geometry::Size;
use termask::core::image::Image;
use termask::core::view::View;
use termask::store::decode::decode;

/// Pixels that text and tmux's lines have, at most.
const FEW: u64 = 12_000;

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn the_picture_follows_its_pane_in_the_next_kitty() {
    follows_its_pane("panes_in_kitty", Terminal::NextKitty);
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn the_picture_follows_its_pane_in_xterm() {
    follows_its_pane("panes_in_xterm", Terminal::Xterm);
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn the_picture_comes_along_to_another_terminal() {
    if let Some(why) = terminals::missing(Terminal::NextKitty) {
        return println!("skipped: {why}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut desk = open(folder.path(), "elsewhere", Terminal::NextKitty, Way::Tmux);
    for terminal in [Terminal::Xterm, Terminal::NextKitty] {
        wait_for_picture(&desk, 0..1000);
        desk.attach(terminal);
    }
    wait_for_picture(&desk, 0..1000);
    leave(&desk);
}

/// tmux hands the terminal's answers to the pane in use.
#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn a_program_begun_in_another_pane_than_the_one_in_use_shows_its_picture_there_when_it_is() {
    if let Some(why) = terminals::missing(Terminal::NextKitty) {
        return println!("skipped: {why}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let row = Row {
        name: "begun_unused",
        terminal: Terminal::NextKitty,
        way: Way::Tmux,
        graphics: None,
    };
    drawn(folder.path(), Size::new(400, 400));
    let program = env!("CARGO_BIN_EXE_termask");
    let line = format!("tmux split-window -h cat; '{program}' .");
    let desk = Desk::open(row, &line, folder.path());
    let wait_for_blocks = |are_there: bool| {
        desk.wait("half-blocks, or none", |desk| {
            let text = desk.tmux_text(":.0");
            let is_so = text.contains(['▀', '▄']) == are_there;
            is_so.then_some(()).ok_or(text)
        });
    };
    wait_for_blocks(true);
    desk.tmux(&["select-pane", "-L"]);
    wait_for_blocks(false);
    wait_for_picture(&desk, 0..500);
    leave(&desk);
}

/// tmux drops what is painted behind another window, and says nothing.
#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn what_was_painted_behind_another_window_is_there_when_its_own_comes_back() {
    is_there_when_its_window_comes_back("unseen", "");
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn what_was_painted_in_characters_behind_another_window_is_there_too() {
    is_there_when_its_window_comes_back("unseen_characters", "kitty(0.30.1)");
}

/// The next kitty, taken for another terminal unless by no word.
fn is_there_when_its_window_comes_back(name: &'static str, taken_for: &str) {
    if let Some(why) = terminals::missing(Terminal::NextKitty) {
        return println!("skipped: {why}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut next = RgbImage::from_pixel(400, 400, Rgb([20, 20, 20]));
    image::imageops::replace(
        &mut next,
        &RgbImage::from_pixel(200, 400, Rgb(BLUE)),
        200,
        0,
    );
    let path = folder.path().join("next.png");
    next.save(&path).expect("the image is written");
    let row = Row {
        name,
        terminal: Terminal::NextKitty,
        way: Way::Tmux,
        graphics: None,
    };
    let desk = open_as(row, taken_for, folder.path());
    wait_for_picture(&desk, 0..1000);
    desk.tmux(&["new-window", "cat"]);
    wait_for_nothing(&desk);
    desk.tmux(&["send-keys", "-t", ":0", "n"]);
    desk.wait("the next image's name", |desk| {
        let text = desk.tmux_text(":0");
        let is_there = text.contains("next.png");
        is_there.then_some(()).ok_or(text)
    });
    desk.tmux(&["last-window"]);
    wait_for_picture(&desk, 500..1000);
    leave(&desk);
}

/// tmux drops what is painted while a person reads back in the pane, and says nothing, as it does
/// while it is about to redraw all.
#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn what_was_painted_in_one_picture_while_tmux_dropped_it_is_painted_anew() {
    is_painted_anew_when_dropped("dropped_picture", "kitty(0.30.1)");
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn what_was_painted_in_many_pictures_while_tmux_dropped_it_is_painted_anew() {
    is_painted_anew_when_dropped("dropped_pictures", "ghostty 1.2.0");
}

/// tmux knows nothing of the picture, and draws its own text there. The program looks once a second
/// whether a person reads back.
#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn the_picture_is_back_in_xterm_after_reading_back_in_its_pane() {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = open(folder.path(), "read_back", Terminal::Xterm, Way::Tmux);
    wait_for_picture(&desk, 0..1000);
    desk.tmux(&["copy-mode", "-t", ":0"]);
    wait_for_nothing(&desk);
    let looked = "wait-for -S looked";
    desk.tmux(&["set-hook", "-g", "after-display-message", looked]);
    desk.tmux(&["wait-for", "looked"]);
    desk.tmux(&["send-keys", "-t", ":0", "-X", "cancel"]);
    wait_for_picture(&desk, 0..1000);
    leave(&desk);
}

/// The next kitty, taken for another terminal.
fn is_painted_anew_when_dropped(name: &'static str, taken_for: &str) {
    if let Some(why) = terminals::missing(Terminal::NextKitty) {
        return println!("skipped: {why}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let photo = folder.path().join("coffee.png");
    fs::copy("assets/coffee.png", &photo).expect("the photo can be copied");
    let row = Row {
        name,
        terminal: Terminal::NextKitty,
        way: Way::Tmux,
        graphics: None,
    };
    let program = env!("CARGO_BIN_EXE_termask");
    let line = format!("TERMASK_TERMINAL='{taken_for}' '{program}' coffee.png");
    let desk = Desk::open(row, &line, folder.path());
    let image = decode(&photo).expect("it was copied").image;
    let glass = desk.glass();
    let view = glass.fit(image.size());
    wait_for_view(&desk, &image, view);
    desk.press(&["plus", "plus"]);
    let middle = image.size().bounds().centre();
    let closer = view.zoomed(1.5, middle).zoomed(1.5, middle);
    wait_for_view(&desk, &image, closer);
    let small = glass.sized(80, 30);
    let (width, height) = small.pixels();
    desk.resize(width, height);
    wait_for_view(&desk, &image, small.keep(&closer));
    desk.tmux(&["copy-mode", "-t", ":0"]);
    let (width, height) = glass.pixels();
    desk.resize(width, height);
    desk.wait("the characters of the larger canvas", |desk| {
        let text = desk.tmux_text(":0");
        let is_full = |line: &&str| line.matches('\u{10eeee}').count() == 100;
        let rows = text.lines().filter(is_full).count();
        (rows == 37)
            .then_some(())
            .ok_or_else(|| format!("{rows} rows of them"))
    });
    desk.tmux(&["send-keys", "-t", ":0", "-X", "cancel"]);
    wait_for_view(&desk, &image, glass.keep(&small.keep(&closer)));
    leave(&desk);
}

/// Waits until a part of the photo is shown, but for the crosshair's cells.
fn wait_for_view(desk: &Desk, image: &Image, view: View) {
    let expected = Expected::new(image, view, NEAR_IN_256_COLOURS);
    desk.wait("the photo at its view", |desk| {
        let share = expected.photo_share(&desk.look());
        (share > 0.9)
            .then_some(())
            .ok_or_else(|| format!("{share} of the cells show it"))
    });
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn stopped_in_kitty_it_leaves_nothing_and_comes_back() {
    stops_and_goes_on("stopped_in_kitty", Terminal::Kitty);
}

#[test]
#[ignore = "needs real terminals: .ci/run has them"]
fn stopped_in_xterm_it_leaves_nothing_and_comes_back() {
    stops_and_goes_on("stopped_in_xterm", Terminal::Xterm);
}

/// Another window and back, beside another pane, alone in the window for a while, on the other side.
fn follows_its_pane(name: &'static str, terminal: Terminal) {
    if let Some(why) = terminals::missing(terminal) {
        return println!("skipped: {why}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let desk = open(folder.path(), name, terminal, Way::Tmux);
    wait_for_picture(&desk, 0..1000);
    desk.tmux(&["new-window", "cat"]);
    wait_for_nothing(&desk);
    desk.tmux(&["last-window"]);
    wait_for_picture(&desk, 0..1000);
    desk.tmux(&["split-window", "-hb", "cat"]);
    wait_for_picture(&desk, 510..1000);
    desk.keep("split");
    desk.tmux(&["select-pane", "-R"]);
    desk.tmux(&["resize-pane", "-Z"]);
    wait_for_picture(&desk, 0..1000);
    desk.tmux(&["resize-pane", "-Z"]);
    wait_for_picture(&desk, 510..1000);
    desk.tmux(&["swap-pane", "-U"]);
    wait_for_picture(&desk, 0..505);
    leave(&desk);
}

/// To the shell and back, then to the end.
fn stops_and_goes_on(name: &'static str, terminal: Terminal) {
    let folder = tempfile::tempdir().expect("a folder");
    let desk = open(folder.path(), name, terminal, Way::Direct);
    wait_for_picture(&desk, 0..1000);
    desk.press(&["ctrl+z"]);
    wait_for_nothing(&desk);
    desk.keep("stopped");
    fs::write(folder.path().join("go"), "").expect("the shell is told");
    wait_for_picture(&desk, 0..1000);
    leave(&desk);
}

/// Opens an image of one colour; a shell goes on with a stopped program when a file says so.
fn open(folder: &Path, name: &'static str, terminal: Terminal, way: Way) -> Desk {
    let row = Row {
        name,
        terminal,
        way,
        graphics: None,
    };
    open_as(row, "", folder)
}

fn open_as(row: Row, taken_for: &str, folder: &Path) -> Desk {
    drawn(folder, Size::new(400, 400));
    let program = env!("CARGO_BIN_EXE_termask");
    let line = format!(
        "set -m\nTERMASK_TERMINAL='{taken_for}' '{program}' .\n\
         if [ $? -gt 128 ]; then until [ -e go ]; do sleep 0.1; done; fg >/dev/null; fi"
    );
    Desk::open(row, &line, folder)
}

/// Waits until the photo is shown between two columns of pixels, in the middle there, and nowhere
/// else.
fn wait_for_picture(desk: &Desk, columns: std::ops::Range<u32>) {
    desk.wait("the photo in its place", |desk| {
        let screen = desk.look();
        let middle = u32::midpoint(columns.start, columns.end);
        let (left, right) = (middle.saturating_sub(200), middle + 200);
        let inside = blue(&screen, left..right);
        let all = blue(&screen, 0..screen.width());
        let beside = all - blue(&screen, columns.clone());
        (inside > 100_000 && beside == 0)
            .then_some(())
            .ok_or_else(|| format!("{inside} pixels of it, {beside} beside"))
    });
}

fn blue(screen: &RgbImage, columns: std::ops::Range<u32>) -> u64 {
    let width = columns.end - columns.start;
    let part = image::imageops::crop_imm(screen, columns.start, 0, width, screen.height());
    count(&part.to_image(), BLUE)
}

fn wait_for_nothing(desk: &Desk) {
    desk.wait("no picture", |desk| {
        let screen = desk.look();
        let (photo, all) = (count(&screen, BLUE), bright(&screen));
        (photo == 0 && all < FEW)
            .then_some(())
            .ok_or_else(|| format!("{photo} pixels of the photo, {all} in all"))
    });
}

fn leave(desk: &Desk) {
    desk.press(&["q"]);
    desk.wait_for_end();
    wait_for_nothing(desk);
}
