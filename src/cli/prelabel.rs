//! `termask prelabel`: proposals for a whole folder, for people to judge.

mod label;
mod progress;
mod shard;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use self::label::{Earlier, Job, Outcome, Prepared, Where};
use self::progress::{Progress, Step};
use self::shard::Shard;
use super::FOUND;
use super::devices::Devices;
use super::diff::share;
use super::report::{self, tell};
use super::segment::folder_of;
use crate::core::printable::{printable, printable_text};
use crate::segment::proposals::Options;
use crate::segment::{self as engines, Cancel, Engine};
use crate::store::boxes;
use crate::store::masks;
use crate::store::names;
use crate::store::settings;

/// Let an engine propose objects in a whole folder: unseen ones, for the review.
///
/// What a person made stays: a proposal is added only where no object, deleted object or draft
/// shares more than half of their union with it, and never to a finished image. Several processes
/// may work on one folder; each image is written at once or not at all.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("seeds").required(true).args(["boxes", "points"])))]
pub struct Args {
    /// The folder with the images.
    dir: PathBuf,
    /// An engine's name, or a model's file or folder.
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    #[command(flatten)]
    devices: Devices,
    /// Boxes to make masks of: a COCO JSON, a folder of YOLO text files or of Pascal VOC XML files.
    #[arg(long, value_name = "FILE_OR_DIR")]
    boxes: Option<PathBuf>,
    /// Asks at a grid of so many points along the longest side instead, and keeps each thing once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    points: Option<u32>,
    /// Leaves out boxes with a lower score; at points, proposals less confident, 0.7 as it is.
    #[arg(long, value_name = "SCORE", value_parser = share)]
    least_score: Option<f64>,
    /// The class of all objects, instead of the boxes' own; else the folder's first class.
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Takes the ith of n parts of the images; an array job of SLURM does so by itself.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Passes over images where an earlier run added something.
    #[arg(long)]
    resume: bool,
    /// Prints a summary as JSON.
    #[arg(long)]
    json: bool,
}

/// What was done.
#[derive(Debug, Default, Serialize)]
struct Summary {
    engine: String,
    /// The part of all images that was worked on.
    shard: Option<String>,
    /// Images with something to ask.
    images: usize,
    /// Images that were asked about.
    asked: usize,
    objects: usize,
    finished: usize,
    earlier: usize,
    /// Images that others have open, or that cannot be written, with the reason.
    closed: Vec<String>,
    /// Images that could not be read or asked about, with the reason.
    left_out: Vec<String>,
    /// Whether a signal ended it.
    stopped: bool,
    seconds: f64,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let stop = watch_signals()?;
    let start = Instant::now();
    let shard = match args.shard {
        Some(shard) => Some(shard),
        None => Shard::of_slurm(|name| std::env::var(name).ok())?,
    };
    let jobs = jobs(args)?;
    let jobs = match shard {
        Some(shard) => shard.of(jobs),
        None => jobs,
    };
    let folder = if args.dir.is_dir() {
        args.dir.clone()
    } else {
        folder_of(&args.dir)
    };
    let settings = settings::load(&folder)?;
    let name = args.engine.as_deref().or(settings.engine.as_deref());
    let name = name.unwrap_or("click");
    let first = settings.classes.first().map(|c| c.name.clone());
    let class = |own: Option<&str>| -> Arc<str> {
        let known = args.class.as_deref().or(own).or(first.as_deref());
        Arc::from(known.unwrap_or("object"))
    };
    let mut engines = args.devices.each(|on| engines::open_on(on, name))?;
    for engine in &engines {
        report::note(&**engine);
    }
    let labeller = Labeller {
        class: &class,
        earlier: if args.resume {
            Earlier::PassOver
        } else {
            Earlier::AskAgain
        },
        stop: &stop,
        told: Mutex::new(Told {
            progress: Progress::new(jobs.len()),
            summary: Summary {
                engine: name.to_owned(),
                shard: shard.map(|s| s.to_string()),
                images: jobs.len(),
                ..Summary::default()
            },
        }),
    };
    let closed = labeller.pass(&mut engines, &jobs);
    // Who had them open may be done by now.
    let closed: Vec<Job> = closed.into_iter().map(|(job, _)| job.clone()).collect();
    let still = labeller.pass(&mut engines, &closed);
    let why_closed = |(job, why): &(&Job, String)| format!("{}: {why}", printable(&job.path));
    let Told {
        progress,
        mut summary,
    } = labeller
        .told
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    progress.end();
    summary.closed = still.iter().map(why_closed).collect();
    summary.stopped = stop.is_cancelled();
    summary.seconds = start.elapsed().as_secs_f64();
    report(args, &summary)
}

/// The first signal lets the image in work be finished; the second ends the program at once.
fn watch_signals() -> Result<Cancel> {
    let stop = Cancel::default();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let handle = stop.clone();
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            let mut signals = signals.forever();
            if signals.next().is_some() {
                handle.cancel();
            }
            if let Some(signal) = signals.next() {
                signal_hook::low_level::exit(128 + signal);
            }
        })?;
    Ok(stop)
}

