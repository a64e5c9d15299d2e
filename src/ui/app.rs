//! The loop: events change the state, the workers follow it, the screen shows it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::action::{Outcome, Person};
use super::keymap::Keymap;
use super::mode::{Notice, Overlay};
use super::review::Plan;
use super::state::State;
use super::theme::Theme;
use super::tour::Tour;
use super::view;
use super::workers::{Event, Workers};
use crate::core::scene::Scene;
use crate::core::scheme::Scheme;
use crate::store::settings::{self, Settings};
use crate::term::{self, Graphics, Input, Screen};

/// What to open, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Files, folders, globs; empty means the folder one is in.
    pub paths: Vec<PathBuf>,
    pub graphics: Option<Graphics>,
    /// An engine's name, or a model's file or folder.
    pub engine: Option<String>,
    pub start: Start,
}

/// With what the app begins.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Start {
    #[default]
    Annotate,
    Review(Box<Plan>),
    Tour,
}

/// Why the app could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Terminal(#[from] term::Error),
    #[error(transparent)]
    Store(#[from] crate::store::error::Error),
    #[error("{0}")]
    Keymap(String),
}

/// What is told after the screen is gone.
#[derive(Debug, Default)]
pub struct Summary {
    /// What could not be saved, if anything.
    pub unsaved: Option<String>,
}

/// Runs the app until the person quits or the terminal is gone. Everything is on the disk when it
/// returns, or the summary says what is not.
pub fn run(options: Options) -> Result<Summary, Error> {
    let paths = if options.paths.is_empty() {
        vec![PathBuf::from(".")]
    } else {
        options.paths
    };
    let settings = settings::load(&folder_of(&paths[0]))?;
    let keymap = Keymap::new(settings.keymap.as_deref(), &settings.keys).map_err(Error::Keymap)?;
    let (screen, input) = Screen::open(options.graphics)?;
    let engine = options
        .engine
        .or_else(|| settings.engine.clone())
        .unwrap_or_else(|| "click".into());
    let (events, received) = mpsc::channel();
    listen(input, events.clone());
    let workers = Workers::start(paths, engine, settings.file.clone(), &events);
    let mut app = App::new(screen, settings, workers);
    app.state.keymap = keymap;
    match options.start {
        Start::Annotate => {}
        Start::Review(plan) => {
            app.state.review.plan = Arc::new(*plan);
            app.state.start_review();
        }
        Start::Tour => app.state.tour = Some(Tour::START),
    }
    app.run(&received)
}

/// The folder whose settings count.
fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_path_buf();
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new(".")).to_path_buf()
}

fn listen(mut input: Input, events: mpsc::Sender<Event>) {
    thread::spawn(move || {
        while let Some(event) = input.wait() {
            if events.send(Event::Terminal(event)).is_err() {
                return;
            }
        }
        let _ = events.send(Event::Terminal(term::Event::Hangup));
    });
}

struct App {
    screen: Screen,
    state: State,
    workers: Option<Workers>,
    shown: Option<Arc<Scene>>,
}

impl App {
    fn new(screen: Screen, settings: Settings, workers: Workers) -> Self {
        let mut state = State::new(settings, person());
        state.now = now();
        let size = screen.size();
        state.resize((size.width as u16, size.height as u16), screen.cell_size());
        let mut app = Self {
            screen,
            state,
            workers: Some(workers),
            shown: None,
        };
        app.follow_terminal();
        app
    }

    /// Suits the terminal: its pictures, its background. What the person asked for wins.
    fn follow_terminal(&mut self) {
        self.state.layers = self.screen.layers();
        self.state.resize(self.state.screen, self.state.cell);
        let asked = self.state.settings.theme;
        let scheme = asked.or_else(|| self.screen.background().map(Scheme::of));
        self.state.theme = Theme::new(scheme);
    }

