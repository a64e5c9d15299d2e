//! Which way pictures are shown, from what the terminal answered.

use std::env;

use crossterm::terminal;

pub use super::answers::Answers;
use super::answers::{self, cell_size, has_registers, version};
use super::gauge::Question;
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
    ways: Ways,
    /// Why this way of showing pictures.
    pub reason: String,
    /// The terminal's name, where it told one.
    pub name: Option<String>,
    pub cell: CellSize,
    /// Whether the size of a cell was told, or is a guess.
    pub is_cell_known: bool,
    /// The colour behind the text, where the terminal told it.
    pub background: Option<Rgb>,
    pub is_in_tmux: bool,
    /// Seconds until the terminal answered; `None` where it did not.
    pub round_trip: Option<f64>,
    /// How it is asked what has arrived.
    pub question: Question,
    /// Bytes a second that the line carries; `None` where that is too fast to tell.
    pub rate: Option<f64>,
    /// What a person could do for a better picture.
    pub advice: Vec<String>,
}

impl Report {
    /// The same terminal with the protocol that the person asked for.
    #[must_use]
    pub fn forced(self, graphics: Graphics) -> Self {
        let reason = if graphics == self.graphics {
            format!("asked for with --graphics, and {}", self.reason)
        } else {
            format!(
                "asked for with --graphics; otherwise it would be {}: {}",
                self.graphics.name(),
                self.reason
            )
        };
        Self {
            graphics,
            way: self.ways.of(graphics),
            reason,
            ..self
        }
    }
}

/// What the environment tells.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub tmux: Option<Tmux>,
    /// `TERM_PROGRAM`.
    pub program: String,
    /// What the person says that the terminal is, in its own words: `TERMASK_TERMINAL`.
    pub terminal: String,
    /// Pixels and cells of the window, as the kernel has them.
    pub window: Option<((u16, u16), (u16, u16))>,
}

impl Surroundings {
    pub fn now() -> Self {
        let window = terminal::window_size().ok();
        let window = window.filter(|w| w.width > 0 && w.columns > 0);
        Self {
            tmux: None,
            program: env::var("TERM_PROGRAM").unwrap_or_default(),
            terminal: env::var("TERMASK_TERMINAL").unwrap_or_default(),
            window: window.map(|w| ((w.width, w.height), (w.columns, w.rows))),
        }
    }
}

/// What was chosen, why, and what would be better.
struct Choice {
    graphics: Graphics,
    reason: &'static str,
    advice: Option<&'static str>,
}

impl Choice {
    const fn new(graphics: Graphics, reason: &'static str) -> Self {
        Self {
            graphics,
            reason,
            advice: None,
        }
    }

    const fn blocks(reason: &'static str, advice: &'static str) -> Self {
        Self {
            graphics: Graphics::Blocks,
            reason,
            advice: Some(advice),
        }
    }
}

/// What each protocol would make of this terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ways {
    kitty: Way,
    sixel: Way,
    iterm: Way,
}

impl Ways {
    const fn of(self, graphics: Graphics) -> Way {
        match graphics {
            Graphics::Kitty => self.kitty,
            Graphics::Sixel => self.sixel,
            Graphics::Iterm => self.iterm,
            Graphics::Blocks => Way::Direct,
        }
    }
}

/// What follows from the answers.
pub fn conclude(answers: &Answers, around: &Surroundings) -> Report {
    let plain = String::from_utf8_lossy(&answers.plain);
    let through = String::from_utf8_lossy(&answers.through);
    let told = answers::name(&plain);
    let said = around.terminal.as_str();
    let (choice, ways, name) = if let Some(tmux) = &around.tmux {
        let tmux = match said {
            "" => tmux.clone(),
            said => Tmux {
                terminal: said.into(),
                ..tmux.clone()
            },
        };
        let own = told.map_or_else(|| format!("tmux {}", tmux.version), Into::into);
        let name = match tmux.terminal.as_str() {
            "" => own,
            terminal => format!("{own} in {terminal}"),
        };
        let (choice, ways) = in_tmux(&tmux, &plain, &through);
        (choice, ways, Some(name))
    } else {
        let name = if said.is_empty() { told } else { Some(said) };
        let (choice, ways) = direct(&plain, name.unwrap_or_default(), around);
        (choice, ways, name.map(Into::into))
    };
    let (cell, is_cell_known) = cell_size(&plain, &through, around);
    Report {
        graphics: choice.graphics,
        way: ways.of(choice.graphics),
        ways,
        reason: choice.reason.into(),
        name,
        cell,
        is_cell_known,
        background: background::told(&plain),
        is_in_tmux: around.tmux.is_some(),
        round_trip: answers.round_trip,
        question: Question::Status,
        rate: None,
        advice: choice.advice.into_iter().map(Into::into).collect(),
    }
}

fn direct(plain: &str, name: &str, around: &Surroundings) -> (Choice, Ways) {
    let program = around.program.as_str();
    let is_xterm_js = name.contains("xterm.js") || program == "vscode";
    let edits = version(name, "kitty(") >= Some((0, 20));
    let ways = Ways {
        kitty: if edits { Way::Edits } else { Way::Direct },
        sixel: Way::Direct,
        iterm: Way::Direct,
    };
    (choose(plain, name, program, is_xterm_js), ways)
}

