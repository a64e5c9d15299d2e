//! `termask encode`: computes the embeddings of a folder beforehand.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, ensure};
use indicatif::ProgressBar;
use serde_json::json;

use super::FOUND;
use super::devices::Devices;
use crate::core::printable::printable;
use crate::segment::cache::Cache;
use crate::segment::sam::{Feed, Sam, Tensor};
use crate::segment::{self, BUILT_IN, Cancel, Engine, hash};
use crate::store::lock::{self, Asked, Lock};
use crate::store::{decode, folder, settings};

/// Compute what a SAM needs of each image beforehand, so that nobody waits for it
///
/// Images that are done are passed over, so it can be stopped and started again. Of many processes
/// at once each takes other images.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Images, folders or patterns.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A model's file, folder or name; the folder's engine where it is not given.
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    #[command(flatten)]
    devices: Devices,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

/// What became of an image.
enum Done {
    Encoded,
    There,
    /// Another process has it in hand.
    Elsewhere,
}

/// What became of all images.
#[derive(Default)]
struct Tally {
    encoded: usize,
    there: usize,
    elsewhere: Vec<PathBuf>,
    /// Image and reason.
    failed: Vec<(PathBuf, String)>,
}

impl Tally {
    fn add(&mut self, done: anyhow::Result<Done>, image: PathBuf) {
        match done {
            Ok(Done::Encoded) => self.encoded += 1,
            Ok(Done::There) => self.there += 1,
            Ok(Done::Elsewhere) => self.elsewhere.push(image),
            Err(why) => self.failed.push((image, why.to_string())),
        }
    }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = settings::load(&folder_of(&args.paths[0]))?;
    let engine = args.engine.as_ref().or(settings.engine.as_ref());
    let name = engine.context("no engine is chosen: name one with --engine")?;
    ensure!(
        !BUILT_IN.contains(&name.as_str()),
        "{name} has nothing to compute beforehand; name a SAM with --engine"
    );
    let cache = Cache::open()
        .context("there is no home folder for the cache: set HOME or XDG_CACHE_HOME")?;
    let model = segment::model_path(name)?;
    let mut sams = args.devices.each(|on| Sam::open_on(on, &model))?;
    for note in sams.iter().filter_map(Engine::note) {
        eprintln!("termask: {note}");
    }
    let mut images = Vec::new();
    let mut found = |batch: Vec<PathBuf>| {
        images.extend(batch);
        true
    };
    folder::walk(&args.paths, &mut found)?;
    // Each process begins elsewhere: what another one did is passed over when it is met.
    let count = images.len();
    images.rotate_left(std::process::id() as usize * 7919 % count.max(1));
    let bar = ProgressBar::new(count as u64);
    let start = Instant::now();
    let mut tally = Tally::default();
    pass(&mut sams, &cache, images, &mut tally, &|| bar.inc(1));
    // What others had in hand when it was met: it may lie there now, or they may have died over it.
    let elsewhere = std::mem::take(&mut tally.elsewhere);
    pass(&mut sams, &cache, elsewhere, &mut tally, &|| {});
    bar.finish_and_clear();
    let (encoded, there, elsewhere) = (tally.encoded, tally.there, tally.elsewhere.len());
    let failed = tally.failed;
    for (_, why) in &failed {
        eprintln!("termask: {why}");
    }
    let seconds = start.elapsed().as_secs_f64();
    let mut out = io::stdout().lock();
    if args.json {
        let failed = failed
            .iter()
            .map(|(image, why)| json!({"image": image, "why": why}));
        let devices: Vec<&str> = sams.iter().map(|s| s.device().name()).collect();
        let told = json!({
            "engine": sams[0].name(),
            "model": sams[0].model_hash(),
            "devices": devices,
            "encoded": encoded,
            "there": there,
            "elsewhere": elsewhere,
            "failed": failed.collect::<Vec<_>>(),
            "seconds": seconds,
        });
        writeln!(out, "{told}")?;
    } else {
        let name = sams[0].name();
        write!(
            out,
            "{encoded} encoded by {name} in {seconds:.1} s, {there} were there"
        )?;
        match elsewhere {
            0 => writeln!(out)?,
            _ => writeln!(out, ", {elsewhere} are in another process's hands")?,
        }
    }
    Ok(if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    })
}