    fn run(mut self, received: &Receiver<Event>) -> Result<Summary, Error> {
        self.show()?;
        while !self.state.quit {
            match self.next(received) {
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => self.tick(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // All that has come meanwhile counts before the next frame is drawn.
            while let Ok(event) = received.try_recv() {
                self.take(event)?;
            }
            if std::mem::take(&mut self.state.suspend) {
                self.screen.suspend()?;
                self.shown = None;
            }
            self.show()?;
        }
        Ok(self.finish(received))
    }

    /// The next event; a blinking overlay and a cursor that may come to rest are woken up in time.
    fn next(&self, received: &Receiver<Event>) -> Result<Event, RecvTimeoutError> {
        const BLINK: Duration = Duration::from_millis(500);
        const REST: Duration = Duration::from_millis(150);
        let state = &self.state;
        match state.overlay() {
            _ if state.may_preview() && state.is_restless() => received.recv_timeout(REST),
            Overlay::Blink | Overlay::Dark => received.recv_timeout(BLINK),
            _ => received.recv().map_err(RecvTimeoutError::from),
        }
    }

    /// A moment has passed in which nothing came.
    fn tick(&mut self) {
        if self.state.may_preview() && self.state.is_restless() {
            self.state.rest();
            self.follow();
        } else {
            self.state.overlay_mut().blink();
        }
    }

    fn follow(&mut self) {
        if let Some(workers) = &mut self.workers {
            workers.follow(self.state.wants());
        }
    }

    fn take(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Terminal(term::Event::Input(crossterm::event::Event::FocusGained)) => {
                self.screen.repaint();
            }
            Event::Terminal(term::Event::Moved) => self.screen.repaint_moved(),
            Event::Terminal(term::Event::Resized) => self.screen.repaint_resized(),
            Event::Terminal(term::Event::Doubt) => self.screen.prove(),
            Event::Terminal(term::Event::Lost) => self.screen.paint_anew(),
            Event::Terminal(term::Event::Elsewhere(report)) => {
                self.screen.go_elsewhere(*report)?;
                // It may say why the last terminal showed no pictures.
                if matches!(self.state.notice, Some(Notice::Info(_))) {
                    self.state.notice = None;
                }
                self.shown = None;
                self.follow_terminal();
            }
            Event::Terminal(term::Event::Input(input)) => self.state.input(&input, now()),
            Event::Terminal(term::Event::Ready) => {}
            Event::Terminal(term::Event::Hangup) => self.state.quit = true,
            Event::Terminal(term::Event::Suspend) => self.state.suspend = true,
            Event::Terminal(term::Event::Notice(text)) => {
                self.state.notice = Some(Notice::Info(text));
            }
            Event::Outcome(outcome) => self.state.learn(outcome),
        }
        self.state.speed = self.screen.speed();
        self.follow();
        Ok(())
    }

    fn show(&mut self) -> Result<(), Error> {
        self.follow_size();
        let scene = view::scene(&self.state);
        if scene.as_ref() != self.shown.as_deref() {
            self.shown = scene.map(Arc::new);
            self.screen.show(self.shown.clone())?;
        }
        let state = &self.state;
        self.screen.draw(|frame| view::draw(state, frame))?;
        Ok(())
    }

    /// Takes over the terminal's size, whether or not an event told of the change: one that comes
    /// while the app starts is told to nobody.
    fn follow_size(&mut self) {
        let (size, cell) = (self.screen.size(), self.screen.cell_size());
        let screen = (size.width as u16, size.height as u16);
        if (screen, cell) != (self.state.screen, self.state.cell) {
            self.state.resize(screen, cell);
        }
    }

    /// Lets the workers end their saves, and hears what came of them.
    fn finish(mut self, received: &Receiver<Event>) -> Summary {
        self.state.retry_saving();
        if let Some(mut workers) = self.workers.take() {
            workers.follow(self.state.wants());
            drop(workers);
        }
        while let Ok(event) = received.try_recv() {
            if let Event::Outcome(outcome @ (Outcome::Saved(..) | Outcome::SaveFailed(..))) = event
            {
                self.state.learn(outcome);
            }
        }
        let unsaved = self.state.open.as_ref().filter(|o| o.unsaved.is_some());
        let why = match (&self.state.notice, unsaved) {
            (Some(Notice::Problem(why)), Some(_)) => Some(why.clone()),
            _ => None,
        };
        Summary { unsaved: why }
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| d.as_millis() as i64)
}

/// `user@host`, as the system says.
pub fn person() -> Person {
    let user = std::env::var("USER").unwrap_or_else(|_| "unknown".into());
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    Arc::from(format!("{user}@{host}"))
}
