//! Undo as a list of whole values: they are shared, so a step costs one small clone.

use std::sync::Arc;

/// How many steps back are kept.
const DEPTH: usize = 500;

/// Cheap to clone: a pointer a step.
#[derive(Debug, Clone, Default)]
pub struct History<T> {
    past: Vec<Arc<T>>,
    now: Arc<T>,
    future: Vec<Arc<T>>,
    revision: u64,
}

impl<T: Clone> History<T> {
    pub fn new(now: T) -> Self {
        Self::resume(Vec::new(), Arc::new(now), Vec::new())
    }

    /// Takes up a history from a file: the oldest state first in `past`, the nearest last in
    /// `future`.
    pub fn resume(mut past: Vec<Arc<T>>, now: Arc<T>, future: Vec<Arc<T>>) -> Self {
        past.drain(..past.len().saturating_sub(DEPTH));
        Self {
            past,
            now,
            future,
            revision: 0,
        }
    }

    pub fn now(&self) -> &T {
        &self.now
    }

    /// What undo would bring back, the oldest first.
    pub fn past(&self) -> &[Arc<T>] {
        &self.past
    }

    /// What redo would bring back, the nearest last.
    pub fn future(&self) -> &[Arc<T>] {
        &self.future
    }

    /// Counts the changes since it was made or read: two equal numbers mean one content.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Changes the present without adding a step.
    pub fn amend(&mut self, change: impl FnOnce(&mut T)) {
        self.revision += 1;
        change(Arc::make_mut(&mut self.now));
    }

    /// Changes the present; undo brings back what was before.
    pub fn step(&mut self, change: impl FnOnce(&mut T)) {
        if self.past.len() == DEPTH {
            self.past.remove(0);
        }
        self.past.push(Arc::clone(&self.now));
        self.future.clear();
        self.amend(change);
    }

    /// Goes one step back; false where there is none.
    pub fn undo(&mut self) -> bool {
        let Some(previous) = self.past.pop() else {
            return false;
        };
        self.revision += 1;
        self.future.push(std::mem::replace(&mut self.now, previous));
        true
    }

    /// Takes back the last undo; false where there is none.
    pub fn redo(&mut self) -> bool {
        let Some(next) = self.future.pop() else {
            return false;
        };
        self.revision += 1;
        self.past.push(std::mem::replace(&mut self.now, next));
        true
    }
}
