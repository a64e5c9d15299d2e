//! The one thread that writes to the terminal. Frames of cells go first, then pictures; status
//! reports tell what has arrived, and no more is under way than the line carries in a moment, so
//! that a key's effect is never stuck behind a picture.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::gauge::{Gauge, Question};
use super::pace::Speed;

/// Bytes that must not be torn apart.
pub type Command = Vec<u8>;

/// How long answers are waited for before the terminal is given back.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Bytes of a picture at a time where the terminal does not tell what has arrived.
const UNMEASURED: usize = 32 << 10;
/// The most at a time: a terminal takes some milliseconds for them.
const MOST: usize = 128 << 10;
/// How often lost answers are looked for.
const PACE: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct State {
    cells: Option<Command>,
    /// What the person waits for: masks, crosshair, view.
    now: VecDeque<Command>,
    /// What makes the picture sharper.
    later: VecDeque<Command>,
    /// Pictures' commands so far.
    pictures: u64,
    /// How often the cells were cleared, and the pictures in them.
    clearings: u64,
    is_closed: bool,
    is_writing: bool,
    /// A frame was refused: its drawer is told when the line is free.
    is_awaited: bool,
    /// None where the terminal answers nothing.
    gauge: Option<Gauge>,
}

/// A handle to the writing thread.
#[derive(Debug, Clone)]
pub struct Line {
    shared: Arc<(Mutex<State>, Condvar)>,
}

/// What the painter may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There is something new to paint, and the line is free for it.
    Paint,
    /// So many bytes may make the picture sharper.
    Refine(usize),
    Closed,
}

/// Whether the painter has something to make sharper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    Yes,
    No,
}

impl Line {
    /// Starts the thread. The gauge is `None` where the terminal answers nothing. `ready` is called
    /// when a refused frame may be drawn.
    pub fn start(
        out: impl Write + Send + 'static,
        gauge: Option<Gauge>,
        ready: impl Fn() + Send + 'static,
    ) -> (Self, JoinHandle<()>) {
        let state = State {
            cells: None,
            now: VecDeque::new(),
            later: VecDeque::new(),
            pictures: 0,
            clearings: 0,
            is_closed: false,
            is_writing: false,
            is_awaited: false,
            gauge,
        };
        let line = Self {
            shared: Arc::new((Mutex::new(state), Condvar::new())),
        };
        let own = line.clone();
        let thread = thread::Builder::new()
            .name("line".into())
            .spawn(move || own.work(out, ready))
            .expect("the system can start a thread");
        (line, thread)
    }

    fn work(&self, mut out: impl Write, ready: impl Fn()) {
        while let Some(next) = self.next() {
            match next {
                Next::Ready => ready(),
                // A terminal that is gone shows in the input too, which ends the app.
                Next::Write(bytes) => {
                    let _ = out.write_all(&bytes).and_then(|()| out.flush());
                    self.lock().is_writing = false;
                    self.shared.1.notify_all();
                }
            }
        }
    }

