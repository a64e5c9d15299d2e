//! Does what the state wants, on threads; answers come back on the one event channel.

mod desk;
mod disk;
pub mod lessons;
mod segmenter;
mod shelf;
mod slot;
mod small;
mod wish;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::action::{Outcome, Survey, Wants};
use crate::core::printable::printable;
use crate::store::folder;
use crate::store::index;
use crate::store::survey;
use crate::term;

use desk::Desk;
use disk::DiskJob;
use shelf::Shelf;
use slot::Slot;
use small::Small;

/// What happens: the terminal's events and the world's answers, in the order they came.
#[derive(Debug)]
pub enum Event {
    Terminal(term::Event),
    Outcome(Outcome),
}

pub struct Workers {
    desk: Arc<Desk>,
    shelf: Arc<Slot<Shelf>>,
    small: Arc<Slot<Small>>,
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
        let small = Slot::new();
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
                move |events| shelf::decode_all(&shelf, &desk, &disk, events)
            }),
            guarded("disk", events, move |events| disk::write_all(&jobs, events)),
            guarded("draw", events, {
                let small = Arc::clone(&small);
                move |events| small::draw_all(&small, events)
            }),
        ];
        // The walk of a huge folder is not waited for at the end.
        drop(guarded("walk", events, move |events| {
            // Sorting a million names must not keep pictures waiting for the threads they share.
            let threads = rayon::ThreadPoolBuilder::new().build();
            let threads = threads.expect("the system can start threads");
            threads.install(|| walk(&paths, events));
        }));
        Self {
            desk,
            shelf,
            small,
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
        let shelf = |w: &Wants| (w.open.clone(), w.ahead.clone(), w.window);
        if shelf(&wants) != shelf(&self.last) {
            let (open, ahead, window) = shelf(&wants);
            self.shelf.put(Shelf {
                open,
                ahead,
                window,
            });
        }
        if (&wants.sheet, &wants.thumbnails) != (&self.last.sheet, &self.last.thumbnails) {
            self.small.put(Small {
                sheet: wants.sheet.clone(),
                thumbnails: wants.thumbnails.clone(),
            });
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
        if wants.aside != self.last.aside {
            self.desk.aside(wants.aside.clone());
        }
        if wants.snap != self.last.snap {
            self.desk.snap(wants.snap.clone());
        }
        if wants.preview != self.last.preview {
            self.desk.preview(wants.preview.clone());
        }
        if wants.switches != self.last.switches
            && let Some((file, switches)) = wants.switches.clone()
        {
            self.send(DiskJob::Switch(file, switches));
        }
        if wants.adapt != self.last.adapt
            && let Some(adapt) = wants.adapt.clone()
        {
            // What is not learnt when the app ends is not kept.
            drop(guarded("adapt", &self.events, move |events| {
                tell(events, Outcome::Adapted(lessons::follow(&adapt)));
            }));
        }
        if wants.tracks != self.last.tracks
            && let Some(tracks) = wants.tracks.clone()
        {
            self.send(DiskJob::Track(tracks));
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
        self.small.close();
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
fn caught<T>(doing: &str, path: &Path, job: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).map_err(|_| {
        format!(
            "{doing} {} broke down; all that was saved is safe, go on with another image or \
             engine, and please report it with the file",
            printable(path)
        )
    })
}

fn tell(events: &Sender<Event>, outcome: Outcome) {
    // Nobody listens any more when the app is on its way out.
    let _ = events.send(Event::Outcome(outcome));
}

fn walk(paths: &[PathBuf], events: &Sender<Event>) {
    /// How long the first picture waits for being the list's first.
    const PATIENCE: Duration = Duration::from_millis(500);
    let mut folders: Vec<(PathBuf, usize)> = Vec::new();
    let mut found = |place, batch: Vec<PathBuf>| {
        for folder in batch.iter().filter_map(|image| image.parent()) {
            match folders.last_mut().filter(|(last, _)| last == folder) {
                Some((_, images)) => *images += 1,
                None => folders.push((folder.to_path_buf(), 1)),
            }
        }
        events
            .send(Event::Outcome(Outcome::Found(place, batch)))
            .is_ok()
    };
    if let Err(why) = folder::list(paths, PATIENCE, &mut found) {
        tell(events, Outcome::Failed(why.to_string()));
    }
    tell(events, Outcome::Walked);
    // Whoever opens one image of a folder does not ask for the others.
    for (folder, _) in folders.into_iter().filter(|(_, images)| *images > 1) {
        stand(&folder, events);
    }
}

/// Tells how far a folder's images are.
fn stand(folder: &Path, events: &Sender<Event>) {
    let mut found = |batch| {
        let outcome = Outcome::Standings(folder.to_path_buf(), batch);
        events.send(Event::Outcome(outcome)).is_ok()
    };
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    // A folder that cannot be read any more was told by the walk, or is by its images.
    let _ = index::standings(here, &mut found);
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
