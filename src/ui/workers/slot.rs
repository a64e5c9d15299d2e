//! A mailbox of one, for what a newer wish takes the place of.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A mailbox of one: a newer question replaces the one still waiting.
#[derive(Debug)]
pub struct Slot<T>(Mutex<Inner<T>>, Condvar);

#[derive(Debug)]
struct Inner<T> {
    waiting: Option<T>,
    closed: bool,
}

impl<T> Slot<T> {
    pub fn new() -> Arc<Self> {
        let inner = Inner {
            waiting: None,
            closed: false,
        };
        Arc::new(Self(Mutex::new(inner), Condvar::new()))
    }

    pub fn put(&self, value: T) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .waiting = Some(value);
        self.1.notify_one();
    }

    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.1.notify_one();
    }

    /// Waits for something to do; `None` means go home.
    pub fn take(&self) -> Option<T> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if inner.closed {
                return None;
            }
            if let Some(value) = inner.waiting.take() {
                return Some(value);
            }
            inner = self.1.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub fn is_newer_waiting(&self) -> bool {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.waiting.is_some() || inner.closed
    }
}
