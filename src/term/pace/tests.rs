//! The line in made-up time: steps in between pictures, outside of tmux and in it.

use super::*;
use crate::term::gauge::{Gauge, Question};
use crate::term::tmux;

/// What tmux writes around what it passes on.
const AROUND: usize = 81;

/// A line of so many bytes a second and so many milliseconds a round trip.
struct Simulated {
    gauge: Gauge,
    question: Question,
    now: Instant,
    rate: f64,
    trip: Duration,
    /// How much later each answer comes than the line would bring it, over and over.
    jitter: Vec<u64>,
    /// When the line has carried all, and when each answer comes.
    idle_at: Instant,
    answers: VecDeque<Instant>,
    asked: usize,
}

impl Simulated {
    fn new(question: Question, rate: f64, trip: u64, known: Option<f64>) -> Self {
        let now = Instant::now();
        // A first question has an idle line for itself.
        let own = question.words().len() + 2 * AROUND * usize::from(question == Question::Echo);
        let took = trip as f64 / 1000.0 + own as f64 / rate;
        Self {
            gauge: Gauge::new(question, took, known, now),
            question,
            now,
            rate,
            trip: Duration::from_millis(trip),
            jitter: vec![0],
            idle_at: now,
            answers: VecDeque::new(),
            asked: 0,
        }
    }

    /// Seconds until what is sent now is on the screen.
    fn send(&mut self, bytes: usize) -> f64 {
        let mut sent = vec![b' '; bytes];
        if self.question == Question::Echo && bytes > 0 {
            sent.splice(..7, tmux::wrap(b"").into_iter().take(7));
        }
        self.gauge.sent(&sent, self.now);
        let is_asked = self.gauge.ask(self.now).is_some();
        let times = usize::from(bytes > 0) + usize::from(is_asked);
        let around = match self.question {
            Question::Echo if times > 0 => AROUND * (1 + times),
            Question::Echo | Question::Status => 0,
        };
        let start = self.idle_at.max(self.now);
        self.idle_at = start + Duration::from_secs_f64((bytes + around) as f64 / self.rate);
        if is_asked {
            let late = self.jitter[self.asked % self.jitter.len()];
            let answer = self.idle_at + self.trip + Duration::from_millis(late);
            let before = self.answers.back().copied();
            self.answers
                .push_back(before.map_or(answer, |b| b.max(answer)));
            self.asked += 1;
        }
        (self.idle_at + self.trip / 2)
            .duration_since(self.now)
            .as_secs_f64()
    }

    /// Lets time pass until an answer comes, it is time to ask, or the clock makes room.
    fn wait(&mut self) {
        let clock = [self.gauge.pace().wait(self.now), self.gauge.gap(self.now)];
        let tick = Duration::from_micros(1);
        let clock = clock.into_iter().flatten().min();
        let clock = clock.map(|wait| self.now + wait.max(tick));
        match (self.answers.front().copied(), clock) {
            (Some(answer), clock) if clock.is_none_or(|c| answer <= c) => {
                self.answers.pop_front();
                self.now = self.now.max(answer);
                self.gauge.answer(self.question, self.now);
            }
            (_, Some(clock)) => self.now = clock,
            (_, None) => panic!("no room, and nothing to wait for"),
        }
        self.send(0);
    }

    /// Sends pictures wherever there is room, so many bytes in all.
    fn fill(&mut self, total: usize) {
        let mut sent = 0;
        while sent < total {
            match self.gauge.room(self.now).min(100_000) {
                0 => self.wait(),
                room => {
                    sent += room;
                    self.send(room);
                }
            }
        }
    }

    /// Milliseconds that twenty steps in between pictures take, at most.
    fn longest_step(&mut self) -> f64 {
        let mut longest: f64 = 0.0;
        for _ in 0..20 {
            self.fill(3000);
            assert!(self.gauge.pace().is_clear());
            let shown = self.send(70) + self.trip.as_secs_f64() / 2.0;
            longest = longest.max(shown * 1000.0);
        }
        longest
    }

    fn since(&self, start: Instant) -> f64 {
        self.now.duration_since(start).as_secs_f64()
    }
}

#[test]
fn a_step_shows_within_a_round_trip_and_fifty_milliseconds_on_a_slow_line() {
    for (question, most) in [(Question::Status, 6.0), (Question::Echo, 10.0)] {
        // As it was measured, and as badly as it might have been.
        for known in [Some(32e3), Some(20e3), Some(60e3), None] {
            let mut line = Simulated::new(question, 32e3, 200, known);
            let start = line.now;
            line.fill(100_000);
            let longest = line.longest_step();
            assert!(longest < 250.0, "{question:?}, {known:?}: {longest} ms");
            assert_eq!(line.gauge.pace().speed(), Speed::Slow);
            let took = line.since(start);
            assert!(took < most, "{took} s for what the line carries in five");
        }
    }
}

#[test]
fn the_first_steps_are_as_quick_as_later_ones() {
    for question in [Question::Status, Question::Echo] {
        // As it is measured: a little too fast.
        let mut line = Simulated::new(question, 32e3, 200, Some(33e3));
        let longest = line.longest_step();
        assert!(longest < 250.0, "{question:?}: {longest} ms");
    }
}

#[test]
fn answers_that_come_late_now_and_then_do_not_make_the_queue_grow() {
    for question in [Question::Status, Question::Echo] {
        let mut line = Simulated::new(question, 32e3, 200, Some(32e3));
        line.jitter = vec![3, 31, 17, 0, 38, 9, 24, 5, 150, 12];
        line.fill(300_000);
        let longest = line.longest_step();
        assert!(longest < 350.0, "{question:?}: {longest} ms");
    }
}

#[test]
fn a_fast_line_is_filled_and_never_called_slow() {
    for question in [Question::Status, Question::Echo] {
        let mut line = Simulated::new(question, 12e6, 40, None);
        let start = line.now;
        line.fill(3_000_000);
        assert_eq!(line.gauge.pace().speed(), Speed::Fast);
        let took = line.since(start);
        assert!(
            took < 1.5,
            "{took} s for what the line carries in a quarter"
        );
    }
}

#[test]
fn a_first_answer_that_took_too_long_does_not_make_a_slow_line_fast() {
    let mut line = Simulated::new(Question::Status, 32e3, 200, None);
    line.gauge = Gauge::new(Question::Status, 0.3, Some(32e3), line.now);
    line.send(3000);
    while !line.answers.is_empty() {
        line.wait();
    }
    assert_eq!(line.gauge.pace().speed(), Speed::Slow);
}

/// A terminal that is still starting holds up an answer, and the next one gets lost.
#[test]
fn a_fast_line_that_once_answered_late_is_not_taken_for_a_slow_one() {
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let mut pace = Pace::new(0.004, None, start);
    pace.sent(1200, start);
    pace.mark(start);
    pace.answer(at(1600));
    assert_eq!(pace.speed(), Speed::Fast);
    pace.sent(480_000, at(1700));
    pace.mark(at(1700));
    pace.forgive(at(5000));
    assert!(pace.room(at(5000)) > 4096, "{pace:?}");
}

#[test]
fn what_an_answer_was_lost_of_is_not_waited_for() {
    let start = Instant::now();
    let mut pace = Pace::new(0.1, Some(10e3), start);
    pace.sent(500_000, start);
    pace.mark(start);
    assert_eq!(pace.room(start + PATIENCE), 0);
    pace.forgive(start + PATIENCE * 2);
    assert!(pace.room(start + PATIENCE * 2) > 0);
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
