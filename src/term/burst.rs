//! What a line carries without a pause, and how fast that was.

use std::time::{Duration, Instant};

/// Shorter delays, in seconds, say nothing of the line.
pub const NOISE: f64 = 0.015;
/// Seconds of a burst that tell the rate for sure.
const SURE: f64 = 0.2;
/// Fewer bytes tell nothing.
const FEW: f64 = 512.0;
/// Of fewer bytes no first rate is told: what held up their answer may have been anything.
const ENOUGH: f64 = 4096.0;
/// How much more a line is tried with that has carried all sooner than it was thought to.
const MORE: f64 = 1.05;

/// How much faster than it was thought to be one answer may show a line.
const AT_ONCE: f64 = 1.25;

/// Bytes that were sent.
#[derive(Debug)]
pub struct Send {
    pub at: Instant,
    pub bytes: f64,
    /// Bytes sent in all, these included.
    pub end: u64,
}

/// The last that a line carried without a pause.
#[derive(Debug, Clone, Copy)]
pub struct Burst {
    start: Instant,
    bytes: f64,
    /// When it has been carried, as far as the rate tells.
    end: Instant,
}

impl Burst {
    /// Nothing yet.
    pub const fn at(start: Instant) -> Self {
        Self {
            start,
            bytes: 0.0,
            end: start,
        }
    }

    pub const fn end(&self) -> Instant {
        self.end
    }

    /// More was sent: into the same burst, or into an idle line. While no rate is known, all that
    /// waits for an answer counts as one.
    pub fn add(&mut self, send: &Send, rate: Option<f64>) {
        if self.end < send.at {
            *self = Self::at(send.at);
        }
        self.bytes += send.bytes;
        self.end += Duration::from_secs_f64(send.bytes / rate.unwrap_or(1.0));
    }

    /// Whether it is long enough to tell a first rate.
    pub const fn is_enough(&self) -> bool {
        self.bytes >= ENOUGH
    }

    /// Bytes a second, where it had been carried at a time.
    pub fn rate(&self, carried: Instant) -> f64 {
        self.bytes / self.time(carried).max(NOISE)
    }

    fn time(&self, carried: Instant) -> f64 {
        carried.saturating_duration_since(self.start).as_secs_f64()
    }

    /// What the rate is taken for from now on, where it had been carried at a time, and the last of
    /// it waited `late` seconds for the line.
    pub fn teach(&self, rate: f64, carried: Instant, late: f64) -> f64 {
        // Answers that were held up come all at once, as they do from an endlessly fast line.
        let seen = self.rate(carried).min(AT_ONCE * rate);
        let time = self.time(carried);
        let early = self.end.saturating_duration_since(carried).as_secs_f64();
        // Of a short burst the time is known badly.
        let taught = rate + (seen - rate) * (time / SURE).min(0.5);
        if late <= NOISE && early > NOISE {
            taught.max(rate) * MORE
        } else if time < NOISE || self.bytes < FEW {
            rate
        } else {
            taught
        }
    }

    /// It had been carried at a time. The longer it lasts the more it tells, until that is enough.
    pub fn correct(&mut self, carried: Instant) {
        if self.time(carried) < SURE {
            self.end = carried;
        } else {
            *self = Self::at(carried);
        }
    }
}
