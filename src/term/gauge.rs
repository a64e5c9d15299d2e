//! Asks the terminal what has arrived, and gauges the line by the answers.

use std::time::{Duration, Instant};

use super::echo;
use super::pace::Pace;
use super::tmux;

/// It is asked after so many bytes.
const EVERY: u64 = 512;
/// Echoes that may be on their way, and how long at least nothing is asked after one: three keys
/// within two milliseconds are a paste to tmux, which it hands to whichever pane is in use.
const ECHOES: usize = 2;
const GAP: Duration = Duration::from_millis(4);
/// Bytes that tmux writes of its own before what it passes on, and as many behind all of it.
const TMUX: usize = 75;
/// So many lost echoes in a row, and none is asked for in this time.
const DEAF: usize = 2;
const AGAIN: Duration = Duration::from_secs(30);

/// How it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// For a status report, of what the program runs in.
    Status,
    /// For an echo, of the terminal behind tmux.
    Echo,
}

impl Question {
    pub const fn words(self) -> &'static [u8] {
        match self {
            Self::Status => b"\x1b[5n",
            Self::Echo => echo::QUESTION,
        }
    }

    /// Bytes that tmux adds, so many times.
    const fn around(self, count: usize) -> usize {
        match self {
            Self::Status => 0,
            Self::Echo => count * TMUX,
        }
    }

    /// The question that this answers.
    pub fn of(answer: &[u8]) -> Option<Self> {
        match answer {
            b"\x1b[0n" => Some(Self::Status),
            echo::ANSWER => Some(Self::Echo),
            _ => None,
        }
    }
}

/// What is known of the line.
#[derive(Debug)]
pub struct Gauge {
    question: Question,
    pace: Pace,
    /// Whether answers come here now. If not, the clock tells what has arrived.
    is_heard: bool,
    /// Lost answers in a row, and when to ask again after too many of them.
    lost: usize,
    again: Option<Instant>,
}

impl Gauge {
    /// `took` is how many seconds a first answer took, `rate` the bytes a second that are known of.
    pub fn new(question: Question, took: f64, rate: Option<f64>, now: Instant) -> Self {
        // What the question itself was on the line for is no part of the round trip.
        let own = question.words().len() + question.around(2);
        let own = rate.map_or(0.0, |rate| own as f64 / rate);
        Self {
            question,
            pace: Pace::new((took - own).max(0.0), rate, now),
            is_heard: true,
            lost: 0,
            again: None,
        }
    }

    pub const fn question(&self) -> Question {
        self.question
    }

    pub const fn pace(&self) -> &Pace {
        &self.pace
    }

    pub fn sent(&mut self, bytes: &[u8], now: Instant) {
        let around = self
            .question
            .around(if tmux::is_wrapped(bytes) { 2 } else { 0 });
        self.pace.sent(bytes.len() + around, now);
        if !self.is_heard {
            self.pace.forget();
        }
    }

    /// Bytes of pictures that may be sent now; 0 for none.
    pub fn room(&self, now: Instant) -> usize {
        match self.pace.room(now) {
            0 => 0,
            room => room.saturating_sub(self.question.around(2)).max(1),
        }
    }

    /// What to ask behind all that was sent, where it is time to.
    pub fn ask(&mut self, now: Instant) -> Option<&'static [u8]> {
        if !self.gap(now)?.is_zero() {
            return None;
        }
        self.pace.sent(self.question.around(1), now);
        self.pace.mark(now);
        Some(self.question.words())
    }

    /// How long until it is time to ask, where no answer has to come first; `None` where there is
    /// nothing to ask.
    pub fn gap(&self, now: Instant) -> Option<Duration> {
        if self.pace.unmarked() < EVERY {
            return None;
        }
        match self.question {
            Question::Status => Some(Duration::ZERO),
            Question::Echo if self.pace.asked() < ECHOES => {
                // Evenly apart, so that what the line does is never unknown for long.
                let (asked, answered) = self.pace.last();
                let apart = GAP.max(self.pace.round_trip() / ECHOES as u32);
                let next = asked.map_or(now, |at| at + apart).max(answered + GAP);
                Some(next.saturating_duration_since(now))
            }
            Question::Echo => None,
        }
    }

    /// Whether an answer is to come.
    pub fn is_waiting(&self) -> bool {
        self.pace.asked() > 0
    }

    pub fn answer(&mut self, question: Question, now: Instant) {
        if question == self.question {
            self.lost = 0;
            self.pace.answer(now);
        }
    }

    /// Whether answers come here from now on.
    pub fn hears(&mut self, so: bool) {
        self.is_heard = so;
        self.lost = 0;
        self.again = None;
        if !so {
            self.pace.forget();
        }
    }

    /// Does not wait for answers that got lost.
    pub fn forgive(&mut self, now: Instant) {
        self.lost += self.pace.forgive(now);
        if self.question == Question::Echo && self.lost >= DEAF {
            self.hears(false);
            self.again = Some(now + AGAIN);
        } else if self.again.is_some_and(|again| now >= again) {
            self.hears(true);
        }
    }

    /// All that is under way counts as arrived.
    pub fn forget(&mut self) {
        self.pace.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(question: Question, now: Instant) -> Gauge {
        Gauge::new(question, 0.1, None, now)
    }

    #[test]
    fn echoes_are_few_and_apart_from_each_other() {
        let start = Instant::now();
        let mut gauge = gauge(Question::Echo, start);
        let mut ask = |millis| {
            let now = start + Duration::from_millis(millis);
            gauge.sent(&[0; 4000], now);
            let asked = gauge.ask(now).is_some();
            if millis == 110 {
                gauge.answer(Question::Echo, now);
            }
            asked
        };
        assert!(ask(10));
        assert!(!ask(11), "too soon");
        assert!(!ask(50), "half a round trip is not over");
        assert!(ask(62));
        assert!(!ask(108), "two are on their way");
        assert!(!ask(110), "an answer comes");
        assert!(!ask(111), "too soon after it");
        assert!(ask(120));
    }

    #[test]
    fn where_no_echo_comes_the_clock_tells_what_has_arrived() {
        let start = Instant::now();
        let mut gauge = gauge(Question::Echo, start);
        let later = |seconds| start + Duration::from_secs(seconds);
        for second in [1, 2] {
            gauge.sent(&[0; 8000], later(second));
            assert!(gauge.ask(later(second)).is_some());
        }
        gauge.answer(Question::Status, later(2));
        assert!(gauge.is_waiting() && !gauge.pace().is_clear());
        gauge.forgive(later(10));
        assert!(!gauge.is_waiting() && gauge.pace().is_clear());
        gauge.sent(&[0; 8000], later(11));
        assert!(gauge.ask(later(12)).is_none());
        assert!(gauge.pace().is_clear());
        gauge.forgive(later(60));
        gauge.sent(&[0; 1000], later(60));
        assert!(gauge.ask(later(60)).is_some());
    }
}
