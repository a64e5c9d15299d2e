//! A wish to stop that reaches into a running graph.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ort::session::RunOptions;

use crate::segment::{Error, Result};

/// Cloned into another thread, it ends what was started with it, within milliseconds.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Default)]
struct Inner {
    cancelled: AtomicBool,
    running: Mutex<Option<Arc<RunOptions>>>,
}

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cancel({})", self.is_cancelled())
    }
}

impl Cancel {
    /// Ends the graph that runs, and lets no other begin.
    pub fn cancel(&self) {
        // Locked first: a graph that begins meanwhile sees the flag, or is terminated here.
        let running = self
            .0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.0.cancelled.store(true, Ordering::SeqCst);
        if let Some(options) = &*running {
            // A runtime that cannot be told to stop ends a little later by itself.
            let _ = options.terminate();
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Notes the options of a graph that is about to run, until the guard is dropped.
    pub(super) fn running(&self, options: &Arc<RunOptions>) -> Result<Running<'_>> {
        let mut running = self
            .0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        *running = Some(Arc::clone(options));
        Ok(Running(self))
    }
}

/// While it lives, a graph runs.
pub(super) struct Running<'a>(&'a Cancel);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let inner = &self.0.0;
        *inner.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
