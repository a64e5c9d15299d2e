//! The one thread that writes to the terminal. Frames of cells go first, then pictures; a large
//! picture waits between its commands, so that a key's effect overtakes it.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Bytes that must not be torn apart.
pub type Command = Vec<u8>;

#[derive(Debug, Default)]
struct Queue {
    cells: VecDeque<Command>,
    /// What the person waits for: masks, crosshair, view.
    now: VecDeque<Command>,
    /// What makes the picture sharper.
    later: VecDeque<Command>,
    closed: bool,
    /// While something is being written.
    busy: Option<Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cells,
    Picture,
}

/// A handle to the writing thread.
#[derive(Debug, Clone)]
pub struct Line {
    shared: Arc<(Mutex<Queue>, Condvar)>,
}

impl Line {
    /// Starts the thread. `drained` is called whenever a frame of cells has left.
    pub fn start(
        mut out: impl Write + Send + 'static,
        drained: impl Fn() + Send + 'static,
    ) -> (Self, JoinHandle<()>) {
        let line = Self {
            shared: Arc::default(),
        };
        let own = line.clone();
        let thread = thread::spawn(move || {
            while let Some((command, kind)) = own.take() {
                // A terminal that is gone shows in the input too, which ends the app.
                let _ = out.write_all(&command).and_then(|()| out.flush());
                own.lock().busy = None;
                own.shared.1.notify_all();
                if kind == Kind::Cells {
                    drained();
                }
            }
        });
        (line, thread)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<(Command, Kind)> {
        let mut queue = self.lock();
        loop {
            let next = queue
                .cells
                .pop_front()
                .map(|c| (c, Kind::Cells))
                .or_else(|| {
                    let picture = queue.now.pop_front().or_else(|| queue.later.pop_front());
                    picture.map(|c| (c, Kind::Picture))
                });
            if let Some(next) = next {
                queue.busy = Some(next.1);
                return Some(next);
            }
            if queue.closed {
                return None;
            }
            queue = self
                .shared
                .1
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the last frame of cells has left.
    pub fn takes_cells(&self) -> bool {
        let queue = self.lock();
        queue.cells.is_empty() && queue.busy != Some(Kind::Cells)
    }

    pub fn cells(&self, frame: Command) {
        self.lock().cells.push_back(frame);
        self.shared.1.notify_all();
    }

    pub fn now(&self, commands: Vec<Command>) {
        self.lock().now.extend(commands);
        self.shared.1.notify_all();
    }

    pub fn later(&self, command: Command) {
        self.lock().later.push_back(command);
        self.shared.1.notify_all();
    }

    /// Waits until all pictures have left, or until `stop` says to give up.
    pub fn wait_until_idle(&self, stop: impl Fn() -> bool) -> Idle {
        let mut queue = self.lock();
        loop {
            let idle = queue.now.is_empty() && queue.later.is_empty() && queue.busy.is_none();
            if queue.closed || stop() {
                return Idle::GivenUp;
            }
            if idle {
                return Idle::Reached;
            }
            let wait = std::time::Duration::from_millis(20);
            let (next, _) = self
                .shared
                .1
                .wait_timeout(queue, wait)
                .unwrap_or_else(PoisonError::into_inner);
            queue = next;
        }
    }

    /// Drops what has not left yet and ends the thread.
    pub fn close(&self) {
        let mut queue = self.lock();
        queue.cells.clear();
        queue.now.clear();
        queue.later.clear();
        queue.closed = true;
        self.shared.1.notify_all();
    }
}

/// How a wait for the line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    Reached,
    GivenUp,
}
