//! A wish to stop that reaches into what runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::segment::{Error, Result};

/// Cloned into another thread, it ends what was started with it, at once.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Default)]
struct Inner {
    cancelled: AtomicBool,
    running: Mutex<BTreeMap<u64, End>>,
}

/// Ends what runs.
type End = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cancel({})", self.is_cancelled())
    }
}

impl Cancel {
    /// Ends what runs, and lets nothing else begin.
    pub fn cancel(&self) {
        // Locked first: what begins meanwhile sees the flag, or is ended here.
        let mut running = self.running();
        self.0.cancelled.store(true, Ordering::SeqCst);
        for (_, end) in std::mem::take(&mut *running) {
            end();
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// # Errors
    /// `Cancelled` where it is.
    pub(super) fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// Notes how to end what is about to run, until the guard is dropped.
    pub(super) fn ends(&self, end: impl FnOnce() + Send + 'static) -> Result<Running<'_>> {
        let mut running = self.running();
        self.check()?;
        let number = running.last_key_value().map_or(0, |(last, _)| last + 1);
        running.insert(number, Box::new(end));
        Ok(Running(self, number))
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<u64, End>> {
        let inner = &self.0;
        inner.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives, something runs.
pub(super) struct Running<'a>(&'a Cancel, u64);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running().remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_runs_is_ended_and_nothing_begins_afterwards() {
        let ended: Arc<Mutex<Vec<&str>>> = Arc::default();
        let end = |name| {
            let ended = Arc::clone(&ended);
            move || ended.lock().expect("nobody panics").push(name)
        };
        let cancel = Cancel::default();
        let first = cancel.ends(end("first")).expect("not cancelled");
        let _second = cancel.ends(end("second")).expect("not cancelled");
        let _third = cancel.ends(end("third")).expect("not cancelled");
        drop(first);
        cancel.cancel();
        assert_eq!(*ended.lock().expect("nobody panics"), ["second", "third"]);
        assert!(matches!(cancel.ends(end("late")), Err(Error::Cancelled)));
    }
}
