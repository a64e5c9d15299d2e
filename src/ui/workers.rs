//! Does what the state wants, on threads; answers come back on the one event channel.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::action::{OpenedImage, Outcome, Save, Survey, Wants};
use super::segmenter::{self, Desk, Picture};
use crate::core::printable::printable;
use crate::core::scene::Photo;
use crate::store::decode::{self, Decoded};
use crate::store::folder;
use crate::store::settings::{self, Class};
use crate::store::sidecar::Sidecar;
use crate::store::survey;
use crate::store::verdicts::{self, Line};
use crate::term;

/// What happens: the terminal's events and the world's answers, in the order they came.
#[derive(Debug)]
pub enum Event {
    Terminal(term::Event),
    Outcome(Outcome),
}

/// A mailbox of one: a newer question replaces the one still waiting.
#[derive(Debug)]
struct Slot<T>(Mutex<Inner<T>>, Condvar);

#[derive(Debug)]
struct Inner<T> {
    waiting: Option<T>,
    closed: bool,
}

impl<T> Slot<T> {
    fn new() -> Arc<Self> {
        let inner = Inner {
            waiting: None,
            closed: false,
        };
        Arc::new(Self(Mutex::new(inner), Condvar::new()))
    }

    fn put(&self, value: T) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .waiting = Some(value);
        self.1.notify_one();
    }

    fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.1.notify_one();
    }

    /// Waits for something to do; `None` means go home.
    fn take(&self) -> Option<T> {
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

    fn is_newer_waiting(&self) -> bool {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.waiting.is_some() || inner.closed
    }
}

/// Images that shall be in memory: the first is to be shown, the others may be next.
type Shelf = (Option<PathBuf>, Vec<PathBuf>);

/// What the disk thread does, every one and in order.
#[derive(Debug)]
enum DiskJob {
    Open(PathBuf, Decoded),
    Save(Save),
    AddClass(PathBuf, Class),
    Log(PathBuf, Vec<Arc<Line>>),
}

pub struct Workers {
    desk: Arc<Desk>,
    shelf: Arc<Slot<Shelf>>,
    disk: Option<Sender<DiskJob>>,
    threads: Vec<JoinHandle<()>>,
    settings_file: PathBuf,
    events: Sender<Event>,
    last: Wants,
    /// Lines of the review's log that were sent to the disk thread.
    logged: u64,
}

impl Workers {
    /// Starts the threads. `engine` is opened on the segment thread, so that the first picture
    /// does not wait for it.
    pub fn start(
        paths: Vec<PathBuf>,
        engine: String,
        settings_file: PathBuf,
        events: &Sender<Event>,
    ) -> Self {
        let desk = Arc::new(Desk::default());
        desk.engine(engine);
        let shelf = Slot::new();
        let (disk, jobs) = mpsc::channel();
        let threads = vec![
            guarded("segment", events, {
                let desk = Arc::clone(&desk);
                move |events| segmenter::answer_all(&desk, events)
            }),
            guarded("stand-in", events, {
                let desk = Arc::clone(&desk);
                move |events| segmenter::stand_in(&desk, events)
            }),
            guarded("decode", events, {
                let (shelf, desk, disk) = (Arc::clone(&shelf), Arc::clone(&desk), disk.clone());
                move |events| decode_all(&shelf, &desk, &disk, events)
            }),
            guarded("disk", events, move |events| write_all(&jobs, events)),
        ];
        // The walk of a huge folder is not waited for at the end.
        drop(guarded("walk", events, move |events| walk(&paths, events)));
        Self {
            desk,
            shelf,
            disk: Some(disk),
            threads,
            settings_file,
            events: events.clone(),
            logged: 0,
            last: Wants::default(),
        }
    }

    /// Starts whatever is wanted now and was not wanted before.
    pub fn follow(&mut self, wants: Wants) {
        if wants.save != self.last.save
            && let Some(save) = wants.save.clone()
        {
            self.send(DiskJob::Save(save));
        }
        if wants.open != self.last.open || wants.ahead != self.last.ahead {
            self.shelf.put((wants.open.clone(), wants.ahead.clone()));
        }
        if wants.engine != self.last.engine
            && let Some((engine, _)) = &wants.engine
        {
            self.desk.engine(engine.clone());
        }
        let has_asked = wants.answer != self.last.answer;
        if let Some(ask) = wants.answer.clone().filter(|_| has_asked) {
            self.desk.ask(ask);
        }
        // A prompt ends a search for hints; what is still wanted is searched for anew.
        let searches = has_asked || wants.hints != self.last.hints;
        if let Some(hints) = wants.hints.clone().filter(|_| searches) {
            self.desk.hint(hints);
        }
        if wants.class != self.last.class
            && let Some(class) = wants.class.clone()
        {
            self.send(DiskJob::AddClass(self.settings_file.clone(), class));
        }
        if wants.survey != self.last.survey
            && let Some(wanted) = wants.survey.clone()
        {
            // A survey that nobody waits for any more is read to its end in the background.
            drop(guarded("survey", &self.events, move |events| {
                look(&wanted, events);
            }));
        }
        self.log(&wants);
        self.last = wants;
    }

