//! Notices, inside tmux, that the program is shown in another terminal or at another place, and asks
//! a new terminal what it can do.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::input::Event;
use super::line::Line;
use super::probe::{self, Answers, Surroundings, conclude};
use super::tmux::{self, Tmux};

/// How often tmux is asked who shows the program.
const PACE: Duration = Duration::from_secs(1);

/// Starts watching; it ends with the input. `known` is what the first terminal answered, `answers`
/// what terminals answer from now on.
pub fn start(known: Answers, answers: Receiver<Vec<u8>>, line: Line, told: Sender<Event>) {
    let watch = Watch {
        known,
        answers,
        line,
        told,
    };
    thread::spawn(move || watch.run());
}

struct Watch {
    known: Answers,
    answers: Receiver<Vec<u8>>,
    line: Line,
    told: Sender<Event>,
}

impl Watch {
    /// Until nobody reads the input, or listens, any more.
    fn run(self) -> Option<()> {
        let mut before = tmux::whereabouts()?;
        loop {
            match self.answers.recv_timeout(PACE) {
                // An answer that nobody waits for.
                Ok(_) => continue,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
            let Some(now) = tmux::whereabouts().filter(|now| *now != before) else {
                continue;
            };
            let is_new = now.clients.iter().any(|c| !before.clients.contains(c));
            let has_moved = now.place.is_some() && now.place != before.place;
            before = now;
            if is_new {
                let event = Event::Elsewhere(Box::new(self.ask()));
                self.told.send(event).ok()?;
            } else if has_moved {
                self.told.send(Event::Moved).ok()?;
            }
        }
    }

    /// Asks the terminal behind tmux while the app goes on.
    fn ask(&self) -> super::Report {
        self.line.now(vec![probe::through()]);
        let end = Instant::now() + probe::PATIENCE;
        let mut through = Vec::new();
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            let Ok(answer) = self.answers.recv_timeout(left) else {
                break;
            };
            through.extend_from_slice(&answer);
            if probe::is_last_through(&answer) {
                break;
            }
        }
        let answers = Answers {
            through,
            ..self.known.clone()
        };
        let around = Surroundings {
            tmux: Some(Tmux::ask().unwrap_or_default()),
            ..Surroundings::now()
        };
        conclude(&answers, &around)
    }
}
