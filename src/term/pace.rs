//! How fast the line is, from how long status reports take: what may be under way at a time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Delay that pictures may add to a frame, in seconds.
const QUEUE: f64 = 0.03;
/// Shorter delays say nothing of the line.
const NOISE: f64 = 0.015;
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
    marks: VecDeque<Mark>,
    /// Bytes that may be under way.
    window: f64,
    /// The shortest time an answer took, in seconds.
    round_trip: f64,
    /// Bytes a second, once the line was full.
    rate: Option<f64>,
    /// When the last answer came.
    last: Instant,
    /// When the line has carried all, as far as the rate tells.
    idle_at: Instant,
}

#[derive(Debug)]
struct Mark {
    /// Bytes sent in all, the mark included.
    sent: u64,
    /// Bytes under way with it.
    under_way: u64,
    /// Another mark was under way already: the line was full.
    follows: bool,
    at: Instant,
}

impl Pace {
    /// `round_trip` is how many seconds a first answer took, `rate` the bytes a second that are known
    /// of.
    pub fn new(round_trip: f64, rate: Option<f64>, now: Instant) -> Self {
        Self {
            sent: 0,
            answered: 0,
            marks: VecDeque::new(),
            window: FIRST,
            round_trip,
            rate,
            last: now,
            idle_at: now,
        }
    }

    pub fn sent(&mut self, bytes: usize, now: Instant) {
        self.sent += bytes as u64;
        if let Some(rate) = self.rate {
            self.idle_at = self.idle_at.max(now) + Duration::from_secs_f64(bytes as f64 / rate);
        }
    }

