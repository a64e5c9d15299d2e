//! Notices, inside tmux, that the program is shown in another terminal or at another place, and asks
//! a new terminal what it can do.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::echo::{self, Hearer};
use super::gauge::Question;
use super::input::Event;
use super::line::Line;
use super::probe::{self, Answers, Surroundings, conclude};
use super::tmux::{self, Tmux, Whereabouts};

/// How often tmux is asked who shows the program.
const PACE: Duration = Duration::from_secs(1);
/// How often in a row the terminal is asked for its pictures without getting them.
const ATTEMPTS: u8 = 5;

/// What the input brings that concerns the terminal's place.
#[derive(Debug)]
pub enum Heard {
    /// To a question of ours.
    Answer(Vec<u8>),
    /// The focus came or went, perhaps with the window.
    Focus,
}

/// Starts watching; it ends with the input. `known` is what the first terminal answered, `was_unused`
/// whether another pane was in use then, `heard` what comes from now on.
pub fn start(
    known: Answers,
    was_unused: bool,
    heard: Receiver<Heard>,
    line: Line,
    told: Sender<Event>,
) {
    let watch = Watch {
        known,
        was_unused,
        heard,
        line,
        told,
        proof: Proof::default(),
        hears: true,
    };
    thread::spawn(move || watch.run());
}

struct Watch {
    known: Answers,
    was_unused: bool,
    heard: Receiver<Heard>,
    line: Line,
    told: Sender<Event>,
    proof: Proof,
    /// Whether the terminal's answers to the line's questions come here.
    hears: bool,
}

impl Watch {
    /// Until nobody reads the input, or listens, any more.
    fn run(mut self) -> Option<()> {
        let mut before = tmux::whereabouts()?;
        // It may have come into use since the terminal was asked.
        before.is_listening &= !self.was_unused;
        let mut unseen = Unseen {
            painted: self.line.painted(),
            is_shown: before.place.is_some(),
        };
        let mut next = Instant::now() + PACE;
        loop {
            let left = next.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left) {
                Ok(Heard::Answer(answer)) => {
                    if self.proof.answer(&answer) {
                        self.told.send(Event::Lost).ok()?;
                    }
                    continue;
                }
                Ok(Heard::Focus) => {}
                Err(RecvTimeoutError::Timeout) => next = Instant::now() + PACE,
                Err(RecvTimeoutError::Disconnected) => return None,
            }
            let Some(now) = tmux::whereabouts() else {
                continue;
            };
            let has_come = now.clients.iter().any(|c| !before.clients.contains(c));
            // Where another pane was in use, that one got the answers.
            let is_in_use = now.is_listening && !before.is_listening;
            let is_new = has_come || is_in_use && self.known.through.is_empty();
            let has_moved = now.place.is_some() && now.place != before.place;
            let is_resized = now.place.is_some() && now.size != before.size;
            let is_listening = now.is_listening;
            let has_missed = unseen.look(now.place.is_some(), self.line.painted());
            if self.line.question() == Some(Question::Echo) {
                self.listen(&before, &now);
            }
            before = now;
            if is_new {
                let event = Event::Elsewhere(Box::new(self.ask()));
                self.told.send(event).ok()?;
                self.proof = Proof::default();
            } else if has_missed {
                self.told.send(Event::Lost).ok()?;
            } else if is_resized {
                self.told.send(Event::Resized).ok()?;
            } else if has_moved {
                self.told.send(Event::Moved).ok()?;
            } else if self.proof.is_due(self.line.pictures(), is_listening) {
                self.told.send(Event::Doubt).ok()?;
            }
        }
    }

    /// Of several panes the one in use gets the terminal's answers; the others go by the clock.
    fn listen(&mut self, before: &Whereabouts, now: &Whereabouts) {
        let hears = now.is_heard && echo::hearer() == Hearer::Here;
        if hears != self.hears {
            self.hears = hears;
            self.line.hears(hears);
        }
        let is_used = |w: &Whereabouts| w.is_heard && w.is_listening;
        if !hears && is_used(now) && !is_used(before) {
            // Nothing is asked until the next look: what another pane asked for comes here first.
            echo::bring();
        }
    }

    /// Asks the terminal behind tmux while the app goes on.
    fn ask(&mut self) -> super::Report {
        self.line.aside(probe::through());
        let start = Instant::now();
        let end = start + probe::PATIENCE;
        let mut through = Vec::new();
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            let answer = match self.heard.recv_timeout(left) {
                Ok(Heard::Answer(answer)) => answer,
                Ok(Heard::Focus) => continue,
                Err(_) => break,
            };
            through.extend_from_slice(&answer);
            if probe::is_last_through(&answer) {
                break;
            }
        }
        if self.line.question() == Some(Question::Echo) {
            self.line.measure_anew(start.elapsed().as_secs_f64());
        }
        self.known.through = through;
        let around = Surroundings {
            tmux: Some(Tmux::ask().unwrap_or_else(Tmux::elsewhere)),
            ..Surroundings::now()
        };
        conclude(&self.known, &around)
    }
}

