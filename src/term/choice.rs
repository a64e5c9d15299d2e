//! Which way pictures are shown, from what the terminal answered.

use std::env;

use crossterm::terminal;

use super::tmux::{Passage, Tmux};
use super::{Graphics, Way, background};
use crate::core::geometry::CellSize;
use crate::core::scene::Rgb;

/// What the terminal said, and what follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub graphics: Graphics,
    /// How they get there.
    pub way: Way,
    /// Why this way of showing pictures.
    pub reason: String,
    /// The terminal's name, where it told one.
    pub name: Option<String>,
    pub cell: CellSize,
    /// Whether the size of a cell was told, or is a guess.
    pub is_cell_known: bool,
    /// The colour behind the text, where the terminal told it.
    pub background: Option<Rgb>,
    /// The number of the pane, inside tmux.
    pub pane: Option<u8>,
    /// Seconds until the terminal answered; `None` where it did not.
    pub round_trip: Option<f64>,
    /// Bytes a second that the line carries; `None` where that is too fast to tell.
    pub rate: Option<f64>,
    /// What a person could do for a better picture.
    pub advice: Vec<String>,
}

impl Report {
    /// The same terminal with the protocol that the person asked for.
    #[must_use]
    pub fn forced(self, graphics: Graphics) -> Self {
        let way = match (graphics, self.pane) {
            _ if graphics == self.graphics => self.way,
            (Graphics::Kitty, Some(pane)) => Way::Relative(pane),
            (Graphics::Sixel, Some(_)) => Way::Passed,
            _ => Way::Direct,
        };
        Self {
            graphics,
            way,
            reason: "asked for with --graphics".into(),
            ..self
        }
    }
}

/// The answers, as bytes.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Of the terminal, or of tmux where it runs there.
    pub plain: Vec<u8>,
    /// Of the terminal behind tmux.
    pub through: Vec<u8>,
    /// Seconds until they came.
    pub round_trip: Option<f64>,
}

/// What the environment tells.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub tmux: Option<Tmux>,
    pub term_program: String,
    /// Pixels and cells of the window, as the kernel has them.
    pub window: Option<((u16, u16), (u16, u16))>,
}

impl Surroundings {
    pub fn now() -> Self {
        let window = terminal::window_size().ok();
        let window = window.filter(|w| w.width > 0 && w.columns > 0);
        Self {
            tmux: None,
            term_program: env::var("TERM_PROGRAM").unwrap_or_default(),
            window: window.map(|w| ((w.width, w.height), (w.columns, w.rows))),
        }
    }
}

/// What was chosen, why, and what would be better.
struct Choice {
    graphics: Graphics,
    way: Way,
    reason: &'static str,
    advice: Option<&'static str>,
}

impl Choice {
    const fn new(graphics: Graphics, way: Way, reason: &'static str) -> Self {
        Self {
            graphics,
            way,
            reason,
            advice: None,
        }
    }

    const fn blocks(reason: &'static str, advice: &'static str) -> Self {
        Self {
            graphics: Graphics::Blocks,
            way: Way::Direct,
            reason,
            advice: Some(advice),
        }
    }
}

/// What follows from the answers.
pub fn conclude(answers: &Answers, around: &Surroundings) -> Report {
    let plain = String::from_utf8_lossy(&answers.plain);
    let through = String::from_utf8_lossy(&answers.through);
    let name = plain
        .split_once("\x1bP>|")
        .and_then(|(_, rest)| rest.split_once('\x1b'))
        .map(|(name, _)| name.to_string());
    let choice = match &around.tmux {
        Some(tmux) => in_tmux(tmux, &plain, &through),
        None => direct(&plain, name.as_deref().unwrap_or_default(), around),
    };
    let (cell, is_cell_known) = cell_size(&plain, &through, around);
    Report {
        graphics: choice.graphics,
        way: choice.way,
        reason: choice.reason.into(),
        name: match &around.tmux {
            Some(tmux) if !tmux.terminal.is_empty() => Some(format!(
                "{} in {}",
                name.unwrap_or_else(|| format!("tmux {}", tmux.version)),
                tmux.terminal
            )),
            _ => name,
        },
        cell,
        is_cell_known,
        background: background::told(&plain),
        pane: around.tmux.as_ref().map(|tmux| tmux.pane),
        round_trip: answers.round_trip,
        rate: None,
        advice: choice.advice.into_iter().map(Into::into).collect(),
    }
}

fn direct(plain: &str, name: &str, around: &Surroundings) -> Choice {
    let has_sixel = attributes(plain).is_some_and(|a| a.contains(&4));
    let is_xterm_js = name.contains("xterm.js") || around.term_program == "vscode";
    let program = around.term_program.as_str();
    let speaks_iterm = name.starts_with("iTerm2") || program == "iTerm.app";
    if plain.contains("\x1b_Gi=31;OK") && !is_xterm_js {
        let way = if version(name, "kitty(") >= Some((0, 20)) {
            Way::Edits
        } else {
            Way::Direct
        };
        let reason = "the terminal answered the kitty graphics query";
        return Choice::new(Graphics::Kitty, way, reason);
    }
    if has_sixel {
        let (way, reason) = if is_xterm_js {
            let reason = "xterm.js shows sixel, in opaque patches: it never blends pictures";
            (Way::Opaque, reason)
        } else {
            (Way::Direct, "the terminal's attributes name sixel")
        };
        return Choice::new(Graphics::Sixel, way, reason);
    }
    if speaks_iterm {
        return Choice::new(Graphics::Iterm, Way::Direct, "the terminal is iTerm2");
    }
    let advice = if is_xterm_js {
        "in VS Code turn on terminal.integrated.enableImages and terminal.integrated.gpuAcceleration"
    } else {
        "kitty, Ghostty, WezTerm, foot, Konsole and xterm -ti vt340 show real pictures"
    };
    let reason = if plain.is_empty() {
        "the terminal answered nothing"
    } else {
        "the terminal answered, and named neither kitty graphics nor sixel"
    };
    Choice::blocks(reason, advice)
}