    fn log(&mut self, wants: &Wants) {
        let new = wants.verdicts.iter().filter(|l| l.serial >= self.logged);
        let new: Vec<_> = new.cloned().collect();
        let (Some(last), Some(file)) = (new.last(), wants.log.clone()) else {
            return;
        };
        self.logged = last.serial + 1;
        self.send(DiskJob::Log(file, new));
    }

    fn send(&self, job: DiskJob) {
        // The receiver is gone only after a panic of the disk thread, which was told already.
        let _ = self.disk.as_ref().expect("open until drop").send(job);
    }
}

impl Drop for Workers {
    /// Waits for the saves in the queue; questions may be forgotten.
    fn drop(&mut self) {
        self.desk.close();
        self.shelf.close();
        self.disk.take();
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

/// A thread whose panic is told to the person instead of being lost.
fn guarded(
    name: &'static str,
    events: &Sender<Event>,
    work: impl FnOnce(&Sender<Event>) + Send + 'static,
) -> JoinHandle<()> {
    let events = events.clone();
    let body = move || {
        let work = std::panic::AssertUnwindSafe(|| work(&events));
        if std::panic::catch_unwind(work).is_err() {
            let why = format!(
                "the {name} worker broke down; all that was saved is safe, restart termask"
            );
            tell(&events, Outcome::Failed(why));
        }
    };
    thread::Builder::new()
        .name(name.into())
        .spawn(body)
        .expect("the system can start a thread")
}

/// Does one job; a panic in it becomes words that name the file, and the worker lives on.
pub(super) fn caught<T>(doing: &str, path: &Path, job: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).map_err(|_| {
        format!(
            "{doing} {} broke down; all that was saved is safe, go on with another image or \
             engine, and please report it with the file",
            printable(path)
        )
    })
}

pub(super) fn tell(events: &Sender<Event>, outcome: Outcome) {
    // Nobody listens any more when the app is on its way out.
    let _ = events.send(Event::Outcome(outcome));
}

fn walk(paths: &[PathBuf], events: &Sender<Event>) {
    let mut found = |batch| events.send(Event::Outcome(Outcome::Found(batch))).is_ok();
    if let Err(why) = folder::walk(paths, &mut found) {
        tell(events, Outcome::Failed(why.to_string()));
    }
    tell(events, Outcome::Walked);
}

fn look(wanted: &Survey, events: &Sender<Event>) {
    let serial = wanted.serial;
    let mut found = |batch| {
        let outcome = Outcome::Surveyed(serial, batch);
        events.send(Event::Outcome(outcome)).is_ok()
    };
    let problems = survey::survey(&wanted.images, wanted.from, &wanted.filter, &mut found);
    tell(events, Outcome::SurveyEnded(serial, problems));
}

/// How many bytes of decoded images are kept at hand.
const SHELF_BYTES: usize = 512 << 20;

fn decode_all(shelf: &Slot<Shelf>, desk: &Desk, disk: &Sender<DiskJob>, events: &Sender<Event>) {
    let mut kept: VecDeque<(PathBuf, Decoded)> = VecDeque::new();
    let mut shown: Option<PathBuf> = None;
    while let Some((open, ahead)) = shelf.take() {
        let mut pictures: Vec<Picture> = Vec::new();
        let picture = |decoded: &Decoded| (Arc::clone(&decoded.image), decoded.key);
        if shown == open {
            let here = kept.iter().find(|(p, _)| Some(p) == open.as_ref());
            pictures.extend(here.map(|(_, decoded)| picture(decoded)));
        } else if let Some(path) = open {
            match fetch(&mut kept, &path) {
                Ok(decoded) => {
                    pictures.push(picture(&decoded));
                    let _ = disk.send(DiskJob::Open(path.clone(), decoded));
                    shown = Some(path);
                }
                Err(why) => {
                    shown = None;
                    tell(events, Outcome::OpenFailed(path, why));
                }
            }
        }
        desk.ahead(pictures.clone());
        for path in ahead {
            if shelf.is_newer_waiting() {
                break;
            }
            // A neighbour that cannot be read is told when it is its turn.
            if let Ok(decoded) = fetch(&mut kept, &path) {
                pictures.push(picture(&decoded));
                desk.ahead(pictures.clone());
                let Decoded { key, image, .. } = decoded;
                tell(events, Outcome::Ahead(path, Photo { key, image }));
            }
        }
    }
}

fn fetch(kept: &mut VecDeque<(PathBuf, Decoded)>, path: &Path) -> Result<Decoded, String> {
    if let Some(i) = kept.iter().position(|(p, _)| p == path) {
        let found = kept.remove(i).expect("just found");
        let decoded = found.1.clone();
        kept.push_back(found);
        return Ok(decoded);
    }
    let decoded = caught("decoding", path, || decode::decode(path))?.map_err(|e| e.to_string())?;
    kept.push_back((path.to_path_buf(), decoded.clone()));
    let bytes = |kept: &VecDeque<(PathBuf, Decoded)>| -> usize {
        kept.iter().map(|(_, d)| d.image.pixels().len()).sum()
    };
    while kept.len() > 1 && bytes(kept) > SHELF_BYTES {
        kept.pop_front();
    }
    Ok(decoded)
}

fn write_all(jobs: &Receiver<DiskJob>, events: &Sender<Event>) {
    // One image is open at a time; its sidecar's lock goes when the next one comes.
    let mut open: HashMap<PathBuf, Sidecar> = HashMap::new();
    for job in jobs {
        match job {
            DiskJob::Open(path, decoded) => {
                open.clear();
                match Sidecar::open(&path, &decoded) {
                    Ok(opened) => {
                        let image = OpenedImage {
                            path: path.clone(),
                            decoded,
                            history: opened.history,
                            access: opened.sidecar.access.clone(),
                            notes: opened.notes,
                        };
                        open.insert(path, opened.sidecar);
                        tell(events, Outcome::Opened(Box::new(image)));
                    }
                    Err(why) => tell(events, Outcome::OpenFailed(path, why.to_string())),
                }
            }
            DiskJob::Save(save) => {
                let revision = save.history.revision();
                let Some(sidecar) = open.get_mut(&save.path) else {
                    continue;
                };
                match sidecar.save(&save.history) {
                    Ok(()) => {
                        tell(events, Outcome::Saved(save.path.clone(), revision));
                        let merged = sidecar.take_merged();
                        if let Some((document, notes)) =
                            merged.filter(|(d, _)| d != save.history.now())
                        {
                            let document = Box::new(document);
                            let outcome = Outcome::Merged(save.path, revision, document, notes);
                            tell(events, outcome);
                        }
                    }
                    Err(why) => {
                        tell(
                            events,
                            Outcome::SaveFailed(save.path, revision, why.to_string()),
                        );
                    }
                }
            }
            DiskJob::Log(file, lines) => {
                let last = lines.last().map_or(0, |l| l.serial);
                match verdicts::append(&file, &lines) {
                    Ok(()) => tell(events, Outcome::Logged(last)),
                    Err(why) => tell(events, Outcome::Failed(why.to_string())),
                }
            }
            DiskJob::AddClass(file, class) => match settings::add_class(&file, &class) {
                Ok(()) => tell(events, Outcome::ClassSaved(class.name)),
                Err(why) => tell(events, Outcome::Failed(why.to_string())),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_breaks_down_is_told_with_its_file() {
        let path = Path::new("/photos/cat\u{1b}.jpg");
        let why = caught("decoding", path, || -> u8 { panic!("odd bytes") }).expect_err("panicked");
        assert!(why.contains("decoding") && why.contains("cat"), "{why}");
        assert!(
            !why.contains('\u{1b}'),
            "no escape reaches the terminal: {why}"
        );
        assert_eq!(caught("decoding", path, || 7), Ok(7));
    }

    #[test]
    fn a_worker_that_breaks_down_is_told_and_does_not_end_the_program() {
        let (events, received) = mpsc::channel();
        guarded("disk", &events, |_| panic!("lost"))
            .join()
            .expect("caught");
        let Ok(Event::Outcome(Outcome::Failed(why))) = received.recv() else {
            panic!("nothing was told");
        };
        assert!(
            why.contains("disk") && why.contains("restart termask"),
            "{why}"
        );
    }
}
