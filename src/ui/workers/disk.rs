//! The one thread that writes files: every job, in order.

use std::collections::HashMap;
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

/// Does the jobs until nobody can send one any more.
pub fn write_all(jobs: &Receiver<DiskJob>, events: &Sender<Event>) {
    // One image is open at a time; its sidecar's lock goes when the next one comes.
    let mut open: HashMap<PathBuf, Sidecar> = HashMap::new();
    for job in jobs {
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
