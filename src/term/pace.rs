//! How fast the line is, from how long status reports take: what may be under way at a time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::burst::{Burst, NOISE, Send};

/// Delay that pictures may add to a frame, in seconds.
const QUEUE: f64 = 0.032;
/// Below this many bytes a second the line is slow: a sharp photo would take many seconds.
const SLOW: f64 = 150e3;
/// An answer that takes longer than this never comes.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes that may be under way before anything is known, and at least and most ever.
const FIRST: f64 = 8192.0;
const LEAST: f64 = 1024.0;
const MOST: f64 = 4e6;

/// What the line carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    Fast,
    /// Pictures take so long that they are sent coarse.
    Slow,
}

/// Measures the line by what is sent and answered.
#[derive(Debug)]
pub struct Pace {
    sent: u64,
    answered: u64,
    /// What was sent since the last mark that was answered.
    sends: VecDeque<Send>,
    marks: VecDeque<Mark>,
    /// Bytes that may be under way.
    window: f64,
    /// The shortest time an answer took, in seconds.
    round_trip: f64,
    /// Bytes a second, once the line was full.
    rate: Option<f64>,
    /// When the last answer came.
    last: Instant,
    /// What the line carried last of that.
    burst: Burst,
    /// When the line has carried all, as far as the rate tells.
    idle_at: Instant,
}

#[derive(Debug)]
struct Mark {
    /// Bytes sent in all, the mark included.
    sent: u64,
    at: Instant,
}

impl Pace {
    /// `round_trip` is how many seconds a first answer took, `rate` the bytes a second that are known
    /// of.
    pub fn new(round_trip: f64, rate: Option<f64>, now: Instant) -> Self {
        Self {
            sent: 0,
            answered: 0,
            sends: VecDeque::new(),
            marks: VecDeque::new(),
            window: FIRST,
            round_trip,
            rate,
            last: now,
            burst: Burst::at(now),
            idle_at: now,
        }
    }

    pub fn sent(&mut self, bytes: usize, now: Instant) {
        if bytes == 0 {
            return;
        }
        self.sent += bytes as u64;
        self.sends.push_back(Send {
            at: now,
            bytes: bytes as f64,
            end: self.sent,
        });
        if let Some(rate) = self.rate {
            self.idle_at = self.idle_at.max(now) + Duration::from_secs_f64(bytes as f64 / rate);
        }
    }

    /// A report was asked for behind all that was sent.
    pub fn mark(&mut self, now: Instant) {
        self.marks.push_back(Mark {
            sent: self.sent,
            at: now,
        });
    }

    /// Bytes sent since the last mark.
    pub fn unmarked(&self) -> u64 {
        self.sent - self.marks.back().map_or(self.answered, |m| m.sent)
    }

    /// The report of the oldest mark came.
    pub fn answer(&mut self, now: Instant) {
        let Some(mark) = self.marks.pop_front() else {
            return;
        };
        let took = now.duration_since(mark.at).as_secs_f64();
        // What was taken for an empty line's round trip before was not one.
        let is_shortest = took < self.round_trip;
        self.round_trip = self.round_trip.min(took);
        let late = took - self.round_trip;
        let spacing = now.duration_since(self.last).as_secs_f64();
        self.last = now;
        let acknowledged = (mark.sent - self.answered) as f64;
        self.answered = mark.sent;
        while let Some(send) = self.sends.front().filter(|s| s.end <= mark.sent) {
            self.burst.add(send, self.rate);
            self.sends.pop_front();
        }
        // The answer tells when the last of it had been carried.
        let carried = mark.at + Duration::from_secs_f64(late);
        match self.rate {
            Some(_) if is_shortest => {}
            Some(rate) => self.rate = Some(self.burst.teach(rate, carried, late)),
            None if late > NOISE && self.burst.is_enough() => {
                self.rate = Some(self.burst.rate(carried));
            }
            // The next answers tell more of the same burst.
            None if late > NOISE => return,
            // The line carries more than was tried.
            None => self.window = (self.window + acknowledged).min(MOST),
        }
        self.burst.correct(carried);
        let Some(rate) = self.rate else { return };
        // So many are under way on a full line when an answer comes.
        let full = self.round_trip + spacing.min(self.round_trip) + 2.0 * QUEUE;
        self.window = (rate * full).clamp(LEAST, MOST);
        self.idle_at = self.expected();
    }

    /// When the line will have carried all, as far as the rate tells.
    fn expected(&self) -> Instant {
        let mut rest = self.burst;
        for send in &self.sends {
            rest.add(send, self.rate);
        }
        rest.end()
    }

    /// Forgets marks whose answer got lost, and says how many.
    pub fn forgive(&mut self, now: Instant) -> usize {
        let mut lost = 0;
        while let Some(mark) = self.marks.front()
            && now.duration_since(mark.at) > PATIENCE
        {
            self.answered = mark.sent;
            self.sends.retain(|s| s.end > mark.sent);
            self.marks.pop_front();
            lost += 1;
        }
        if lost > 0 {
            self.burst = Burst::at(now);
            self.idle_at = self.expected();
        }
        lost
    }

    /// Marks that were not answered yet.
    pub fn asked(&self) -> usize {
        self.marks.len()
    }

    /// The shortest time an answer took.
    pub fn round_trip(&self) -> Duration {
        Duration::from_secs_f64(self.round_trip)
    }

    /// When it was asked last, if an answer is to come, and when the last answer came.
    pub fn last(&self) -> (Option<Instant>, Instant) {
        (self.marks.back().map(|m| m.at), self.last)
    }

    /// All that is under way counts as arrived.
    pub fn forget(&mut self) {
        self.marks.clear();
        self.sends.clear();
        self.answered = self.sent;
    }

    fn under_way(&self) -> f64 {
        (self.sent - self.answered) as f64
    }

    /// Seconds until the line has carried all.
    fn busy(&self, now: Instant) -> f64 {
        self.idle_at.saturating_duration_since(now).as_secs_f64()
    }

    /// Bytes that are worth a picture's part.
    fn part(&self) -> f64 {
        let moment = self.rate.map_or(LEAST, |r| r * QUEUE);
        LEAST.min(moment).min(self.window / 2.0)
    }

    /// Bytes of pictures that may be sent now; 0 for none.
    pub fn room(&self, now: Instant) -> usize {
        let moment = self.rate.map_or(MOST, |r| r * (QUEUE - self.busy(now)));
        let room = (self.window - self.under_way()).min(moment);
        if room < 0.9 * self.part() {
            0
        } else {
            room as usize
        }
    }

    /// How long until there is room, as far as the clock tells.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let seconds = self.busy(now) - QUEUE + self.part() / self.rate?;
        (seconds > 0.0).then(|| Duration::from_secs_f64(seconds))
    }

    /// Whether what the person waits for may be sent: it goes before pictures, but does not queue
    /// up either.
    pub fn is_clear(&self) -> bool {
        let moment = self.rate.map_or(LEAST, |r| r * QUEUE).max(LEAST);
        self.under_way() < self.window + moment
    }

    pub fn speed(&self) -> Speed {
        match self.rate {
            Some(rate) if rate < SLOW => Speed::Slow,
            _ => Speed::Fast,
        }
    }
}

#[cfg(test)]
mod tests;
