//! Terminals with few colours or few cells, and names in wide letters.

#[expect(dead_code, reason = "the benches use the rest")]
mod harness;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use harness::Terminal;
use pty_process::blocking::Command;
use tempfile::TempDir;
use vt100::Color;

const SIZE: (u16, u16) = (80, 24);
const NAME: &str = "猫の写真🐈.png";
const CLASS: &str = "果物🍎";

/// A folder with one small image of many colours, and a class.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    image::RgbImage::from_fn(160, 120, |x, y| {
        image::Rgb([x as u8, 2 * y as u8, 200 - x as u8])
    })
    .save(folder.path().join(NAME))
    .expect("written");
    let classes = format!("classes = [\"{CLASS}\"]\n");
    fs::write(folder.path().join("termask.toml"), classes).expect("written");
    folder
}

/// The program with words of the shell before it.
fn open(folder: &Path, words: &str, size: (u16, u16)) -> Terminal {
    let line = format!("{words} exec \"$0\" --graphics blocks \"$1\"");
    let command = Command::new("sh")
        .args(["-c", &line, env!("CARGO_BIN_EXE_termask")])
        .arg(folder);
    Terminal::start(command, size)
}

/// What the cells show of an object in the making.
fn draft(words: &str) -> (BTreeSet<String>, Vec<Color>) {
    let folder = folder();
    let mut terminal = open(folder.path(), words, SIZE);
    terminal.wait_for("0 objects");
    terminal.press("i");
    terminal.wait_for("draft");
    let cells = (0..SIZE.1).flat_map(|row| (0..SIZE.0).map(move |col| (row, col)));
    let cells = cells.filter_map(|(row, col)| terminal.screen().cell(row, col).cloned());
    let (symbols, colours): (BTreeSet<_>, Vec<_>) = cells
        .map(|cell| {
            (
                cell.contents().to_string(),
                [cell.fgcolor(), cell.bgcolor()],
            )
        })
        .unzip();
    terminal.press("q");
    assert!(terminal.end().success());
    assert!(terminal.is_clean());
    (symbols, colours.concat())
}

#[test]
fn without_colours_the_picture_is_in_shades_and_nothing_has_a_colour() {
    let (symbols, colours) = draft("NO_COLOR=1");
    let shades = ["░", "▒", "▓"].iter().filter(|s| symbols.contains(**s));
    assert_eq!(shades.count(), 3, "{symbols:?}");
    assert!(colours.iter().all(|c| *c == Color::Default));
}

#[test]
fn a_terminal_of_sixteen_colours_gets_no_others_and_no_quadrants() {
    for term in ["linux", "screen"] {
        let (symbols, colours) = draft(&format!("COLORTERM= TERM={term}"));
        assert!(
            symbols.contains("▀") && !symbols.contains("▚"),
            "{symbols:?}"
        );
        let is_other = |c: &&Color| !matches!(c, Color::Default | Color::Idx(..16));
        assert_eq!(colours.iter().find(is_other), None, "{term}");
        let used = colours.iter().filter(|c| **c != Color::Default).count();
        assert!(used > 500, "{used} colours of cells");
    }
}

#[test]
fn a_terminal_of_256_colours_gets_no_others() {
    let (_, colours) = draft("COLORTERM=");
    let is_other = |c: &&Color| matches!(c, Color::Rgb(..));
    assert_eq!(colours.iter().find(is_other), None);
    let used = colours.iter().filter(|c| matches!(c, Color::Idx(16..)));
    assert!(used.count() > 500);
}

fn rows(terminal: &Terminal) -> Vec<String> {
    let rows = terminal.screen().rows(0, SIZE.0);
    rows.map(|row| row.trim_end().to_string()).collect()
}

#[test]
fn names_in_wide_letters_are_whole_and_leave_nothing_behind() {
    let folder = folder();
    let mut terminal = open(folder.path(), "", SIZE);
    terminal.wait_for(NAME);
    terminal.wait_for(CLASS);
    terminal.settle();
    let before = rows(&terminal);
    for keys in ["?", "\x1b"] {
        terminal.press(keys);
        terminal.settle();
    }
    assert_eq!(rows(&terminal), before);
    for cols in [9, 10, 15, 24] {
        terminal.resize(cols, 8);
        terminal.wait_for("猫");
    }
    terminal.resize(SIZE.0, SIZE.1);
    terminal.settle();
    assert_eq!(rows(&terminal), before);
    terminal.press("q");
    assert!(terminal.end().success());
}

#[test]
fn in_any_few_cells_it_runs_and_comes_back_when_there_is_room() {
    let folder = folder();
    let mut terminal = open(folder.path(), "", SIZE);
    terminal.wait_for("0 objects");
    for (cols, rows) in [(1, 1), (2, 40), (200, 1), (7, 3), (3, 2)] {
        terminal.resize(cols, rows);
        terminal.press("l?\x1b");
        terminal.settle();
    }
    terminal.press("i");
    terminal.resize(SIZE.0, SIZE.1);
    terminal.wait_for("draft");
    terminal.wait_for(NAME);
    terminal.press("q");
    assert!(terminal.end().success());
    assert!(terminal.is_clean());
}