/// Whether something was painted while tmux showed something else: it drops that.
#[derive(Debug)]
struct Unseen {
    /// How many commands had changed pictures when it last showed its own.
    painted: u64,
    is_shown: bool,
}

impl Unseen {
    /// Whether pictures are missing now that the window is shown again.
    fn look(&mut self, is_shown: bool, painted: u64) -> bool {
        let was_shown = std::mem::replace(&mut self.is_shown, is_shown);
        let has_missed = is_shown && !was_shown && painted != self.painted;
        if is_shown {
            self.painted = painted;
        }
        has_missed
    }
}

/// Whether the terminal has what was painted. tmux drops what is for its terminal while it is about
/// to redraw all, and while it shows another window, and says nothing.
#[derive(Debug, Default)]
struct Proof {
    /// How many commands had changed pictures a moment ago.
    before: Option<u64>,
    /// And when the terminal was asked, for each question that may still be answered: a busy one
    /// answers when it has been asked again, of more.
    asked: VecDeque<u64>,
    /// And of how many it has told.
    told: Option<u64>,
    attempts: u8,
}

impl Proof {
    /// Whether to ask now: once after everything that changes the picture, when it is at rest, and
    /// again without an answer.
    fn is_due(&mut self, pictures: Option<u64>, is_listening: bool) -> bool {
        let resting = pictures.filter(|_| pictures == self.before);
        self.before = pictures;
        let Some(painted) = resting else {
            return false;
        };
        // A terminal that never answers is believed.
        if !is_listening || self.told == resting || self.attempts == ATTEMPTS {
            return false;
        }
        self.asked.push_back(painted);
        self.attempts += 1;
        true
    }

    /// Whether the answer says that pictures are missing.
    fn answer(&mut self, answer: &[u8]) -> bool {
        if self.asked.is_empty() || !answer.starts_with(b"\x1b_G") {
            return false;
        }
        if answer.ends_with(b";OK\x1b\\") {
            // Questions are dropped, too: it may answer a later one, but none before the first.
            self.told = self.asked.pop_front();
            self.attempts = 0;
            return false;
        }
        self.told = self.asked.back().copied();
        self.asked.clear();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] = b"\x1b_Gi=1301,p=1;OK\x1b\\";
    const BAD: &[u8] = b"\x1b_Gi=1301,p=1;ENOENT:Put command refers to non-existent image\x1b\\";

    #[test]
    fn the_terminal_is_asked_once_when_the_picture_rests() {
        let mut proof = Proof::default();
        assert!(!proof.is_due(Some(4), true));
        assert!(!proof.is_due(None, true));
        assert!(!proof.is_due(Some(9), true));
        assert!(proof.is_due(Some(9), true));
        assert!(!proof.answer(b"\x1b[6;20;10t"));
        assert!(!proof.answer(GOOD));
        assert!(!proof.is_due(Some(9), true));
        assert!(!proof.is_due(Some(10), true));
        assert!(proof.is_due(Some(10), true));
    }

    #[test]
    fn a_late_answer_says_nothing_of_what_was_painted_after_its_question() {
        let mut proof = Proof::default();
        proof.is_due(Some(4), true);
        assert!(proof.is_due(Some(4), true));
        proof.is_due(Some(9), true);
        assert!(proof.is_due(Some(9), true));
        assert!(!proof.answer(GOOD), "to the first question");
        assert!(proof.is_due(Some(9), true));
        assert!(proof.answer(BAD), "to the second");
        assert!(!proof.answer(BAD), "it is known");
    }

    #[test]
    fn what_was_painted_unseen_is_asked_for_when_the_pane_is_back() {
        let mut proof = Proof::default();
        assert!(!proof.is_due(Some(4), false));
        assert!(!proof.is_due(Some(4), false));
        assert!(proof.is_due(Some(4), true));
        assert!(proof.answer(BAD));
    }

    #[test]
    fn what_was_painted_behind_another_window_is_missed_once_and_nothing_else_is() {
        let mut unseen = Unseen {
            painted: 4,
            is_shown: true,
        };
        assert!(!unseen.look(true, 9));
        assert!(!unseen.look(false, 9));
        assert!(!unseen.look(true, 9), "nothing was painted");
        assert!(!unseen.look(false, 9));
        assert!(!unseen.look(false, 12));
        assert!(unseen.look(true, 12));
        assert!(!unseen.look(true, 20));
    }

    #[test]
    fn a_terminal_that_never_has_them_is_not_asked_for_ever() {
        let mut proof = Proof::default();
        let mut asked = 0;
        for painted in 0..40 {
            if proof.is_due(Some(painted / 2), true) {
                asked += 1;
                assert!(proof.answer(BAD));
            }
        }
        assert_eq!(asked, ATTEMPTS);
    }
}
