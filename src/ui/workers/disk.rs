//! The one thread that writes files: every job, in order; of several saves of one image that wait,
//! only the newest is written.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use super::{Event, tell};
use crate::core::printable::printable;
use crate::store::decode::Decoded;
use crate::store::settings::{self, Class, Switches};
use crate::store::sidecar::{Access, Sidecar};
use crate::store::verdicts::{self, Line};
use crate::ui::action::{OpenedImage, Outcome, Save, Tracks};

/// What the disk thread does, every one and in order.
#[derive(Debug)]
pub enum DiskJob {
    Open(PathBuf, Decoded),
    Save(Save),
    AddClass(PathBuf, Class),
    Log(PathBuf, Vec<Arc<Line>>),
    /// Keeps what the person switched on and off.
    Switch(PathBuf, Switches),
    /// Gives objects of an image that is not open any more their tracks.
    Track(Arc<Tracks>),
}

/// The jobs that wait.
struct Queue<'a> {
    sent: &'a Receiver<DiskJob>,
    waiting: VecDeque<DiskJob>,
}

impl Iterator for Queue<'_> {
    type Item = DiskJob;

    /// The next job; `None` once nobody can send one any more. In the place of a save comes the
    /// newest state that waits: quick keys on a large document are one write behind, not many.
    fn next(&mut self) -> Option<DiskJob> {
        if self.waiting.is_empty() {
            self.waiting.push_back(self.sent.recv().ok()?);
        }
        self.waiting.extend(self.sent.try_iter());
        match self.waiting.pop_front()? {
            DiskJob::Save(save) => Some(DiskJob::Save(self.newest(save))),
            job => Some(job),
        }
    }
}

impl Queue<'_> {
    /// Takes out the saves of the same image up to the next opening.
    fn newest(&mut self, mut newest: Save) -> Save {
        let is_open = |job: &DiskJob| matches!(job, DiskJob::Open(..));
        let end = self.waiting.iter().position(is_open);
        let mut place = 0;
        for _ in 0..end.unwrap_or(self.waiting.len()) {
            match &self.waiting[place] {
                DiskJob::Save(save) if save.path == newest.path => {
                    if let Some(DiskJob::Save(save)) = self.waiting.remove(place) {
                        newest = save;
                    }
                }
                _ => place += 1,
            }
        }
        newest
    }
}

/// Does the jobs until nobody can send one any more.
pub fn write_all(jobs: &Receiver<DiskJob>, events: &Sender<Event>) {
    // One image is open at a time; its sidecar's lock goes when the next one comes.
    let mut open: HashMap<PathBuf, Sidecar> = HashMap::new();
    let queue = Queue {
        sent: jobs,
        waiting: VecDeque::new(),
    };
    for job in queue {
        let outcome = match job {
            DiskJob::Open(path, decoded) => {
                open.clear();
                open_sidecar(&mut open, path, decoded)
            }
            DiskJob::Save(job) => {
                let Some(sidecar) = open.get_mut(&job.path) else {
                    continue;
                };
                save(sidecar, job, events);
                continue;
            }
            DiskJob::Log(file, lines) => {
                let last = lines.last().map_or(0, |l| l.serial);
                match verdicts::append(&file, &lines) {
                    Ok(()) => Outcome::Logged(last),
                    Err(why) => Outcome::Failed(why.to_string()),
                }
            }
            DiskJob::Track(tracks) => match track(&tracks) {
                Ok(()) => continue,
                Err(why) => Outcome::Failed(why),
            },
            DiskJob::Switch(file, switches) => match settings::set_switches(&file, switches) {
                Ok(()) => continue,
                Err(why) => Outcome::Failed(why.to_string()),
            },
            DiskJob::AddClass(file, class) => match settings::add_class(&file, &class) {
                Ok(()) => Outcome::ClassSaved(class.name),
                Err(why) => Outcome::Failed(why.to_string()),
            },
        };
        tell(events, outcome);
    }
}

fn open_sidecar(open: &mut HashMap<PathBuf, Sidecar>, path: PathBuf, decoded: Decoded) -> Outcome {
    let opened = match Sidecar::open(&path, &decoded) {
        Ok(opened) => opened,
        Err(why) => return Outcome::OpenFailed(path, why.to_string()),
    };
    let image = OpenedImage {
        path: path.clone(),
        decoded,
        history: opened.history,
        access: opened.sidecar.access.clone(),
        notes: opened.notes,
    };
    open.insert(path, opened.sidecar);
    Outcome::Opened(Box::new(image))
}

/// Writes tracks into a sidecar, without a step of undo.
fn track(tracks: &Tracks) -> Result<(), String> {
    let told = |why: &dyn std::fmt::Display| {
        let name = printable(&tracks.path);
        format!("the tracks are not written beside {name}: {why}")
    };
    let opened = Sidecar::open(&tracks.path, &tracks.decoded).map_err(|why| told(&why))?;
    let (mut sidecar, mut history) = (opened.sidecar, opened.history);
    if let Access::ReadOnly { why } = &sidecar.access {
        return Err(told(why));
    }
    history.amend(|d| {
        for object in &mut d.objects {
            let given = tracks.given.iter().find(|(id, _)| *id == object.id);
            if let (None, Some((_, track))) = (object.track, given) {
                Arc::make_mut(object).track = Some(*track);
            }
        }
    });
    sidecar.save(&history).map_err(|why| told(&why))
}

fn save(sidecar: &mut Sidecar, job: Save, events: &Sender<Event>) {
    let revision = job.history.revision();
    if let Err(why) = sidecar.save(&job.history) {
        let outcome = Outcome::SaveFailed(job.path, revision, why.to_string());
        return tell(events, outcome);
    }
    tell(events, Outcome::Saved(job.path.clone(), revision));
    let merged = sidecar.take_merged();
    if let Some((document, notes)) = merged.filter(|(d, _)| d != job.history.now()) {
        let outcome = Outcome::Merged(job.path, revision, Box::new(document), notes);
        tell(events, outcome);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::core::document::Document;
    use crate::core::geometry::Size;
    use crate::core::history::History;
    use crate::core::image::Image;
    use crate::store::decode::Depth;

    fn save(path: &str, comment: &str) -> DiskJob {
        let history = History::new(Document {
            comment: comment.into(),
            ..Document::default()
        });
        DiskJob::Save(Save {
            path: path.into(),
            history,
        })
    }

    fn decoded() -> Decoded {
        Decoded {
            image: Arc::new(Image::from_rgb(Size::new(1, 1), vec![0; 3])),
            orientation: 1,
            sha256: String::new(),
            key: 0,
            depth: Depth::Bytes,
            notes: Vec::new(),
        }
    }

    fn log() -> DiskJob {
        DiskJob::Log(PathBuf::from("log"), Vec::new())
    }

    #[test]
    fn of_the_saves_that_wait_only_the_newest_is_written() {
        let (jobs, sent) = mpsc::channel();
        let send = |job| jobs.send(job).expect("the queue is there");
        send(save("a", "1"));
        send(log());
        send(save("a", "2"));
        send(save("b", "other"));
        send(save("a", "3"));
        send(DiskJob::Open("c".into(), decoded()));
        send(save("a", "after the opening"));
        drop(jobs);
        let queue = Queue {
            sent: &sent,
            waiting: VecDeque::new(),
        };
        let done = queue.map(|job| match job {
            DiskJob::Save(save) => save.history.now().comment.clone(),
            DiskJob::Open(..) => "open".into(),
            _ => "log".into(),
        });
        let done: Vec<String> = done.collect();
        assert_eq!(done, ["3", "log", "other", "open", "after the opening"]);
    }
}
