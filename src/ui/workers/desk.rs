//! What is asked of the engine: the newest question, what to compute ahead, and what ends when the
//! person jumps.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

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
    ask: Option<Ask>,
    /// What to look for without a prompt.
    hints: Option<Hints>,
    /// The question that nobody waits for.
    aside: Option<Ask>,
    /// The question for the click net.
    meanwhile: Option<Ask>,
    /// The mask to be snapped to edges.
    snap: Option<Snap>,
    /// What a click would give; the click net answers it when nothing else waits for it.
    preview: Option<Ask>,
    /// To be computed ahead: the shown picture first, then its neighbours.
    ahead: Vec<Picture>,
    /// What is computed just now.
    running: Option<(u64, Cancel)>,
    ready: HashSet<u64>,
    /// Whether the engine computes long before its first answer.
    is_slow: bool,
    closed: bool,
}

/// What the engine's thread does next.
pub enum Job {
    Open(String),
    Answer(Ask),
    Find(Hints),
    Aside(Ask),
    Prepare(Picture, Cancel),
}

/// What the click net's thread does next.
#[derive(Debug)]
pub enum Meanwhile {
    StandIn(Ask),
    Snap(Snap),
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
        inner.stop_running();
        self.changed.notify_all();
    }

    /// The newest question; the one before it is forgotten.
    pub fn ask(&self, ask: Ask) {
        let mut inner = self.lock();
        let key = ask.question.image_key;
        if inner.running.as_ref().is_some_and(|(k, _)| *k != key) {
            inner.stop_running();
        }
        let waits = inner.is_slow && !inner.ready.contains(&key);
        inner.meanwhile = waits.then(|| ask.clone());
        inner.ask = Some(ask);
        self.changed.notify_all();
    }

    /// Looks for what a person may want, once no question waits.
    pub fn hint(&self, hints: Hints) {
        self.lock().hints = Some(hints);
        self.changed.notify_all();
    }

    /// The newest question that nobody waits for, or that there is none any more.
    pub fn aside(&self, ask: Option<Ask>) {
        self.lock().aside = ask;
        self.changed.notify_all();
    }

    /// The mask to be snapped, or that nobody wants it any more.
    pub fn snap(&self, snap: Option<Snap>) {
        self.lock().snap = snap;
        self.changed.notify_all();
    }

    /// What a click would give, or that nobody wants to know any more.
    pub fn preview(&self, ask: Option<Ask>) {
        self.lock().preview = ask;
        self.changed.notify_all();
    }

    /// The pictures to compute ahead, the shown one first. A jump elsewhere ends what runs.
    pub fn ahead(&self, pictures: Vec<Picture>) {
        let mut inner = self.lock();
        let first = |list: &[Picture]| list.first().map(|p| p.1);
        let has_jumped = first(&inner.ahead) != first(&pictures);
        if let Some((key, _)) = &inner.running {
            let is_wanted = pictures.iter().any(|p| p.1 == *key);
            let is_first = first(&pictures) == Some(*key);
            if !is_wanted || (has_jumped && !is_first) {
                inner.stop_running();
            }
        }
        inner.ahead = pictures;
        self.changed.notify_all();
    }

    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.stop_running();
        self.changed.notify_all();
    }

    /// What the engine's thread does next; `None` means go home.
    pub fn next(&self) -> Option<Job> {
        self.wait(|inner| {
            if let Some(name) = inner.engine.take() {
                return Some(Job::Open(name));
            }
            if let Some(ask) = inner.ask.take() {
                return Some(Job::Answer(ask));
            }
            if let Some(hints) = inner.hints.take() {
                return Some(Job::Find(hints));
            }
            if let Some(ask) = inner.aside.take() {
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
            let stand_in = inner.meanwhile.take().map(Meanwhile::StandIn);
            stand_in
                .or_else(|| inner.snap.take().map(Meanwhile::Snap))
                .or_else(|| inner.preview.take().map(Meanwhile::Preview))
        })
    }

    fn wait<T>(&self, look: impl Fn(&mut Inner) -> Option<T>) -> Option<T> {
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
        inner.running = None;
        inner.ready.insert(key);
    }

    /// Whether something waits that goes before a search in a picture, or another one is shown.
    pub fn is_newer_waiting(&self, key: u64) -> bool {
        let inner = self.lock();
        let has_jumped = inner.ahead.first().is_some_and(|shown| shown.1 != key);
        let waits = inner.ask.is_some() || inner.hints.is_some() || inner.engine.is_some();
        inner.closed || has_jumped || waits
    }

    /// Notes that nothing is encoded any more.
    pub fn stopped(&self) {
        self.lock().running = None;
    }
}

