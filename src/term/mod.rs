//! The terminal; knows nothing of the document or the app.
//!
//! Three threads: the input is read on one, scenes become bytes on another, and one alone writes.

mod answers;
pub mod backend;
mod background;
pub mod blocks;
mod burst;
pub mod choice;
mod easel;
mod echo;
mod gauge;
pub mod input;
pub mod iterm;
pub mod keys;
pub mod kitty;
pub mod line;
pub mod pace;
pub mod painter;
pub mod palette;
pub mod patches;
pub mod photo;
pub mod png;
pub mod probe;
mod registers;
pub mod report;
pub mod screen;
pub mod sixel;
mod takeover;
#[cfg(test)]
mod tests;
pub mod tmux;
mod watch;

pub use choice::Report;
pub use input::{Event, Input};
pub use screen::Screen;
pub use takeover::restore;

/// How pictures get on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graphics {
    Kitty,
    Sixel,
    Iterm,
    Blocks,
}

impl Graphics {
    pub const ALL: [Self; 4] = [Self::Kitty, Self::Sixel, Self::Iterm, Self::Blocks];

    /// The word in options and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kitty => "kitty",
            Self::Sixel => "sixel",
            Self::Iterm => "iterm",
            Self::Blocks => "blocks",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.name() == name)
    }
}

/// Whether a terminal keeps pictures apart, anywhere on its screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layers {
    /// The canvas is one picture, and there is no other.
    None,
    Many,
}

/// What a terminal makes of a protocol, beyond what all do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// Whole pictures, placed at cells.
    #[default]
    Direct,
    /// Kitty itself: parts of a picture can be replaced.
    Edits,
    /// Through tmux to kitty: everything is placed relative to one cell that tmux moves. The pane's
    /// number keeps its pictures apart from those of other panes.
    Relative(u8),
    /// Through tmux to kitty before 0.31: one picture in characters, its parts replaced.
    Grid(u8),
    /// Through tmux to a terminal that replaces whole pictures alone: many of them, in characters.
    Tiles(u8),
    /// Sixel and inline images through tmux, which knows nothing of them.
    Passed,
}

impl Way {
    /// The pane whose pictures go through tmux and are kept apart from those of other panes.
    pub const fn pane(self) -> Option<u8> {
        match self {
            Self::Relative(pane) | Self::Grid(pane) | Self::Tiles(pane) => Some(pane),
            Self::Direct | Self::Edits | Self::Passed => None,
        }
    }

    /// Column and row of the program's first cell on the terminal, for what is placed there by
    /// number. `None` where tmux shows another window: nothing may be drawn into that.
    fn corner(self) -> Option<(u16, u16)> {
        match self {
            Self::Passed => tmux::place(),
            _ => Some((0, 0)),
        }
    }

    /// A patch as it is sent.
    fn sent(self, patch: line::Command) -> line::Command {
        match self {
            Self::Passed => tmux::wrap(&patch),
            _ => patch,
        }
    }
}

/// Why the terminal cannot be used. The message names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    NotATerminal(&'static str),
    #[error("the terminal: {0}")]
    Io(#[from] std::io::Error),
}

pub type Result<T> = std::result::Result<T, Error>;