/// Where the answers leave it open, the program that the environment names decides.
fn choose(plain: &str, name: &str, program: &str, is_xterm_js: bool) -> Choice {
    if name.starts_with("iTerm2") || program == "iTerm.app" {
        return Choice::new(Graphics::Iterm, "the terminal is iTerm2");
    }
    if answers::has_kitty(plain) && !is_xterm_js {
        let reason = "the terminal answered the kitty graphics query";
        return Choice::new(Graphics::Kitty, reason);
    }
    if answers::has_sixel(plain) {
        let reason = if is_xterm_js {
            "xterm.js shows sixel, in opaque patches: it never blends pictures"
        } else {
            "the terminal's attributes name sixel"
        };
        return Choice::new(Graphics::Sixel, reason);
    }
    let has_inline = ["WezTerm", "mintty"];
    if has_inline.iter().any(|known| name.starts_with(known)) || has_inline.contains(&program) {
        let reason = "the terminal is one that shows iTerm2's inline images";
        return Choice::new(Graphics::Iterm, reason);
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

fn in_tmux(tmux: &Tmux, plain: &str, through: &str) -> (Choice, Ways) {
    let kitty = kitty_in_tmux(tmux, through);
    let knows_sixel = answers::has_sixel(plain) && !has_registers(through);
    let passed = |so| if so { Way::Passed } else { Way::Direct };
    let ways = Ways {
        // What nothing is known of may at least know the characters.
        kitty: kitty.map_or(Way::Tiles(tmux.pane), |(way, _)| way),
        sixel: passed(tmux.is_near() && !knows_sixel),
        iterm: passed(tmux.is_near()),
    };
    let taken = kitty.map(|(_, reason)| Choice::new(Graphics::Kitty, reason));
    let choice = taken.or_else(|| other_in_tmux(tmux, plain, through));
    (choice.unwrap_or_else(|| none_in_tmux(tmux, through)), ways)
}

/// How kitty's pictures get through tmux, and why so.
fn kitty_in_tmux(tmux: &Tmux, through: &str) -> Option<(Way, &'static str)> {
    let (name, pane) = (tmux.terminal.as_str(), tmux.pane);
    if !answers::has_kitty(through) || name.contains("xterm.js") {
        return None;
    }
    let relative = (
        Way::Relative(pane),
        "inside tmux, kitty answered through it and places pictures relative to one cell",
    );
    if let Some(version) = version(name, "kitty(") {
        let reason = "inside tmux, where kitty before 0.31 shows one picture in characters";
        let grid = (Way::Grid(pane), reason);
        return match version {
            (0, ..28) => None,
            (0, ..31) => Some(grid),
            _ => Some(relative),
        };
    }
    if name.to_lowercase().starts_with("ghostty") {
        let reason = "inside tmux, where Ghostty shows pictures of a few cells each in characters";
        return Some((Way::Tiles(pane), reason));
    }
    // tmux may not know who shows it.
    answers::has_relative(through).then_some(relative)
}

fn other_in_tmux(tmux: &Tmux, plain: &str, through: &str) -> Option<Choice> {
    if tmux.terminal.starts_with("iTerm2") && tmux.is_near() && !through.is_empty() {
        let reason = "inside tmux, the terminal behind it is iTerm2";
        return Some(Choice::new(Graphics::Iterm, reason));
    }
    if has_registers(through) && tmux.is_near() {
        let reason = "inside tmux, the terminal behind it shows sixel";
        return Some(Choice::new(Graphics::Sixel, reason));
    }
    let reason = "tmux itself shows sixel";
    answers::has_sixel(plain).then_some(Choice::new(Graphics::Sixel, reason))
}

/// Why there is no picture.
fn none_in_tmux(tmux: &Tmux, through: &str) -> Choice {
    if tmux.passage == Passage::Closed {
        return Choice::blocks(
            "inside tmux, which passes no pictures on",
            "let tmux pass pictures on: tmux set -g allow-passthrough on (and put that line, \
             without the first word, into ~/.tmux.conf)",
        );
    }
    if tmux.is_unused && through.is_empty() {
        return Choice::blocks(
            "another pane of tmux is in use, and gets what the terminal answers",
            "the terminal is asked again when this pane comes into use",
        );
    }
    if has_registers(through) {
        return Choice::blocks(
            "inside a tmux elsewhere, which cannot be asked where in the terminal its pane lies",
            "start tmux on this machine, or connect from outside of it",
        );
    }
    if version(&tmux.terminal, "kitty(").is_some() && answers::has_kitty(through) {
        return Choice::blocks(
            "inside tmux, where kitty before 0.28 cannot keep a picture in its pane",
            "update kitty to 0.31 or later for pictures inside tmux, or start termask outside of \
             tmux",
        );
    }
    if answers::has_kitty(through) {
        return Choice::blocks(
            "inside tmux, whose terminal does not say that it shows pictures in characters",
            "start termask outside of tmux, or use kitty 0.31 or later; --graphics kitty tries it",
        );
    }
    Choice::blocks(
        "inside tmux, and no terminal behind it named kitty graphics or sixel",
        "tmux passes pictures on with `tmux set -g allow-passthrough on`, to kitty, Ghostty, foot \
         and xterm -ti vt340",
    )
}

#[cfg(test)]
mod tests;
