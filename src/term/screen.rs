//! The terminal's output: cells through ratatui, pictures through [`Screen::show`]. Neither waits
//! for the line. Dropping the screen restores the terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, Once, PoisonError};
use std::thread::{self, JoinHandle};

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
    KeyboardEnhancementFlags, PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute, terminal};
use ratatui::Terminal;

use super::backend::{Frame, LineBackend};
use super::blocks::{Blocks, Depth};
use super::input::{Event, Input};
use super::iterm::Iterm;
use super::kitty::Kitty;
use super::line::{Idle, Line};
use super::painter::{Painter, Refined};
use super::probe::{self, Report};
use super::sixel::Sixel;
use super::{Error, Graphics, Result};
use crate::core::geometry::{CellSize, Size};
use crate::core::scene::Scene;

/// The terminal, taken over.
pub struct Screen {
    terminal: Terminal<LineBackend>,
    frame: Frame,
    line: Line,
    writer: Option<JoinHandle<()>>,
    easel: Option<(Arc<Easel>, JoinHandle<()>)>,
    blocks: Blocks,
    depth: Depth,
    scene: Option<Arc<Scene>>,
    report: Report,
}

/// What the paint thread works on: the latest scene wins.
#[derive(Debug, Default)]
struct Easel {
    state: Mutex<Work>,
    changed: Condvar,
}

/// What to do with the canvas.
#[derive(Debug)]
enum Order {
    Show(Arc<Scene>),
    Hide,
}

#[derive(Debug, Default)]
struct Work {
    order: Option<Order>,
    closed: bool,
    /// Whether the terminal forgot what was painted.
    anew: bool,
}

static TAKEN_OVER: AtomicBool = AtomicBool::new(false);

/// Gives the terminal back as it was; harmless where it was not taken over. For panics and exits.
pub fn restore() {
    if !TAKEN_OVER.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // Ends a picture that was cut off, and deletes all pictures of kitty's protocol.
    let _ = out.write_all(b"\x1b\\\x1b_Ga=d,d=A,q=2\x1b\\\x1b[?2026l");
    let _ = execute!(
        out,
        PopKeyboardEnhancementFlags,
        DisableBracketedPaste,
        DisableMouseCapture,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = terminal::disable_raw_mode();
}

fn take_over() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    TAKEN_OVER.store(true, Ordering::SeqCst);
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableMouseCapture,
        EnableBracketedPaste,
        PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES),
        cursor::Hide
    )
}

/// A panic anywhere leaves a clean terminal and its message below.
fn restore_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // Workers' panics are caught and told; only the main thread's end the app.
            if thread::current().name() == Some("main") {
                restore();
                before(info);
            }
        }));
    });
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
        let mut report = probe::probe()?;
        if let Some(graphics) = choice {
            report.graphics = graphics;
            report.reason = "asked for with --graphics".into();
        }
        take_over()?;
        let (events, received) = mpsc::channel();
        let ready = events.clone();
        let (line, writer) = Line::start(io::stdout(), move || {
            let _ = ready.send(Event::Ready);
        });
        let input = Input::start(received, &events)?;
        announce(&report, &events);
        let easel = painter(report.graphics).map(|painter| Easel::start(painter, line.clone()));
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
            report,
        };
        Ok((screen, input))
    }

    pub const fn graphics(&self) -> Graphics {
        self.report.graphics
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
        let (blocks, depth, has_painter) = (&mut self.blocks, self.depth, self.easel.is_some());
        self.terminal.draw(|frame| {
            view(frame);
            let Some(scene) = &scene else { return };
            if !has_painter {
                blocks.draw(scene, depth, frame.buffer_mut());
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
            self.line.cells(bytes);
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
        self.scene.clone_from(&scene);
        let Some((easel, _)) = &self.easel else {
            return Ok(());
        };
        if changes || resized {
            // Text and picture change places: everything is written once more.
            self.terminal.clear()?;
        }
        easel.put(scene);
        Ok(())
    }

    /// Gives the terminal back to the shell, stops the process, and takes it over again when it
    /// goes on.
    pub fn suspend(&mut self) -> Result<()> {
        self.line.wait_until_idle(|| false);
        restore();
        let own = rustix::process::getpid();
        rustix::process::kill_process(own, rustix::process::Signal::STOP)
            .map_err(io::Error::from)?;
        take_over()?;
        self.scene = None;
        if let Some((easel, _)) = &self.easel {
            easel.begin_anew();
        }
        self.terminal.clear()?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some((easel, thread)) = self.easel.take() {
            easel.close();
            self.line.close();
            thread.join().ok();
        }
        self.line.close();
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

fn painter(graphics: Graphics) -> Option<Box<dyn Painter>> {
    match graphics {
        Graphics::Kitty => Some(Box::<Kitty>::default()),
        Graphics::Sixel => Some(Box::<Sixel>::default()),
        Graphics::Iterm => Some(Box::<Iterm>::default()),
        Graphics::Blocks => None,
    }
}

impl Easel {
    fn start(painter: Box<dyn Painter>, line: Line) -> (Arc<Self>, JoinHandle<()>) {
        let easel = Arc::new(Self::default());
        let own = Arc::clone(&easel);
        let thread = thread::Builder::new()
            .name("paint".into())
            .spawn(move || own.work(painter, &line))
            .expect("the system can start a thread");
        (easel, thread)
    }

    fn put(&self, scene: Option<Arc<Scene>>) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .order = Some(scene.map_or(Order::Hide, Order::Show));
        self.changed.notify_one();
    }

    fn begin_anew(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .anew = true;
    }

    fn close(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.changed.notify_one();
    }

    fn is_superseded(&self) -> bool {
        let work = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        work.order.is_some() || work.closed
    }

    /// Waits for an order; `None` means go home.
    fn take(&self, painter: &mut Box<dyn Painter>) -> Option<Order> {
        let mut work = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if work.closed {
                return None;
            }
            if std::mem::take(&mut work.anew) {
                painter.forget();
            }
            if let Some(order) = work.order.take() {
                return Some(order);
            }
            work = self
                .changed
                .wait(work)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self, mut painter: Box<dyn Painter>, line: &Line) {
        while let Some(order) = self.take(&mut painter) {
            let Order::Show(scene) = order else {
                line.now(painter.hide());
                continue;
            };
            line.now(painter.paint(&scene));
            // Sharper, step by step, as long as nobody wants anything else.
            while line.wait_until_idle(|| self.is_superseded()) == Idle::Reached {
                match painter.refine(&scene) {
                    Refined::Step(command) => line.later(command),
                    Refined::Done => break,
                }
            }
        }
    }
}
