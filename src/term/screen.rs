//! The terminal's output: cells through ratatui, pictures through [`Screen::show`]. Neither waits
//! for the line. Dropping the screen restores the terminal.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Instant;

use crossterm::terminal;
use ratatui::Terminal;

use super::backend::{Frame, LineBackend};
use super::blocks::{Blocks, Depth};
use super::easel::Easel;
use super::echo;
use super::gauge::{Gauge, Question};
use super::input::{Event, Input};
use super::iterm::Iterm;
use super::kitty::{self, Grid, Kitty};
use super::line::Line;
use super::pace::Speed;
use super::painter::Painter;
use super::probe::{self, Probed};
use super::sixel::Sixel;
use super::takeover::{part_with, restore, restore_on_panic, take_over};
use super::watch;
use super::{Error, Graphics, Layers, Report, Result, Way};
use crate::core::geometry::{CellSize, Size};
use crate::core::scene::{Rgb, Scene};

/// The terminal, taken over.
pub struct Screen {
    terminal: Terminal<LineBackend>,
    frame: Frame,
    line: Line,
    writer: Option<JoinHandle<()>>,
    easel: Option<Easel>,
    blocks: Blocks,
    depth: Depth,
    scene: Option<Arc<Scene>>,
    /// The scene waits for the frame that clears its cells.
    is_held: bool,
    /// The protocol that the person asked for.
    choice: Option<Graphics>,
    report: Report,
}

