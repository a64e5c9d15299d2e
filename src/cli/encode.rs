//! `termask encode`: computes the embeddings of a folder beforehand.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, ensure};
use indicatif::ProgressBar;
use serde_json::json;

use super::FOUND;
use crate::core::printable::printable;
use crate::segment::cache::Cache;
use crate::segment::sam::Sam;
use crate::segment::{self, BUILT_IN, Cancel, Engine, hash};
use crate::store::lock::{self, Asked};
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
    let mut sam = Sam::open(&segment::model_path(name)?)?.with_cache(cache.clone());
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
    for image in images {
        tally.add(encode(&mut sam, &cache, &image), image);
        bar.inc(1);
    }
    // What others had in hand when it was met: it may lie there now, or they may have died over it.
    for image in std::mem::take(&mut tally.elsewhere) {
        tally.add(encode(&mut sam, &cache, &image), image);
    }
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
        let told = json!({
            "engine": sam.name(),
            "model": sam.model_hash(),
            "encoded": encoded,
            "there": there,
            "elsewhere": elsewhere,
            "failed": failed.collect::<Vec<_>>(),
            "seconds": seconds,
        });
        writeln!(out, "{told}")?;
    } else {
        let name = sam.name();
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

fn encode(sam: &mut Sam, cache: &Cache, path: &Path) -> anyhow::Result<Done> {
    let told = || printable(path);
    let digest = hash::digest(path).with_context(told)?;
    let key = u64::from_str_radix(&digest[..16], 16).expect("a sha256 is hexadecimal");
    if cache.has(sam.model_hash(), key) {
        return Ok(Done::There);
    }
    let entry = cache.file(sam.model_hash(), key);
    let folder = entry.parent().expect("a cache's files lie in folders");
    let claimed = fs::create_dir_all(folder).and_then(|()| lock::ask(&entry));
    let _claim = match claimed.with_context(|| printable(folder))? {
        Asked::Mine(claim) => claim,
        Asked::Theirs(_) => return Ok(Done::Elsewhere),
    };
    // Between the look and the claim another process may have finished it.
    if cache.has(sam.model_hash(), key) {
        return Ok(Done::There);
    }
    let decoded = decode::decode(path)?;
    sam.prepare(&decoded.image, decoded.key, &Cancel::default())?;
    ensure!(
        cache.has(sam.model_hash(), decoded.key),
        "{}: its embedding cannot be written to the cache; make room there",
        told()
    );
    Ok(Done::Encoded)
}

/// The folder whose settings count.
fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.to_path_buf()
    } else {
        super::segment::folder_of(path)
    }
}