impl Inner {
    fn start(&mut self, key: u64) -> Cancel {
        let cancel = Cancel::default();
        self.running = Some((key, cancel.clone()));
        cancel
    }

    fn stop_running(&mut self) {
        if let Some((_, cancel)) = self.running.take() {
            cancel.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::core::geometry::Size;
    use crate::core::prompt::Prompt;
    use crate::segment::Question;

    fn picture(key: u64) -> Picture {
        let image = Image::from_rgb(Size::new(1, 1), vec![0; 3]);
        (Arc::new(image), key)
    }

    fn ask(key: u64) -> Ask {
        Ask {
            path: PathBuf::from("a.png"),
            question: Question::new(&picture(key).0, key, Prompt::default()),
            attempt: 0,
        }
    }

    /// A desk whose engine, a slow one, has been opened.
    fn desk() -> Desk {
        let desk = Desk::default();
        desk.engine("models/sam".into());
        assert!(matches!(desk.next(), Some(Job::Open(_))));
        desk
    }

    fn preparing(desk: &Desk) -> (u64, Cancel) {
        match desk.next() {
            Some(Job::Prepare((_, key), cancel)) => (key, cancel),
            _ => panic!("nothing is computed ahead"),
        }
    }

    #[test]
    fn the_click_net_stands_in_until_a_picture_is_encoded_and_no_longer() {
        let desk = desk();
        desk.ask(ask(1));
        assert!(desk.next_meanwhile().is_some());
        assert!(matches!(desk.next(), Some(Job::Answer(_))));
        desk.done(1);
        desk.ask(ask(1));
        assert!(desk.lock().meanwhile.is_none());
    }

    #[test]
    fn an_engine_that_answers_at_once_has_no_stand_in_and_computes_nothing_ahead() {
        let desk = Desk::default();
        desk.engine("grabcut".into());
        assert!(matches!(desk.next(), Some(Job::Open(_))));
        desk.ahead(vec![picture(1)]);
        desk.ask(ask(1));
        assert!(desk.lock().meanwhile.is_none());
        assert!(matches!(desk.next(), Some(Job::Answer(_))));
    }

    #[test]
    fn the_shown_picture_is_encoded_first_and_its_neighbours_next() {
        let desk = desk();
        desk.ahead(vec![picture(1), picture(2)]);
        assert_eq!(preparing(&desk).0, 1);
        desk.done(1);
        let (key, cancel) = preparing(&desk);
        assert_eq!(key, 2);
        // One more neighbour was read meanwhile: what runs is still wanted.
        desk.ahead(vec![picture(1), picture(2), picture(3)]);
        assert!(!cancel.is_cancelled());
    }

    #[test]
    fn a_jump_and_a_question_about_another_picture_end_what_runs() {
        let desk = desk();
        desk.ahead(vec![picture(1), picture(2)]);
        let (_, first) = preparing(&desk);
        desk.ahead(vec![picture(8), picture(9)]);
        assert!(first.is_cancelled());
        let (key, second) = preparing(&desk);
        assert_eq!(key, 8);
        desk.ask(ask(8));
        assert!(!second.is_cancelled(), "it is what the question waits for");
        desk.ask(ask(9));
        assert!(second.is_cancelled());
    }
}
