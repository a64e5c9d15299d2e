//! Asks the terminal what it can do, in one round trip: the kitty query, its name, the size of a
//! cell, and its attributes as the end mark, which every terminal answers.

use std::env;
use std::io::Write;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crossterm::terminal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::core::geometry::CellSize;
use crate::term::{Graphics, Result};

/// How long an answer is waited for: a far line takes some hundred milliseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the terminal said, and what follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub graphics: Graphics,
    /// Why this way of showing pictures.
    pub reason: String,
    /// The terminal's name, where it told one.
    pub name: Option<String>,
    pub cell: CellSize,
    /// Whether the size of a cell was told, or is a guess.
    pub is_cell_known: bool,
    pub in_tmux: bool,
    /// What a person could do for a better picture.
    pub advice: Vec<String>,
}

/// The answers, as bytes.
const QUERY: &[u8] = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>0q\x1b[16t\x1b[14t\x1b[c";

/// Asks; in raw mode only while it waits.
pub fn probe() -> Result<Report> {
    let was_raw = terminal::is_raw_mode_enabled()?;
    if !was_raw {
        terminal::enable_raw_mode()?;
    }
    let answer = ask();
    if !was_raw {
        terminal::disable_raw_mode()?;
    }
    Ok(conclude(&answer?, &Surroundings::now()))
}

fn ask() -> std::io::Result<Vec<u8>> {
    let mut out = std::io::stdout();
    out.write_all(QUERY)?;
    out.flush()?;
    let stdin = std::io::stdin();
    let mut answer = Vec::new();
    let start = Instant::now();
    while !has_attributes(&answer) {
        let Some(left) = PATIENCE.checked_sub(start.elapsed()) else {
            break;
        };
        let wait = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        if poll(&mut ready, Some(&wait))? == 0 {
            break;
        }
        let mut chunk = [0; 1024];
        match rustix::io::read(stdin.as_fd(), &mut chunk)? {
            0 => break,
            n => answer.extend_from_slice(&chunk[..n]),
        }
    }
    Ok(answer)
}

/// Whether the end mark has come: `ESC [ ? … c`.
fn has_attributes(answer: &[u8]) -> bool {
    attributes(answer).is_some()
}

fn attributes(answer: &[u8]) -> Option<Vec<u32>> {
    let text = String::from_utf8_lossy(answer);
    let (_, rest) = text.split_once("\x1b[?")?;
    let (numbers, _) = rest.split_once('c')?;
    numbers.split(';').map(|n| n.parse().ok()).collect()
}

/// What the environment tells.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub in_tmux: bool,
    pub term_program: String,
    /// Pixels and cells of the window, as the kernel has them.
    pub window: Option<((u16, u16), (u16, u16))>,
}

impl Surroundings {
    fn now() -> Self {
        let window = terminal::window_size().ok();
        let window = window.filter(|w| w.width > 0 && w.columns > 0);
        Self {
            in_tmux: env::var_os("TMUX").is_some(),
            term_program: env::var("TERM_PROGRAM").unwrap_or_default(),
            window: window.map(|w| ((w.width, w.height), (w.columns, w.rows))),
        }
    }
}

/// What follows from the answers.
pub fn conclude(answer: &[u8], around: &Surroundings) -> Report {
    let text = String::from_utf8_lossy(answer);
    let name = text
        .split_once("\x1bP>|")
        .and_then(|(_, rest)| rest.split_once('\x1b'))
        .map(|(name, _)| name.to_string());
    let is_kitty = text.contains("\x1b_Gi=31;OK");
    let has_sixel = attributes(answer).is_some_and(|a| a.contains(&4));
    let known = name.clone().unwrap_or_default();
    let is_xterm_js = known.contains("xterm.js") || around.term_program == "vscode";
    let speaks_iterm = known.starts_with("iTerm2") || around.term_program == "iTerm.app";
    let (cell, is_cell_known) = cell_size(&text, around);
    let mut advice = Vec::new();
    let (graphics, reason) = if around.in_tmux && !has_sixel {
        advice.push(
            "tmux hides the pictures of the terminal it runs in: start termask outside of tmux, \
             or use a tmux built with sixel in a terminal that shows sixel"
                .into(),
        );
        (Graphics::Blocks, "inside tmux, which passes no pictures on")
    } else if is_kitty && !is_xterm_js && !around.in_tmux {
        (
            Graphics::Kitty,
            "the terminal answered the kitty graphics query",
        )
    } else if has_sixel {
        (Graphics::Sixel, "the terminal's attributes name sixel")
    } else if speaks_iterm {
        (Graphics::Iterm, "the terminal is iTerm2")
    } else if answer.is_empty() {
        (Graphics::Blocks, "the terminal answered nothing")
    } else {
        (
            Graphics::Blocks,
            "the terminal answered, and named neither kitty graphics nor sixel",
        )
    };
    if graphics == Graphics::Blocks && is_xterm_js {
        advice.push(
            "in VS Code turn on terminal.integrated.enableImages and terminal.integrated.gpuAcceleration"
                .into(),
        );
    }
    if graphics == Graphics::Blocks && advice.is_empty() {
        advice.push(
            "kitty, Ghostty, WezTerm, foot, Konsole and xterm -ti vt340 show real pictures".into(),
        );
    }
    Report {
        graphics,
        reason: reason.into(),
        name,
        cell,
        is_cell_known,
        in_tmux: around.in_tmux,
        advice,
    }
}

/// From `ESC [ 6 ; height ; width t`, else from the window's pixels.
fn cell_size(text: &str, around: &Surroundings) -> (CellSize, bool) {
    let told = text.split("\x1b[6;").nth(1).and_then(|rest| {
        let (numbers, _) = rest.split_once('t')?;
        let (height, width) = numbers.split_once(';')?;
        Some((width.parse::<f64>().ok()?, height.parse::<f64>().ok()?))
    });
    let from_window = around.window.map(|((w, h), (cols, rows))| {
        (
            f64::from(w) / f64::from(cols.max(1)),
            f64::from(h) / f64::from(rows.max(1)),
        )
    });
    match told.or(from_window).filter(|(w, h)| *w >= 2.0 && *h >= 2.0) {
        Some((width, height)) => (CellSize { width, height }, true),
        None => (CellSize::default(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kitty_is_taken_where_its_query_is_answered() {
        let answer =
            b"\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.35.2)\x1b\\\x1b[6;20;10t\x1b[4;800;1000t\x1b[?62;c";
        let report = conclude(answer, &Surroundings::default());
        assert_eq!(report.graphics, Graphics::Kitty);
        assert_eq!(report.name.as_deref(), Some("kitty(0.35.2)"));
        assert_eq!(
            report.cell,
            CellSize {
                width: 10.0,
                height: 20.0
            }
        );
    }

    #[test]
    fn sixel_is_read_from_the_attributes() {
        let report = conclude(b"\x1b[?63;1;2;4;6c", &Surroundings::default());
        assert_eq!(report.graphics, Graphics::Sixel);
        assert!(!report.is_cell_known);
    }

    #[test]
    fn xterm_js_gets_sixel_though_it_answers_the_kitty_query() {
        let answer = b"\x1b_Gi=31;OK\x1b\\\x1bP>|xterm.js(6.1.0)\x1b\\\x1b[?62;4;9;22c";
        assert_eq!(
            conclude(answer, &Surroundings::default()).graphics,
            Graphics::Sixel
        );
    }

    #[test]
    fn a_terminal_that_answers_nothing_gets_blocks_and_advice() {
        let report = conclude(b"", &Surroundings::default());
        assert_eq!(report.graphics, Graphics::Blocks);
        assert!(!report.advice.is_empty());
    }

    #[test]
    fn tmux_gets_blocks_and_is_told_why() {
        let around = Surroundings {
            in_tmux: true,
            ..Surroundings::default()
        };
        let report = conclude(b"\x1b[?1;2c", &around);
        assert_eq!(report.graphics, Graphics::Blocks);
        assert!(report.advice[0].contains("tmux"));
    }
}
