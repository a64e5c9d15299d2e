//! The thread that turns scenes into bytes: the latest scene wins, and what makes it sharper waits
//! until nobody wants anything else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::line::{Line, More, Turn};
use super::painter::{Painter, Refined};
use super::tmux;
use crate::core::scene::Scene;

/// What to do with the canvas.
#[derive(Debug, Clone)]
enum Order {
    Show(Arc<Scene>),
    Hide,
}

/// What the terminal still has of what was painted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Kept {
    #[default]
    All,
    Nothing,
    /// Nothing, or crumbs of it at places that are not the pane's any more.
    Crumbs,
}

#[derive(Debug, Default)]
struct Work {
    order: Option<Order>,
    kept: Kept,
    /// Whether the terminal is asked for what it has.
    is_doubted: bool,
    is_over: bool,
}

impl Work {
    const fn is_waiting(&self) -> bool {
        self.order.is_some() || self.is_doubted || self.is_over
    }

    fn lose(&mut self, kept: Kept) {
        self.kept = self.kept.max(kept);
    }
}

/// A handle to the paint thread.
pub struct Easel {
    work: Arc<Mutex<Work>>,
    line: Line,
    thread: JoinHandle<()>,
}

impl Easel {
    pub fn start(painter: Box<dyn Painter>, line: Line) -> Self {
        let work = Arc::default();
        let (own, own_line) = (Arc::clone(&work), line.clone());
        let thread = thread::Builder::new()
            .name("paint".into())
            .spawn(move || paint(painter, &own, &own_line))
            .expect("the system can start a thread");
        Self { work, line, thread }
    }

    /// The scene to show from now on; `None` takes the picture away.
    pub fn put(&self, scene: Option<Arc<Scene>>) {
        lock(&self.work).order = Some(scene.map_or(Order::Hide, Order::Show));
        self.line.wake();
    }

    /// The terminal has lost all pictures.
    pub fn begin_anew(&self) {
        lock(&self.work).lose(Kept::Nothing);
    }

    /// The terminal has lost all pictures with its cells, which the next frame clears. Nothing is
    /// painted until the next scene.
    pub fn clear(&self) {
        let mut work = lock(&self.work);
        work.lose(Kept::Nothing);
        work.order = None;
        drop(work);
        // After the word to the paint thread: what that paints from here on is no longer of before.
        self.line.clear_pictures();
    }

    /// The pane lies elsewhere, or is of another size. What was on its way to the old place came
    /// there when tmux had drawn the new one, perhaps into another pane: tmux draws all anew, and
    /// then the picture comes.
    pub fn begin_anew_displaced(&self) {
        lock(&self.work).lose(Kept::Crumbs);
    }

    /// Asks the terminal whether it has all that was painted.
    pub fn prove(&self) {
        lock(&self.work).is_doubted = true;
        self.line.wake();
    }

    /// Ends the thread, and waits for it: from then on it paints nothing.
    pub fn stop(self) {
        lock(&self.work).is_over = true;
        self.line.wake();
        self.join();
    }

    /// Waits for the thread's end; the line must be closed.
    pub fn join(self) {
        self.thread.join().ok();
    }
}

fn lock(work: &Mutex<Work>) -> MutexGuard<'_, Work> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}

fn paint(mut painter: Box<dyn Painter>, work: &Mutex<Work>, line: &Line) {
    let mut shown: Option<Arc<Scene>> = None;
    let mut more = More::No;
    loop {
        let turn = line.wait_for_turn(more, || lock(work).is_waiting());
        let since = line.clearings();
        painter.pace(line.speed());
        match turn {
            Turn::Closed => return,
            Turn::Paint => {
                let Work {
                    order,
                    kept,
                    is_doubted,
                    is_over,
                } = std::mem::take(&mut *lock(work));
                if is_over {
                    return;
                }
                if kept != Kept::All {
                    painter.forget();
                    (shown, more) = (None, More::No);
                }
                if kept == Kept::Crumbs {
                    tmux::redraw();
                }
                if is_doubted && let Some(proof) = painter.prove() {
                    line.aside(proof);
                }
                let Some(order) = order else { continue };
                (shown, more) = match order {
                    Order::Hide => {
                        line.now(painter.hide(), since);
                        (None, More::No)
                    }
                    Order::Show(scene) => {
                        line.now(painter.paint(&scene), since);
                        (Some(scene), More::Yes)
                    }
                };
            }
            Turn::Refine(room) => {
                let has_all = lock(work).kept == Kept::All;
                let scene = shown.as_ref().filter(|_| has_all);
                match scene.map(|scene| painter.refine(scene, room)) {
                    Some(Refined::Step(command)) => line.later(command, since),
                    Some(Refined::Done) | None => more = More::No,
                }
            }
        }
    }
}