fn in_tmux(tmux: &Tmux, plain: &str, through: &str) -> Choice {
    let name = tmux.terminal.as_str();
    if through.contains("\x1b_Gi=31;OK") && !name.contains("xterm.js") {
        return match version(name, "kitty(") {
            Some(at) if at >= (0, 31) => Choice::new(
                Graphics::Kitty,
                Way::Relative(tmux.pane),
                "inside tmux, kitty answered through it and places pictures relative to one cell",
            ),
            Some(_) => Choice::blocks(
                "inside tmux, where kitty before 0.31 cannot keep a picture in its pane",
                "update kitty to 0.31 or later for pictures inside tmux, or start termask outside \
                 of tmux",
            ),
            None => Choice::blocks(
                "inside tmux, whose terminal cannot place pictures relative to a character",
                "start termask outside of tmux, or use kitty 0.31 or later",
            ),
        };
    }
    if has_registers(through) {
        let reason = "inside tmux, the terminal behind it shows sixel";
        return Choice::new(Graphics::Sixel, Way::Passed, reason);
    }
    if attributes(plain).is_some_and(|a| a.contains(&4)) {
        let reason = "tmux itself shows sixel";
        return Choice::new(Graphics::Sixel, Way::Direct, reason);
    }
    if tmux.passage == Passage::Closed {
        return Choice::blocks(
            "inside tmux, which passes no pictures on",
            "let tmux pass pictures on: tmux set -g allow-passthrough on (and put that line, \
             without the first word, into ~/.tmux.conf)",
        );
    }
    Choice::blocks(
        "inside tmux, and no terminal behind it named kitty graphics or sixel",
        "tmux passes pictures on with `tmux set -g allow-passthrough on`, to kitty 0.31 or later, \
         foot and xterm -ti vt340",
    )
}

/// Whether the terminal told how many colours its sixel pictures have: `ESC [ ? 1 ; 0 ; n S`.
fn has_registers(text: &str) -> bool {
    text.contains("\x1b[?1;0;")
}

fn attributes(text: &str) -> Option<Vec<u32>> {
    let mut found = text.split("\x1b[?").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| c != ';' && !c.is_ascii_digit())?;
        rest[end..].starts_with('c').then_some(&rest[..end])
    });
    let numbers = found.next()?;
    numbers.split(';').map(|n| n.parse().ok()).collect()
}

/// Major and minor version in a name such as `kitty(0.35.2)`.
fn version(name: &str, prefix: &str) -> Option<(u32, u32)> {
    let mut numbers = name.strip_prefix(prefix)?.split('.');
    let mut next = || {
        let digits = numbers.next()?;
        let end = digits.find(|c: char| !c.is_ascii_digit());
        digits[..end.unwrap_or(digits.len())].parse().ok()
    };
    Some((next()?, next()?))
}

/// From `ESC [ 6 ; height ; width t`, else from the window's pixels. xterm.js has cells of broken
/// pixels, which only the size of the whole text tells.
fn cell_size(plain: &str, through: &str, around: &Surroundings) -> (CellSize, bool) {
    let report = |text: &str, kind: &str| {
        let rest = text.split(kind).nth(1)?;
        let (height, width) = rest.split_once('t')?.0.split_once(';')?;
        Some((width.parse::<f64>().ok()?, height.parse::<f64>().ok()?))
    };
    let per_cell = |(w, h): (f64, f64)| {
        let (_, (cols, rows)) = around.window?;
        Some((w / f64::from(cols.max(1)), h / f64::from(rows.max(1))))
    };
    let told = |text: &str| {
        let cell = report(text, "\x1b[6;")?;
        let exact = report(text, "\x1b[4;").and_then(per_cell);
        let is_broken = |v: &(f64, f64)| {
            (v.0 - cell.0).abs() < 1.0 && (v.1 - cell.1).abs() < 1.0 && text.contains("xterm.js")
        };
        Some(exact.filter(is_broken).unwrap_or(cell))
    };
    let window = around
        .window
        .and_then(|((w, h), _)| per_cell((w.into(), h.into())));
    let found = told(plain).or_else(|| told(through)).or(window);
    match found.filter(|(w, h)| *w >= 2.0 && *h >= 2.0) {
        Some((width, height)) => (CellSize { width, height }, true),
        None => (CellSize::default(), false),
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            (report.graphics, report.way),
            (Graphics::Sixel, Way::Opaque)
        );
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
        for other in ["kitty(0.26.5)", "ghostty 1.1.0"] {
            let report = taken(other);
            assert_eq!(report.graphics, Graphics::Blocks);
            assert!(report.advice[0].contains("outside of tmux"));
        }
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
}
