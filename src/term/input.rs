//! Keys, mouse and signals, on one channel.

use std::sync::mpsc::{Receiver, Sender};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;

/// What comes from the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Input(crossterm::event::Event),
    /// The line can take a frame again.
    Ready,
    /// Asked to end: SIGTERM, SIGHUP, SIGINT, or the terminal is gone.
    Hangup,
    /// Asked to stop: SIGTSTP.
    Suspend,
    /// What the person should know of the pictures.
    Notice(String),
}

/// The terminal's input.
#[derive(Debug)]
pub struct Input {
    events: Receiver<Event>,
}

impl Input {
    pub(super) fn start(events: Receiver<Event>, sender: &Sender<Event>) -> std::io::Result<Self> {
        let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP])?;
        let told = sender.clone();
        thread::spawn(move || {
            for signal in &mut signals {
                let event = if signal == SIGTSTP {
                    Event::Suspend
                } else {
                    Event::Hangup
                };
                if told.send(event).is_err() {
                    return;
                }
            }
        });
        let told = sender.clone();
        thread::spawn(move || {
            while let Ok(event) = crossterm::event::read() {
                if told.send(Event::Input(event)).is_err() {
                    return;
                }
            }
            let _ = told.send(Event::Hangup);
        });
        Ok(Self { events })
    }

    /// Waits for the next event; `None` when nothing can come any more.
    pub fn wait(&mut self) -> Option<Event> {
        self.events.recv().ok()
    }
}
