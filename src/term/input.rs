//! Keys, mouse and signals, on one channel. The terminal's answers are taken out on the way.

use std::io;
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;

use super::Report;
use super::gauge::Question;
use super::keys::{Keys, Rest};
use super::line::Line;
use super::report::{Piece, Splitter};
use super::watch::Heard;

/// What comes from the terminal.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Input(crossterm::event::Event),
    /// The line can take a frame again.
    Ready,
    /// Asked to end: SIGTERM, SIGHUP, SIGINT, or the terminal is gone.
    Hangup,
    /// Asked to stop: SIGTSTP.
    Suspend,
    /// Inside tmux: another terminal shows the program now.
    Elsewhere(Box<Report>),
    /// Inside tmux: the pane lies elsewhere, or is shown again.
    Moved,
    /// Inside tmux: the pane has another size.
    Resized,
    /// Inside tmux: whether all pictures got through is to be asked.
    Doubt,
    /// Inside tmux: some did not.
    Lost,
    /// What the person should know of the pictures.
    Notice(String),
}

/// The terminal's input.
#[derive(Debug)]
pub struct Input {
    events: Receiver<Event>,
}

impl Input {
    /// Starts reading. `typed` is what was read already, while the terminal was asked; `heard`
    /// gets what it answers to further questions, and word of the focus.
    pub(super) fn start(
        events: Receiver<Event>,
        sender: &Sender<Event>,
        typed: Vec<u8>,
        heard: Sender<Heard>,
        line: Line,
    ) -> io::Result<Self> {
        let signals = Signals::new([SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP])?;
        let told = sender.clone();
        thread::spawn(move || forward(signals, &told));
        let told = sender.clone();
        thread::spawn(move || {
            let is_gone = read(&typed, &told, &heard, &line).is_some();
            line.hears(false);
            if is_gone {
                let _ = told.send(Event::Hangup);
            }
        });
        Ok(Self { events })
    }

    /// Waits for the next event; `None` when nothing can come any more.
    pub fn wait(&mut self) -> Option<Event> {
        self.events.recv().ok()
    }
}

fn forward(mut signals: Signals, told: &Sender<Event>) {
    for signal in &mut signals {
        let event = match signal {
            SIGTSTP => Event::Suspend,
            SIGWINCH => {
                let (cols, rows) = crossterm::terminal::size().unwrap_or((80, 24));
                Event::Input(crossterm::event::Event::Resize(cols, rows))
            }
            _ => Event::Hangup,
        };
        if told.send(event).is_err() {
            return;
        }
    }
}

/// Reads until the terminal is gone; `None` when nobody listens any more.
fn read(typed: &[u8], told: &Sender<Event>, heard: &Sender<Heard>, line: &Line) -> Option<()> {
    let stdin = io::stdin();
    let (mut splitter, mut keys) = (Splitter::default(), Keys::default());
    // Only inside tmux does anybody listen to that.
    let hear = |word| heard.send(word).unwrap_or_default();
    let tell = |events: Vec<crossterm::event::Event>| {
        use crossterm::event::Event::{FocusGained, FocusLost};
        if events.iter().any(|e| matches!(e, FocusGained | FocusLost)) {
            hear(Heard::Focus);
        }
        let mut events = events.into_iter().map(Event::Input);
        events.try_for_each(|e| told.send(e)).ok()
    };
    tell(keys.read(typed, Rest::Over))?;
    let mut buffer = [0; 4096];
    loop {
        match wait(&stdin, splitter.patience()) {
            Ok(true) => {}
            Ok(false) => {
                tell(keys.read(&splitter.flush(), Rest::Over))?;
                continue;
            }
            Err(_) => return Some(()),
        }
        let count = match rustix::io::read(stdin.as_fd(), &mut buffer) {
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Ok(0) | Err(_) => return Some(()),
            Ok(count) => count,
        };
        for piece in splitter.push(&buffer[..count]) {
            match piece {
                Piece::Answer(answer) => match Question::of(&answer) {
                    Some(question) => line.answered(question),
                    None => hear(Heard::Answer(answer)),
                },
                Piece::Typed(bytes) => tell(keys.read(&bytes, Rest::MayFollow))?,
            }
        }
    }
}

/// Waits until there is something to read; false when the time is over.
pub(super) fn wait(from: impl AsFd, timeout: Option<Duration>) -> io::Result<bool> {
    let timeout = timeout.map(|t| Timespec {
        tv_sec: t.as_secs() as i64,
        tv_nsec: i64::from(t.subsec_nanos()),
    });
    loop {
        let mut ready = [PollFd::new(&from, PollFlags::IN)];
        match poll(&mut ready, timeout.as_ref()) {
            Ok(count) => return Ok(count > 0),
            // A signal came in between.
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}
