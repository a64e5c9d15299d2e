//! Undo as a list of whole values: masks are shared, so a step costs one small clone.

/// How many steps back are kept.
const DEPTH: usize = 500;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct History<T> {
    past: Vec<T>,
    now: T,
    future: Vec<T>,
}

impl<T: Clone> History<T> {
    pub const fn new(now: T) -> Self {
        Self {
            past: Vec::new(),
            now,
            future: Vec::new(),
        }
    }

    /// Takes up a history from a file: the oldest state first.
    pub fn resume(mut past: Vec<T>, now: T, future: Vec<T>) -> Self {
        past.drain(..past.len().saturating_sub(DEPTH));
        Self { past, now, future }
    }

    pub const fn now(&self) -> &T {
        &self.now
    }

    /// What undo would bring back, the oldest first.
    pub fn past(&self) -> &[T] {
        &self.past
    }

    /// What redo would bring back, the nearest last.
    pub fn future(&self) -> &[T] {
        &self.future
    }

    /// Changes the present without adding a step.
    pub fn amend(&mut self, change: impl FnOnce(&mut T)) {
        change(&mut self.now);
    }

    /// Changes the present; undo brings back what was before.
    pub fn step(&mut self, change: impl FnOnce(&mut T)) {
        if self.past.len() == DEPTH {
            self.past.remove(0);
        }
        self.past.push(self.now.clone());
        self.future.clear();
        change(&mut self.now);
    }

    /// Goes one step back; false where there is none.
    pub fn undo(&mut self) -> bool {
        let Some(previous) = self.past.pop() else {
            return false;
        };
        self.future.push(std::mem::replace(&mut self.now, previous));
        true
    }

    /// Takes back the last undo; false where there is none.
    pub fn redo(&mut self) -> bool {
        let Some(next) = self.future.pop() else {
            return false;
        };
        self.past.push(std::mem::replace(&mut self.now, next));
        true
    }
}