impl Screen {
    /// Asks the terminal what it can do, and takes it over.
    pub fn open(choice: Option<Graphics>) -> Result<(Self, Input)> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(Error::NotATerminal(
                "the app needs a terminal for both input and output; without one use `termask segment`, `termask show` or another subcommand (`termask --help`)",
            ));
        }
        restore_on_panic();
        // Nothing that is typed from here on may be echoed or wait for the end of a line.
        terminal::enable_raw_mode()?;
        let Probed {
            mut report,
            answers,
            typed,
            is_unused,
        } = probe::ask().inspect_err(|_| {
            let _ = terminal::disable_raw_mode();
        })?;
        if let Some(graphics) = choice {
            report = report.forced(graphics);
        }
        take_over(farewell(&report))?;
        let (events, received) = mpsc::channel();
        let ready = events.clone();
        let round_trip = report.round_trip.filter(|_| !is_console());
        let gauge = round_trip
            .map(|seconds| Gauge::new(report.question, seconds, report.rate, Instant::now()));
        let (line, writer) = Line::start(io::stdout(), gauge, move || {
            let _ = ready.send(Event::Ready);
        });
        let (hear, heard) = mpsc::channel();
        let input = Input::start(received, &events, typed, hear, line.clone())?;
        if report.is_in_tmux {
            watch::start(answers, is_unused, heard, line.clone(), events.clone());
        }
        if choice.is_none() {
            announce(&report, &events);
        }
        let easel =
            painter(report.graphics, report.way).map(|painter| Easel::start(painter, line.clone()));
        let frame = Frame::default();
        let terminal = Terminal::new(LineBackend::new(frame.clone()))?;
        let screen = Self {
            terminal,
            frame,
            line,
            writer: Some(writer),
            easel,
            blocks: Blocks::default(),
            depth: Depth::of_environment(),
            scene: None,
            is_held: false,
            choice,
            report,
        };
        Ok((screen, input))
    }

    /// What the terminal can have beside the canvas and above each other.
    pub const fn layers(&self) -> Layers {
        match (self.report.graphics, self.report.way) {
            (Graphics::Kitty, Way::Direct | Way::Edits | Way::Relative(_)) => Layers::Many,
            _ => Layers::None,
        }
    }

    /// The colour behind the text, where the terminal told it.
    pub const fn background(&self) -> Option<Rgb> {
        self.report.background
    }

    /// What the line to the terminal carries, as far as it was measured.
    pub fn speed(&self) -> Speed {
        self.line.speed()
    }

    /// Size of a cell in pixels; asked anew, because a person may change the font.
    pub fn cell_size(&self) -> CellSize {
        let now = terminal::window_size()
            .ok()
            .filter(|w| w.width > 0 && w.columns > 0);
        let window = now.map(|w| CellSize {
            width: f64::from(w.width) / f64::from(w.columns),
            height: f64::from(w.height) / f64::from(w.rows.max(1)),
        });
        let told = self.report.cell;
        // The window's pixels are rounded or padded on some terminals: what was told counts as
        // long as the two agree.
        let agrees = |w: &CellSize| {
            (w.width - told.width).abs() < 1.0 && (w.height - told.height).abs() < 1.0
        };
        window.filter(|w| !agrees(w)).unwrap_or(told)
    }

    /// The terminal's size in cells.
    pub fn size(&self) -> Size {
        let (cols, rows) = terminal::size().unwrap_or((80, 24));
        Size::new(u32::from(cols.max(1)), u32::from(rows.max(1)))
    }

    /// Draws cells. Nothing is drawn, and false returned, while the last frame has not left yet;
    /// an [`Event::Ready`] tells when to draw again.
    pub fn draw(&mut self, view: impl FnOnce(&mut ratatui::Frame)) -> Result<bool> {
        if !self.line.takes_cells() {
            return Ok(false);
        }
        let scene = self.scene.clone();
        let speed = self.line.speed();
        let (blocks, has_painter) = (&mut self.blocks, self.easel.is_some());
        let depth = if has_painter {
            self.depth.beside_pictures()
        } else {
            self.depth
        };
        self.terminal.draw(|frame| {
            view(frame);
            depth.lessen(frame.buffer_mut());
            let Some(scene) = &scene else { return };
            if !has_painter {
                blocks.draw(scene, depth, speed, frame.buffer_mut());
                return;
            }
            // Text written over a picture's cells would erase it.
            let cells = scene.view.canvas;
            for row in cells.row..cells.row + cells.rows {
                for col in cells.col..cells.col + cells.cols {
                    if let Some(cell) = frame.buffer_mut().cell_mut((col, row)) {
                        cell.set_diff_option(ratatui::buffer::CellDiffOption::Skip);
                    }
                }
            }
        })?;
        let bytes = self.frame.take();
        if !bytes.is_empty() {
            self.line.cells(synchronized(bytes));
        }
        if std::mem::take(&mut self.is_held)
            && let Some(easel) = &self.easel
        {
            easel.put(self.scene.clone());
        }
        Ok(true)
    }

    /// The scene to show from now on; `None` hides the picture. The latest wins.
    pub fn show(&mut self, scene: Option<Arc<Scene>>) -> Result<()> {
        let changes = self.scene.is_some() != scene.is_some();
        let resized = match (&self.scene, &scene) {
            (Some(a), Some(b)) => a.view.canvas != b.view.canvas,
            _ => false,
        };
        self.scene = scene;
        let Some(easel) = &self.easel else {
            return Ok(());
        };
        if changes || resized {
            // Text and picture change places: everything is written once more, and the picture
            // after it.
            self.terminal.clear()?;
            self.is_held = true;
            if matches!(self.report.graphics, Graphics::Sixel | Graphics::Iterm) {
                easel.clear();
            }
        }
        self.put_unless_held(easel);
        Ok(())
    }

    /// What something else may have drawn over is drawn again: tmux knows nothing of the sixel that
    /// it passes on, and clears it when it shows another window.
    pub fn repaint(&self) {
        if self.report.way == Way::Passed {
            self.paint_anew();
        }
    }

    /// Where the pane lies elsewhere, all that is drawn at a place of the terminal is drawn once
    /// more.
    pub fn repaint_moved(&self) {
        if self.report.way == Way::Passed
            && let Some(easel) = &self.easel
        {
            easel.begin_anew_displaced();
            self.put_unless_held(easel);
        }
    }

    /// What was painted while tmux redrew all for another size, it may have dropped: where nothing
    /// counts what came, all is painted once more.
    pub fn repaint_resized(&self) {
        match self.report.way {
            Way::Passed => self.repaint_moved(),
            Way::Tiles(_) => self.paint_anew(),
            _ => {}
        }
    }

    /// Asks the terminal whether it has all pictures.
    pub fn prove(&self) {
        if let Some(easel) = &self.easel {
            easel.prove();
        }
    }

    /// Some pictures did not get through: all are painted anew.
    pub fn paint_anew(&self) {
        if let Some(easel) = &self.easel {
            easel.begin_anew();
            self.put_unless_held(easel);
        }
    }

    fn put_unless_held(&self, easel: &Easel) {
        if !self.is_held {
            easel.put(self.scene.clone());
        }
    }

    /// Another terminal shows the program from now on: all is drawn there anew, in its way.
    pub fn go_elsewhere(&mut self, report: Report) -> Result<()> {
        self.report = match self.choice {
            Some(graphics) => report.forced(graphics),
            None => report,
        };
        if let Some(easel) = self.easel.take() {
            easel.stop();
        }
        self.line.hold(|| part_with(farewell(&self.report)));
        let painter = painter(self.report.graphics, self.report.way);
        self.easel = painter.map(|painter| Easel::start(painter, self.line.clone()));
        self.scene = None;
        self.terminal.clear()?;
        Ok(())
    }

    /// Gives the terminal back to the shell, stops the process, and takes it over again when it
    /// goes on.
    pub fn suspend(&mut self) -> Result<()> {
        self.line.hold(|| {
            restore();
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::STOP)?;
            take_over(farewell(&self.report))
        })?;
        if self.line.question() == Some(Question::Echo) {
            self.line.hears(echo::bring());
        }
        self.scene = None;
        if let Some(easel) = &self.easel {
            easel.begin_anew();
        }
        self.terminal.clear()?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.line.close();
        if let Some(easel) = self.easel.take() {
            easel.join();
        }
        if let Some(writer) = self.writer.take() {
            writer.join().ok();
        }
        restore();
    }
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Screen({:?})", self.report.graphics)
    }
}