    /// A report was asked for behind all that was sent.
    pub fn mark(&mut self, now: Instant) {
        self.marks.push_back(Mark {
            sent: self.sent,
            under_way: self.sent - self.answered,
            follows: !self.marks.is_empty(),
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
        let acknowledged = (mark.sent - self.answered) as f64;
        self.answered = mark.sent;
        // What was taken for an empty line's round trip before was not one.
        let is_shortest = took < self.round_trip;
        self.round_trip = self.round_trip.min(took);
        let late = took - self.round_trip;
        let since = now.duration_since(self.last).as_secs_f64();
        self.last = now;
        if late > NOISE {
            // What was sent into a full line arrives as fast as the line carries it; what was sent
            // into an idle one takes that much longer than an empty question.
            let (carried, time) = if mark.follows {
                (acknowledged, since)
            } else {
                (mark.under_way as f64, late)
            };
            let is_telling = if mark.follows { late > QUEUE } else { true };
            if is_telling && acknowledged >= LEAST / 2.0 {
                let rate = carried / time.max(1e-4);
                let rate = self.rate.map_or(rate, |r| f64::midpoint(r, rate));
                self.rate = Some(rate);
                self.window = (rate * (self.round_trip + 2.0 * QUEUE)).clamp(LEAST, MOST);
            }
            return;
        }
        // The answer came at once: the line carries more than was tried.
        self.window = (self.window + acknowledged).min(MOST);
        self.rate = self.rate.map(|rate| {
            if is_shortest {
                rate
            } else if mark.follows {
                rate * 1.05
            } else {
                rate.max(mark.under_way as f64 / NOISE)
            }
        });
    }

    /// Forgets marks whose answer got lost, and says how many.
    pub fn forgive(&mut self, now: Instant) -> usize {
        let mut lost = 0;
        while let Some(mark) = self.marks.front()
            && now.duration_since(mark.at) > PATIENCE
        {
            self.answered = mark.sent;
            self.marks.pop_front();
            lost += 1;
        }
        lost
    }

    /// Marks that were not answered yet.
    pub fn asked(&self) -> usize {
        self.marks.len()
    }

    /// How long nothing was asked or answered.
    pub fn silence(&self, now: Instant) -> Duration {
        let last = self.marks.back().map_or(self.last, |m| m.at.max(self.last));
        now.saturating_duration_since(last)
    }

    /// All that is under way counts as arrived.
    pub fn forget(&mut self) {
        self.marks.clear();
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
mod tests {
    use super::*;

    /// A line of so many bytes a second and so many milliseconds a round trip, in made-up time.
    struct Simulated {
        pace: Pace,
        now: Instant,
        rate: f64,
        trip: Duration,
        /// When the line has carried all, and when each answer comes.
        idle_at: Instant,
        answers: VecDeque<Instant>,
    }

    impl Simulated {
        fn new(rate: f64, trip: u64) -> Self {
            let now = Instant::now();
            Self {
                pace: Pace::new(trip as f64 / 1000.0, None, now),
                now,
                rate,
                trip: Duration::from_millis(trip),
                idle_at: now,
                answers: VecDeque::new(),
            }
        }

        /// Seconds until what is sent now is on the screen.
        fn send(&mut self, bytes: usize) -> f64 {
            let start = self.idle_at.max(self.now);
            self.idle_at = start + Duration::from_secs_f64(bytes as f64 / self.rate);
            self.pace.sent(bytes, self.now);
            self.pace.mark(self.now);
            self.answers.push_back(self.idle_at + self.trip);
            (self.idle_at + self.trip / 2)
                .duration_since(self.now)
                .as_secs_f64()
        }

        /// Lets time pass until an answer comes or the clock makes room.
        fn wait(&mut self) {
            let clock = self.pace.wait(self.now).map(|w| self.now + w);
            match (self.answers.front().copied(), clock) {
                (Some(answer), clock) if clock.is_none_or(|c| answer <= c) => {
                    self.answers.pop_front();
                    self.now = self.now.max(answer);
                    self.pace.answer(self.now);
                }
                (_, Some(clock)) => self.now = clock,
                (_, None) => panic!("no room, and nothing to wait for"),
            }
        }

        /// Sends pictures wherever there is room, so many bytes in all.
        fn fill(&mut self, total: usize) {
            let mut sent = 0;
            while sent < total {
                match self.pace.room(self.now).min(100_000) {
                    0 => self.wait(),
                    room => {
                        sent += room;
                        self.send(room);
                    }
                }
            }
        }
    }

    #[test]
    fn a_step_shows_within_a_round_trip_and_fifty_milliseconds_on_a_slow_line() {
        let mut line = Simulated::new(32e3, 200);
        let start = line.now;
        line.fill(100_000);
        for _ in 0..20 {
            line.fill(3000);
            assert!(line.pace.is_clear());
            let shown = line.send(150) + line.trip.as_secs_f64() / 2.0;
            assert!(shown < 0.25, "{shown} s");
        }
        assert_eq!(line.pace.speed(), Speed::Slow);
        let took = line.now.duration_since(start).as_secs_f64();
        assert!(took < 6.0, "{took} s for what the line carries in five");
    }

    #[test]
    fn a_fast_line_is_filled_and_never_called_slow() {
        let mut line = Simulated::new(12e6, 40);
        let start = line.now;
        line.fill(3_000_000);
        assert_eq!(line.pace.speed(), Speed::Fast);
        let took = line.now.duration_since(start).as_secs_f64();
        assert!(
            took < 1.5,
            "{took} s for what the line carries in a quarter"
        );
    }

    #[test]
    fn a_first_answer_that_took_too_long_does_not_make_a_slow_line_fast() {
        let mut line = Simulated::new(32e3, 200);
        line.pace = Pace::new(0.3, Some(32e3), line.now);
        line.send(3000);
        while !line.answers.is_empty() {
            line.wait();
        }
        assert_eq!(line.pace.speed(), Speed::Slow);
    }

    #[test]
    fn lost_answers_do_not_stop_the_line() {
        let now = Instant::now();
        let mut pace = Pace::new(0.1, None, now);
        pace.sent(100_000, now);
        pace.mark(now);
        assert_eq!(pace.room(now), 0);
        pace.forgive(now + PATIENCE * 2);
        assert!(pace.room(now) > 0);
    }
}
