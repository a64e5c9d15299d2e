//! What is asked of the engine: the newest question, what to compute ahead, and what ends when the
//! person jumps.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::wish::Wish;
use crate::core::image::Image;
use crate::segment::{BUILT_IN, Cancel};
use crate::ui::action::{Ask, Hints, Snap};

/// A picture that the engine may be asked about, with its key.
pub type Picture = (Arc<Image>, u64);

/// What the two segmenting threads share: the newest of everything that is wanted.
#[derive(Debug, Default)]
pub struct Desk {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    /// The engine to open, while it is not open.
    engine: Option<String>,
    ask: Wish<Ask>,
    /// What to look for without a prompt.
    hints: Wish<Hints>,
    /// The question that nobody waits for.
    aside: Wish<Ask>,
    /// The question for the click net.
    meanwhile: Wish<Ask>,
    /// The mask to be snapped to edges.
    snap: Wish<Snap>,
    /// What a click would give; the click net answers it when nothing else waits for it.
    preview: Wish<Ask>,
    /// To be computed ahead: the shown picture first, then its neighbours.
    ahead: Vec<Picture>,
    /// The picture that is being encoded.
    encoding: Option<(u64, Cancel)>,
    ready: HashSet<u64>,
    /// Whether the engine computes long before its first answer.
    is_slow: bool,
    closed: bool,
}

/// What the engine's thread does next.
pub enum Job {
    Open(String),
    Answer(Ask),
    Find(Hints, Cancel),
    Aside(Ask),
    Prepare(Picture, Cancel),
}

/// What the click net's thread does next.
#[derive(Debug)]
pub enum Meanwhile {
    StandIn(Ask),
    Snap(Snap, Cancel),
    Preview(Ask),
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another engine shall answer from now on.
    pub fn engine(&self, name: String) {
        let mut inner = self.lock();
        inner.is_slow = !BUILT_IN.contains(&name.as_str());
        inner.engine = Some(name);
        inner.ready.clear();
        inner.end_all();
        self.changed.notify_all();
    }

    /// The newest question; the one before it is forgotten, and a search for hints ends: what is
    /// still wanted of it is to be asked anew.
    pub fn ask(&self, ask: Ask) {
        let mut inner = self.lock();
        let key = ask.question.image_key;
        if inner.encoding.as_ref().is_some_and(|(k, _)| *k != key) {
            inner.end_encoding();
        }
        let waits = inner.is_slow && !inner.ready.contains(&key);
        inner.meanwhile.put(waits.then(|| ask.clone()));
        inner.hints.end();
        inner.ask.put(Some(ask));
        self.changed.notify_all();
    }

    /// Looks for what a person may want, once no question waits.
    pub fn hint(&self, hints: Hints) {
        self.lock().hints.put(Some(hints));
        self.changed.notify_all();
    }

    /// The newest question that nobody waits for, or that there is none any more.
    pub fn aside(&self, ask: Option<Ask>) {
        self.lock().aside.put(ask);
        self.changed.notify_all();
    }

    /// The mask to be snapped, or that nobody wants it any more.
    pub fn snap(&self, snap: Option<Snap>) {
        self.lock().snap.put(snap);
        self.changed.notify_all();
    }

    /// What a click would give, or that nobody wants to know any more.
    pub fn preview(&self, ask: Option<Ask>) {
        self.lock().preview.put(ask);
        self.changed.notify_all();
    }

    /// The pictures to compute ahead, the shown one first. A jump elsewhere ends what runs.
    pub fn ahead(&self, pictures: Vec<Picture>) {
        let mut inner = self.lock();
        let first = |list: &[Picture]| list.first().map(|p| p.1);
        let shown = first(&pictures);
        let has_jumped = first(&inner.ahead) != shown;
        if let Some((key, _)) = &inner.encoding {
            let is_wanted = pictures.iter().any(|p| p.1 == *key);
            if !is_wanted || (has_jumped && shown != Some(*key)) {
                inner.end_encoding();
            }
        }
        if has_jumped {
            inner.ask.keep_to(shown);
            inner.hints.keep_to(shown);
            inner.meanwhile.keep_to(shown);
        }
        inner.ahead = pictures;
        self.changed.notify_all();
    }

    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.end_all();
        inner.snap.end();
        inner.preview.end();
        self.changed.notify_all();
    }

    /// What the engine's thread does next; `None` means go home.
    pub fn next(&self) -> Option<Job> {
        self.wait(|inner| {
            if let Some(name) = inner.engine.take() {
                return Some(Job::Open(name));
            }
            if let Some(ask) = question(&mut inner.ask) {
                return Some(Job::Answer(ask));
            }
            if let Some((hints, cancel)) = inner.hints.take(|h| h.key) {
                return Some(Job::Find(hints, cancel));
            }
            if let Some(ask) = question(&mut inner.aside) {
                return Some(Job::Aside(ask));
            }
            let unready = |p: &&Picture| inner.is_slow && !inner.ready.contains(&p.1);
            let picture = inner.ahead.iter().find(unready).cloned()?;
            let cancel = inner.start(picture.1);
            Some(Job::Prepare(picture, cancel))
        })
    }

    /// What the click net answers next; `None` means go home.
    pub fn next_meanwhile(&self) -> Option<Meanwhile> {
        self.wait(|inner| {
            if let Some(ask) = question(&mut inner.meanwhile) {
                return Some(Meanwhile::StandIn(ask));
            }
            // Of whatever picture: what is no longer wanted is taken back.
            if let Some((snap, cancel)) = inner.snap.take(|_| 0) {
                return Some(Meanwhile::Snap(snap, cancel));
            }
            question(&mut inner.preview).map(Meanwhile::Preview)
        })
    }

    fn wait<T>(&self, mut look: impl FnMut(&mut Inner) -> Option<T>) -> Option<T> {
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return None;
            }
            if let Some(found) = look(&mut inner) {
                return Some(found);
            }
            inner = self
                .changed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes that a picture is being encoded; the handle ends it.
    pub fn start(&self, key: u64) -> Cancel {
        self.lock().start(key)
    }

    /// Notes that a picture is encoded, or cannot be: it is not tried again by itself.
    pub fn done(&self, key: u64) {
        let mut inner = self.lock();
        inner.encoding = None;
        inner.ready.insert(key);
    }

    /// Notes that nothing is encoded any more.
    pub fn stopped(&self) {
        self.lock().encoding = None;
    }
}

/// The question that waits, with what withdraws it.
fn question(wish: &mut Wish<Ask>) -> Option<Ask> {
    let (mut ask, cancel) = wish.take(|ask| ask.question.image_key)?;
    ask.question.cancel = cancel;
    Some(ask)
}

impl Inner {
    fn start(&mut self, key: u64) -> Cancel {
        let cancel = Cancel::default();
        self.encoding = Some((key, cancel.clone()));
        cancel
    }

    fn end_encoding(&mut self) {
        if let Some((_, cancel)) = self.encoding.take() {
            cancel.cancel();
        }
    }

    /// Ends all that the engine does, and what the click net does in its place.
    fn end_all(&mut self) {
        self.end_encoding();
        self.ask.end();
        self.hints.end();
        self.aside.end();
        self.meanwhile.end();
    }
}

#[cfg(test)]
mod tests;