/// The images to ask about, in the order of their names: each process finds the same.
fn jobs(args: &Args) -> Result<Vec<Job>> {
    let paths = masks::images_under(&args.dir)?;
    if let Some(place) = &args.boxes {
        return with_boxes(args, place, &paths);
    }
    let along = args.points.expect("clap demands boxes or points");
    let seeds = Where::Grid {
        along,
        least: args
            .least_score
            .map_or(Options::default().least_confidence, |s| s as f32),
    };
    let job = |path| Job {
        path,
        size: None,
        seeds: seeds.clone(),
    };
    Ok(paths.into_iter().map(job).collect())
}

/// The images that have boxes.
fn with_boxes(args: &Args, place: &Path, paths: &[PathBuf]) -> Result<Vec<Job>> {
    let mut boxed = boxes::read(place)?;
    let least = args.least_score.unwrap_or(0.0);
    for image in &mut boxed {
        let is_sure = |score: Option<f32>| score.is_none_or(|s| f64::from(s) >= least);
        image.boxes.retain(|b| is_sure(b.score));
    }
    boxed.retain(|image| !image.boxes.is_empty());
    let here: Vec<String> = paths
        .iter()
        .map(|p| masks::name_below(&args.dir, p))
        .collect();
    let there: Vec<String> = boxed.iter().map(|b| b.name.clone()).collect();
    let pairs = names::pair(&here, &there);
    if let Some(missing) = boxed.len().checked_sub(pairs.len()).filter(|n| *n > 0) {
        tell(&format!(
            "{missing} images of {} are not under {}",
            printable(place),
            printable(&args.dir)
        ));
    }
    let job = |(i, j): (usize, usize)| Job {
        path: paths[i].clone(),
        size: boxed[j].size,
        seeds: Where::Boxes(boxed[j].boxes.clone()),
    };
    Ok(pairs.into_iter().map(job).collect())
}

struct Labeller<'a> {
    class: &'a (dyn Fn(Option<&str>) -> Arc<str> + Sync),
    earlier: Earlier,
    stop: &'a Cancel,
    told: Mutex<Told>,
}

/// What the person hears of.
struct Told {
    progress: Progress,
    summary: Summary,
}

impl Labeller<'_> {
    /// Lets each engine take images until none is left. Gives back those that others have open.
    fn pass<'j>(&self, engines: &mut [Box<dyn Engine>], jobs: &'j [Job]) -> Vec<(&'j Job, String)> {
        let queue = Mutex::new(jobs.iter());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        thread::scope(|scope| {
            let work = |engine| scope.spawn(|| self.work(engine, &next));
            let workers: Vec<_> = engines.iter_mut().map(work).collect();
            let closed = workers
                .into_iter()
                .map(|w| w.join().expect("a panic ends all"));
            closed.flatten().collect()
        })
    }

    /// Works through what `next` gives; the next image is decoded meanwhile.
    fn work<'j>(
        &self,
        engine: &mut Box<dyn Engine>,
        next: &(dyn Fn() -> Option<&'j Job> + Sync),
    ) -> Vec<(&'j Job, String)> {
        let (give, take) = mpsc::sync_channel(1);
        let earlier = self.earlier;
        thread::scope(|scope| {
            scope.spawn(move || {
                while let Some(job) = next() {
                    if give.send((job, label::prepare(job, earlier))).is_err() {
                        return;
                    }
                }
            });
            let mut closed = Vec::new();
            for (job, prepared) in take {
                if self.stop.is_cancelled() {
                    break;
                }
                let why = self.one(&mut **engine, job, prepared);
                closed.extend(why.map(|why| (job, why)));
            }
            closed
        })
    }

    /// Labels one image; tells why if it is closed.
    fn one(
        &self,
        engine: &mut dyn Engine,
        job: &Job,
        prepared: Result<Prepared>,
    ) -> Option<String> {
        let outcome = prepared.and_then(|prepared| match prepared {
            Prepared::Settled(outcome) => Ok(outcome),
            Prepared::Ready(decoded) => {
                label::label(job, &decoded, engine, self.class, self.earlier, self.stop)
            }
        });
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let Told { progress, summary } = &mut *told;
        let mut step = Step::Passed;
        match outcome {
            Ok(Outcome::Added(count)) => {
                step = Step::Worked;
                summary.asked += 1;
                summary.objects += count;
            }
            Ok(Outcome::Finished) => summary.finished += 1,
            Ok(Outcome::Earlier) => summary.earlier += 1,
            Ok(Outcome::Closed(why)) => return Some(why),
            Ok(Outcome::Stopped) => return None,
            Err(why) => {
                let why = printable_text(&format!("{why:#}"));
                progress.say(&format!("left out: {why}"));
                summary.left_out.push(why);
            }
        }
        progress.step(step);
        None
    }
}

fn report(args: &Args, summary: &Summary) -> Result<ExitCode> {
    if args.json {
        println!("{}", serde_json::to_string(summary)?);
    } else {
        println!(
            "{} objects in {} images ({} finished and {} of an earlier run passed over), {:.1} s",
            summary.objects, summary.asked, summary.finished, summary.earlier, summary.seconds
        );
    }
    for why in &summary.closed {
        tell(&format!("left for later: {why}"));
    }
    let remedy = "--resume goes on where it stopped";
    if summary.stopped {
        tell(&format!("stopped by a signal; {remedy}"));
    } else if !summary.closed.is_empty() {
        tell(&format!(
            "{} images are left; {remedy}",
            summary.closed.len()
        ));
    }
    let is_whole = !summary.stopped && summary.closed.is_empty() && summary.left_out.is_empty();
    Ok(if is_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    })
}
