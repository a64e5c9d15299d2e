//! `termask encode`: computes the embeddings of a folder beforehand.

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
use crate::store::{decode, folder, settings};

/// Compute what a SAM needs of each image beforehand, so that nobody waits for it
///
/// Images that are done are passed over, so it can be stopped and started again, and run in many
/// processes at once.
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
    let (mut encoded, mut there, mut failed) = (0u32, 0u32, Vec::new());
    for image in &images {
        match encode(&mut sam, &cache, image) {
            Ok(Done::Encoded) => encoded += 1,
            Ok(Done::There) => there += 1,
            Err(why) => failed.push((image, why.to_string())),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
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
            "failed": failed.collect::<Vec<_>>(),
            "seconds": seconds,
        });
        writeln!(out, "{told}")?;
    } else {
        let name = sam.name();
        writeln!(
            out,
            "{encoded} encoded by {name} in {seconds:.1} s, {there} were there"
        )?;
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
