//! The terminal; knows nothing of the document or the app.

use std::sync::Arc;

use crate::core::geometry::{CellSize, Size};
use crate::core::scene::Scene;

/// How pictures get on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graphics {
    Kitty,
    Sixel,
    Iterm,
    Blocks,
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

/// The terminal's output: cells through ratatui, pictures through [`Screen::show`]. Neither waits
/// for the line. Dropping it restores the terminal.
#[derive(Debug)]
pub struct Screen {}

/// The terminal's input: keys, mouse, paste, focus, resize, in crossterm's types.
#[derive(Debug)]
pub struct Input {}

impl Screen {
    /// Asks the terminal what it can do, and takes it over.
    pub fn open(choice: Option<Graphics>) -> Result<(Self, Input)> {
        todo!("{choice:?}")
    }

    pub fn graphics(&self) -> Graphics {
        todo!()
    }

    /// Size of a cell in pixels, as the terminal says.
    pub fn cell_size(&self) -> CellSize {
        todo!()
    }

    /// The terminal's size in cells.
    pub fn size(&self) -> Size {
        todo!()
    }

    /// Draws cells. Nothing is drawn, and false returned, while the last frame has not left yet;
    /// an [`Event::Ready`] tells when to draw again.
    pub fn draw(&mut self, view: impl FnOnce(&mut ratatui::Frame)) -> Result<bool> {
        let _ = view;
        todo!()
    }

    /// The scene to show from now on; `None` hides the picture. The latest wins.
    pub fn show(&mut self, scene: Option<Arc<Scene>>) {
        drop(scene);
    }

    /// Gives the terminal back to the shell, stops the process (SIGTSTP), and takes it over again
    /// when it goes on.
    pub fn suspend(&mut self) -> Result<()> {
        todo!()
    }
}

/// What comes from the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Input(crossterm::event::Event),
    /// The line can take a frame again.
    Ready,
    /// Asked to end: SIGTERM, SIGHUP, or the terminal is gone.
    Hangup,
    /// Asked to stop (Ctrl-Z of another process, SIGTSTP).
    Suspend,
    /// Pictures cannot be shown as wished: what the person should know.
    Notice(String),
}

impl Input {
    /// Waits for the next event; `None` when the terminal is gone.
    pub fn wait(&mut self) -> Option<Event> {
        todo!()
    }
}
