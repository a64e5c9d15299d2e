//! The newest wish of a kind, and the one that is being met.

use crate::segment::Cancel;

/// A newer wish takes the place of the one that waits, and ends the one that is being met.
#[derive(Debug)]
pub struct Wish<T> {
    waiting: Option<T>,
    /// Of which picture the met one is, and what ends it.
    met: Option<(u64, Cancel)>,
}

impl<T> Default for Wish<T> {
    fn default() -> Self {
        Self {
            waiting: None,
            met: None,
        }
    }
}

impl<T> Wish<T> {
    /// The newest wish, or that there is none any more.
    pub fn put(&mut self, wish: Option<T>) {
        self.end();
        self.waiting = wish;
    }

    /// Takes the wish to meet it until `Cancel` says otherwise.
    pub fn take(&mut self, picture: impl Fn(&T) -> u64) -> Option<(T, Cancel)> {
        let wish = self.waiting.take()?;
        let cancel = Cancel::default();
        self.met = Some((picture(&wish), cancel.clone()));
        Some((wish, cancel))
    }

    /// Ends what is being met.
    pub fn end(&mut self) {
        if let Some((_, cancel)) = self.met.take() {
            cancel.cancel();
        }
    }

    /// Ends what is being met of another picture than this.
    pub fn keep_to(&mut self, shown: Option<u64>) {
        if self.met.as_ref().is_some_and(|(of, _)| Some(*of) != shown) {
            self.end();
        }
    }
}
