//! The engine that answers prompts: what it is asked, what it computes ahead, and the click net
//! that stands in for it while a picture is being encoded.

use std::collections::HashSet;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::action::{Answer, Ask, Hint, Hints, Outcome};
use super::workers::{Event, caught, tell};
use crate::core::distance::Depths;
use crate::core::document::Proposal;
use crate::core::image::Image;
use crate::segment::proposals::{self, propose_everywhere};
use crate::segment::{self, BUILT_IN, Cancel, Engine, Error};

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
    /// The question for the click net.
    meanwhile: Option<Ask>,
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
enum Job {
    Open(String),
    Answer(Ask),
    Find(Hints),
    Prepare(Picture, Cancel),
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

    fn next(&self) -> Option<Job> {
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return None;
            }
            if let Some(name) = inner.engine.take() {
                return Some(Job::Open(name));
            }
            if let Some(ask) = inner.ask.take() {
                return Some(Job::Answer(ask));
            }
            if let Some(hints) = inner.hints.take() {
                return Some(Job::Find(hints));
            }
            let unready = |p: &&Picture| inner.is_slow && !inner.ready.contains(&p.1);
            if let Some(picture) = inner.ahead.iter().find(unready).cloned() {
                let cancel = inner.start(picture.1);
                return Some(Job::Prepare(picture, cancel));
            }
            inner = self
                .changed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn next_meanwhile(&self) -> Option<Ask> {
        let mut inner = self.lock();
        loop {
            if inner.closed {
                return None;
            }
            if let Some(ask) = inner.meanwhile.take() {
                return Some(ask);
            }
            inner = self
                .changed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn start(&self, key: u64) -> Cancel {
        self.lock().start(key)
    }

    /// Notes that a picture is encoded, or cannot be: it is not tried again by itself.
    fn done(&self, key: u64) {
        let mut inner = self.lock();
        inner.running = None;
        inner.ready.insert(key);
    }

    /// Whether something waits that goes before a search in a picture, or another one is shown.
    fn is_newer_waiting(&self, key: u64) -> bool {
        let inner = self.lock();
        let has_jumped = inner.ahead.first().is_some_and(|shown| shown.1 != key);
        let waits = inner.ask.is_some() || inner.hints.is_some() || inner.engine.is_some();
        inner.closed || has_jumped || waits
    }

    fn stopped(&self) {
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

/// Answers with the chosen engine and computes ahead, until the desk is closed.
pub fn answer_all(desk: &Desk, events: &Sender<Event>) {
    let mut name = String::new();
    let mut engine: Opened = None;
    while let Some(job) = desk.next() {
        match job {
            Job::Open(wanted) => {
                name = wanted;
                engine = None;
                match segment::open(&name) {
                    Ok(opened) => {
                        tell(events, Outcome::EngineReady(opened.name().into()));
                        if let Some(note) = opened.note() {
                            tell(events, Outcome::Failed(note));
                        }
                        engine = Some(opened);
                    }
                    Err(why) => tell(events, Outcome::Failed(why.to_string())),
                }
            }
            Job::Answer(ask) => answer(desk, &name, &mut engine, ask, events),
            Job::Find(hints) => find(desk, &name, &mut engine, hints, events),
            Job::Prepare((image, key), cancel) => {
                let Some(engine) = engine.as_mut() else {
                    desk.done(key);
                    continue;
                };
                match engine.prepare(&image, key, &cancel) {
                    Err(Error::Cancelled) => desk.stopped(),
                    // What does not work is told when it is asked for.
                    Ok(()) | Err(_) => desk.done(key),
                }
            }
        }
    }
}

type Opened = Option<Box<dyn Engine>>;

/// Does a job with the engine on a picture, which is encoded first. An engine that broke down is
/// not asked again: the next job gets a new one.
fn with_engine<T>(
    desk: &Desk,
    name: &str,
    engine: &mut Opened,
    (path, image, key): (&Path, &Image, u64),
    job: impl FnOnce(&mut dyn Engine) -> Result<T, Error>,
) -> Result<Result<T, Error>, String> {
    let asked = caught("segmenting", path, || {
        let mut fit = match engine.take() {
            Some(engine) => engine,
            None => segment::open(name)?,
        };
        let prepared = fit.prepare(image, key, &desk.start(key));
        let is_ready = prepared.is_ok();
        let result = prepared.and_then(|()| job(fit.as_mut()));
        *engine = Some(fit);
        if is_ready {
            desk.done(key);
        }
        result
    });
    desk.stopped();
    asked
}

fn answer(desk: &Desk, name: &str, engine: &mut Opened, ask: Ask, events: &Sender<Event>) {
    let start = Instant::now();
    let question = &ask.question;
    let picture = (&*ask.path, &*question.image, question.image_key);
    let asked = with_engine(desk, name, engine, picture, |e| e.propose(question));
    match asked {
        Ok(Ok(proposals)) => {
            let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
            let answer = Answer {
                ask,
                proposals,
                milliseconds,
                is_final: true,
            };
            tell(events, Outcome::Proposed(Box::new(answer)));
        }
        Ok(Err(Error::Cancelled)) => {}
        Ok(Err(why)) => tell(events, Outcome::Unanswered(ask.path, why.to_string())),
        Err(why) => tell(events, Outcome::Unanswered(ask.path, why)),
    }
}

fn find(desk: &Desk, name: &str, engine: &mut Opened, hints: Hints, events: &Sender<Event>) {
    let picture = (&*hints.path, &*hints.image, hints.key);
    let asked = with_engine(desk, name, engine, picture, |e| {
        // A coarser grid than a batch would take: a person waits for the letters.
        let options = proposals::Options {
            seeds: proposals::Seeds::Grid(8),
            ..proposals::Options::default()
        };
        // A prompt that comes meanwhile goes first; what is still wanted is then asked anew.
        let stop = || desk.is_newer_waiting(hints.key);
        let found = propose_everywhere(e, &hints.image, hints.key, &options, &stop)?;
        let hint = |proposal: Proposal| {
            let (_, at) = Depths::of(&proposal.mask).deepest(&[])?;
            Some(Hint { proposal, at })
        };
        Ok(found.into_iter().filter_map(hint).collect())
    });
    match asked {
        Ok(Ok(found)) => tell(events, Outcome::Hinted(hints, found)),
        Ok(Err(Error::Cancelled)) => {}
        Ok(Err(why)) => tell(events, Outcome::Failed(why.to_string())),
        Err(why) => tell(events, Outcome::Failed(why)),
    }
}

/// Answers with the click net what the engine cannot answer yet, until the desk is closed.
pub fn stand_in(desk: &Desk, events: &Sender<Event>) {
    let mut net: Option<Box<dyn Engine>> = None;
    while let Some(ask) = desk.next_meanwhile() {
        let start = Instant::now();
        let asked = caught("segmenting", &ask.path, || {
            let mut fit = match net.take() {
                Some(net) => net,
                None => segment::open("click")?,
            };
            let result = fit.propose(&ask.question);
            net = Some(fit);
            result
        });
        // The engine's own answer is on its way: a stand-in that fails need not be told.
        if let Ok(Ok(proposals)) = asked {
            let answer = Answer {
                ask,
                proposals,
                milliseconds: start.elapsed().as_secs_f64() * 1000.0,
                is_final: false,
            };
            tell(events, Outcome::Proposed(Box::new(answer)));
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