    fn next(&self) -> Option<Next> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(bytes) = state.take() {
                return Some(Next::Write(bytes));
            }
            if state.is_awaited && state.is_clear() {
                state.is_awaited = false;
                return Some(Next::Ready);
            }
            state = self.wait_a_moment(state);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_a_moment<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let now = Instant::now();
        let gauge = state.gauge.as_ref();
        let room = gauge.and_then(|g| g.pace().wait(now));
        // While something is written the next question waits for that.
        let gap = gauge.filter(|_| !state.is_writing).and_then(|g| g.gap(now));
        let time = room.into_iter().chain(gap).fold(PACE, Duration::min);
        let waited = self.shared.1.wait_timeout(state, time);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if let Some(gauge) = &mut state.gauge {
            gauge.forgive(Instant::now());
        }
        state
    }

    /// Whether a frame may be drawn. If not, `ready` is called later.
    pub fn takes_cells(&self) -> bool {
        let mut state = self.lock();
        let is_free = state.cells.is_none() && state.is_clear();
        state.is_awaited |= !is_free;
        is_free
    }

    pub fn cells(&self, frame: Command) {
        self.lock().cells = Some(frame);
        self.shared.1.notify_all();
    }

    /// Pictures, painted since so many [`Self::clearings`]: older ones are dropped.
    pub fn now(&self, commands: Vec<Command>, since: u64) {
        let mut state = self.lock();
        if state.clearings == since {
            state.pictures += commands.len() as u64;
            state.now.extend(commands);
            self.shared.1.notify_all();
        }
    }

    /// The same, for when nothing else is to be written.
    pub fn later(&self, command: Command, since: u64) {
        let mut state = self.lock();
        if state.clearings == since {
            state.pictures += 1;
            state.later.push_back(command);
            self.shared.1.notify_all();
        }
    }

    /// The next frame clears all cells, and with them the pictures: what has not left of these
    /// would stand on the screen for ever.
    pub fn clear_pictures(&self) {
        let mut state = self.lock();
        state.clearings += 1;
        state.now.clear();
        state.later.clear();
    }

    /// How often the cells were cleared so far.
    pub fn clearings(&self) -> u64 {
        self.lock().clearings
    }

    /// A question that changes nothing on the screen.
    pub fn aside(&self, question: Command) {
        self.lock().now.push_back(question);
        self.shared.1.notify_all();
    }

    /// How many commands have changed pictures so far, those included that have not left.
    pub fn painted(&self) -> u64 {
        self.lock().pictures
    }

    /// How many commands have changed pictures so far; `None` while some have not left.
    pub fn pictures(&self) -> Option<u64> {
        let state = self.lock();
        let is_idle = state.now.is_empty() && state.later.is_empty();
        is_idle.then_some(state.pictures)
    }

    /// An answer came.
    pub fn answered(&self, question: Question) {
        self.with_gauge(|gauge| gauge.answer(question, Instant::now()));
    }

    /// How the terminal is asked what has arrived, where it is.
    pub fn question(&self) -> Option<Question> {
        self.lock().gauge.as_ref().map(Gauge::question)
    }

    /// Whether the terminal's answers come here from now on.
    pub fn hears(&self, so: bool) {
        self.with_gauge(|gauge| gauge.hears(so));
    }

    /// Another terminal is at the end of the line, whose first answer took so many seconds.
    pub fn measure_anew(&self, took: f64) {
        let now = Instant::now();
        self.with_gauge(|gauge| *gauge = Gauge::new(gauge.question(), took, None, now));
    }

    fn with_gauge(&self, change: impl FnOnce(&mut Gauge)) {
        if let Some(gauge) = &mut self.lock().gauge {
            change(gauge);
        }
        self.shared.1.notify_all();
    }

    pub fn speed(&self) -> Speed {
        let state = self.lock();
        let gauge = state.gauge.as_ref();
        gauge.map_or(Speed::Fast, |g| g.pace().speed())
    }

    /// Waits until there is something to paint that the line takes at once, or room for something
    /// sharper.
    pub fn wait_for_turn(&self, more: More, has_new: impl Fn() -> bool) -> Turn {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return Turn::Closed;
            }
            let is_idle = state.now.is_empty() && state.later.is_empty() && !state.is_writing;
            if has_new() {
                if is_idle && state.is_clear() {
                    return Turn::Paint;
                }
            } else if more == More::Yes && is_idle && state.room() > 0 {
                return Turn::Refine(state.room());
            }
            state = self.wait_a_moment(state);
        }
    }

    /// Wakes the one who waits for a turn.
    pub fn wake(&self) {
        // Taken once, so that nobody is between looking and sleeping.
        drop(self.lock());
        self.shared.1.notify_all();
    }

    /// Does something while nothing is written; what was queued is dropped.
    pub fn hold<T>(&self, act: impl FnOnce() -> T) -> T {
        let mut state = self.lock();
        state.drop_queued();
        while state.is_writing {
            state = self.wait_a_moment(state);
        }
        let mut state = self.hear_out(state);
        if let Some(gauge) = &mut state.gauge {
            gauge.forget();
        }
        act()
    }

    /// Drops what has not left yet, ends the thread, and waits for answers that are on their way:
    /// whoever reads the terminal next would take them for keys.
    pub fn close(&self) {
        let mut state = self.lock();
        state.drop_queued();
        state.is_closed = true;
        self.shared.1.notify_all();
        while state.is_writing {
            state = self.wait_a_moment(state);
        }
        drop(self.hear_out(state));
    }

    fn hear_out<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let end = Instant::now() + LAST_WORDS;
        while state.gauge.as_ref().is_some_and(Gauge::is_waiting)
            && let Some(left) = end.checked_duration_since(Instant::now())
        {
            let waited = self.shared.1.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }
}

enum Next {
    Write(Command),
    Ready,
}

impl State {
    /// The next bytes, with a mark behind them where it is time for one.
    fn take(&mut self) -> Option<Command> {
        let now = Instant::now();
        let cells = self.cells.take();
        let next = cells
            .or_else(|| self.now.pop_front())
            .or_else(|| self.later.pop_front());
        let mut bytes = next.unwrap_or_default();
        if let Some(gauge) = &mut self.gauge {
            gauge.sent(&bytes, now);
            bytes.extend_from_slice(gauge.ask(now).unwrap_or_default());
        }
        self.is_writing = !bytes.is_empty();
        self.is_writing.then_some(bytes)
    }

    fn is_clear(&self) -> bool {
        let gauge = self.gauge.as_ref();
        gauge.is_none_or(|g| g.pace().is_clear())
    }

    fn room(&self) -> usize {
        let gauge = self.gauge.as_ref();
        let room = gauge.map_or(UNMEASURED, |g| g.room(Instant::now()));
        room.min(MOST)
    }

    fn drop_queued(&mut self) {
        self.cells = None;
        self.now.clear();
        self.later.clear();
    }
}

#[cfg(test)]
mod tests;