/// The Linux console shows blocks alone: nothing of what it answers would be of use.
fn is_console() -> bool {
    std::env::var("TERM").is_ok_and(|term| term == "linux")
}

/// A frame from this size on is shown at once by terminals that can: smaller ones do not tear.
const LARGE: usize = 512;

/// Marks a frame so that the terminal shows it at once.
fn synchronized(mut frame: Vec<u8>) -> Vec<u8> {
    if frame.len() >= LARGE {
        frame.splice(..0, *b"\x1b[?2026h");
        frame.extend_from_slice(b"\x1b[?2026l");
    }
    frame
}

/// Tells where only blocks can be shown, and what would help.
fn announce(report: &Report, events: &Sender<Event>) {
    let advice = report
        .advice
        .first()
        .filter(|_| report.graphics == Graphics::Blocks);
    if let Some(advice) = advice {
        let _ = events.send(Event::Notice(format!(
            "half-blocks: {}; {advice}",
            report.reason
        )));
    }
}

/// What deletes the pictures that the terminal remembers.
fn farewell(report: &Report) -> Vec<u8> {
    match report.graphics {
        Graphics::Kitty => kitty::farewell(report.way),
        Graphics::Sixel | Graphics::Iterm | Graphics::Blocks => Vec::new(),
    }
}

fn painter(graphics: Graphics, way: Way) -> Option<Box<dyn Painter>> {
    Some(match (graphics, way) {
        (Graphics::Kitty, Way::Grid(_) | Way::Tiles(_)) => Box::new(Grid::new(way)),
        (Graphics::Kitty, _) => Box::new(Kitty::new(way)),
        (Graphics::Sixel, _) => Box::new(Sixel::new(way)),
        (Graphics::Iterm, _) => Box::new(Iterm::new(way)),
        (Graphics::Blocks, _) => return None,
    })
}
