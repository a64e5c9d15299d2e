//! Ratatui's way to the line: cells become bytes of one frame, and clearing never deletes pictures.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

/// Bytes that are gathered until the frame is whole.
#[derive(Debug, Clone, Default)]
pub struct Frame(Arc<Mutex<Vec<u8>>>);

impl Frame {
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Frame {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut frame = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Crossterm's backend into a frame.
#[derive(Debug)]
pub struct LineBackend {
    inner: CrosstermBackend<Frame>,
    frame: Frame,
}

impl LineBackend {
    pub fn new(frame: Frame) -> Self {
        Self {
            inner: CrosstermBackend::new(frame.clone()),
            frame,
        }
    }
}

impl Backend for LineBackend {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        // Crossterm's backend resets the colours even where no cell has changed: such a frame would
        // cost bytes on every key.
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.inner.draw(content)
    }

    /// The screen hides it once, when it takes the terminal over.
    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Never asked of the terminal: its answer would come in between the keys.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    /// Row by row: kitty takes "clear all" as an order to forget the pictures too.
    fn clear(&mut self) -> io::Result<()> {
        let rows = self.inner.size()?.height;
        write!(self.frame, "\x1b[0m")?;
        for row in 1..=rows {
            write!(self.frame, "\x1b[{row};1H\x1b[2K")?;
        }
        Ok(())
    }

    fn clear_region(&mut self, kind: ClearType) -> io::Result<()> {
        match kind {
            ClearType::All => self.clear(),
            other => self.inner.clear_region(other),
        }
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
