//! The terminal; knows nothing of the document or the app.
//!
//! Three threads: the input is read on one, scenes become bytes on another, and one alone writes.

pub mod backend;
pub mod blocks;
pub mod input;
pub mod iterm;
pub mod kitty;
pub mod line;
pub mod painter;
pub mod palette;
pub mod photo;
pub mod probe;
pub mod screen;
pub mod sixel;

pub use input::{Event, Input};
pub use screen::{Screen, restore};

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

/// Why the terminal cannot be used. The message names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    NotATerminal(&'static str),
    #[error("the terminal: {0}")]
    Io(#[from] std::io::Error),
}

pub type Result<T> = std::result::Result<T, Error>;