/// Lets each SAM take images until none is left.
fn pass(
    sams: &mut [Sam],
    cache: &Cache,
    images: Vec<PathBuf>,
    tally: &mut Tally,
    step: &(dyn Fn() + Sync),
) {
    let queue = Mutex::new(images.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let tally = Mutex::new(tally);
    let done = |image: PathBuf, done: anyhow::Result<Done>| {
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.add(done, image);
        step();
    };
    thread::scope(|scope| {
        for sam in sams {
            scope.spawn(|| encode_all(sam, cache, &next, &done));
        }
    });
}

/// An image that nobody else takes while its claim lives.
struct Taken {
    image: PathBuf,
    key: u64,
    claim: Lock,
}

/// Encodes what `next` gives. One image is read and brought to size, one is encoded and one is
/// written at the same time, so that the encoder never waits.
fn encode_all(
    sam: &mut Sam,
    cache: &Cache,
    next: &(dyn Fn() -> Option<PathBuf> + Sync),
    done: &(dyn Fn(PathBuf, anyhow::Result<Done>) + Sync),
) {
    let (feed, model) = (sam.feed(), sam.model_hash().to_owned());
    let (give, pictures) = mpsc::sync_channel::<(Taken, Tensor)>(1);
    let (keep, embeddings) = mpsc::sync_channel::<(Taken, Vec<Tensor>)>(1);
    thread::scope(|scope| {
        let model = &model;
        scope.spawn(move || {
            while let Some(image) = next() {
                match take(feed, model, cache, &image) {
                    Ok(Took::Picture(picture)) => {
                        if give.send(*picture).is_err() {
                            return;
                        }
                    }
                    Ok(Took::Nothing(why)) => done(image, Ok(why)),
                    Err(why) => done(image, Err(why)),
                }
            }
        });
        scope.spawn(move || {
            for (taken, embedding) in embeddings {
                let written = cache.write(model, taken.key, &embedding);
                let written = written.with_context(|| {
                    let image = printable(&taken.image);
                    format!(
                        "{image}: its embedding cannot be written to the cache; make room there"
                    )
                });
                drop(taken.claim);
                done(taken.image, written.map(|()| Done::Encoded));
            }
        });
        for (taken, picture) in pictures {
            match sam.encode(picture, &Cancel::default()) {
                Ok(embedding) => {
                    if keep.send((taken, embedding)).is_err() {
                        return;
                    }
                }
                Err(why) => done(taken.image, Err(why.into())),
            }
        }
        // The writer ends when nothing more can come.
        drop(keep);
    });
}

/// What the hand came back with.
enum Took {
    Picture(Box<(Taken, Tensor)>),
    Nothing(Done),
}

fn take(feed: Feed, model: &str, cache: &Cache, path: &Path) -> anyhow::Result<Took> {
    let told = || printable(path);
    let digest = hash::digest(path).with_context(told)?;
    let key = u64::from_str_radix(&digest[..16], 16).expect("a sha256 is hexadecimal");
    if cache.has(model, key) {
        return Ok(Took::Nothing(Done::There));
    }
    let entry = cache.file(model, key);
    let folder = entry.parent().expect("a cache's files lie in folders");
    let claimed = fs::create_dir_all(folder).and_then(|()| lock::ask(&entry));
    let claim = match claimed.with_context(|| printable(folder))? {
        Asked::Mine(claim) => claim,
        Asked::Theirs(_) => return Ok(Took::Nothing(Done::Elsewhere)),
    };
    // Between the look and the claim another process may have finished it.
    if cache.has(model, key) {
        return Ok(Took::Nothing(Done::There));
    }
    let decoded = decode::decode(path)?;
    let taken = Taken {
        image: path.to_path_buf(),
        key: decoded.key,
        claim,
    };
    let picture = feed.tensor(&decoded.image, &Cancel::default())?;
    Ok(Took::Picture(Box::new((taken, picture))))
}

/// The folder whose settings count.
fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.to_path_buf()
    } else {
        super::segment::folder_of(path)
    }
}
