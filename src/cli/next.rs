//! `termask next`: which images are worth a person's time first.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::{FOUND, export, paths};
use crate::core::printable::printable_text;
use crate::store::formats::Format;
use crate::store::masks;
use crate::store::next::{self, Candidate};

/// Order images for labelling, a path a line: `termask $(termask next DIR --count 20)`.
///
/// Images that nobody labelled come first, finished ones last. Among them those come first where
/// the stored objects and the predictions disagree most, then those with the least sure object.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder with the images.
    dir: PathBuf,
    /// What the last training says: a folder or file of masks; a COCO file may have scores.
    #[arg(long, value_name = "DIR_OR_FILE")]
    predictions: Option<PathBuf>,
    /// The predictions' format, where it is not plain from the files.
    #[arg(short, long, value_parser = export::format, requires = "predictions")]
    format: Option<Format>,
    /// Only the first so many.
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Prints the order as JSON, with the reasons.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let predictions = args.predictions.as_deref();
    let predictions = predictions
        .map(|place| masks::load(place, args.format))
        .transpose()?;
    let queue = next::queue(&args.dir, predictions.as_ref())?;
    let count = args.count.unwrap_or(usize::MAX);
    let first: Vec<&Candidate> = queue.candidates.iter().take(count).collect();
    if args.json {
        println!("{}", json!({ "images": first, "left_out": queue.left_out }));
    } else {
        paths::print(first.iter().map(|c| c.path.as_path()))?;
    }
    for why in &queue.left_out {
        eprintln!("left out: {}", printable_text(why));
    }
    Ok(if queue.left_out.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    })
}
