//! `termask check`: what is wrong beside the images.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::core::printable::{printable, printable_json, printable_text};
use crate::store::check::{self, Mode};

/// Looks for damaged, wrong and left over files beside the images; ends with 1 where there are some.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder with the images.
    dir: PathBuf,
    /// Paints masks again, removes what a crash left, and takes out empty objects and those that are
    /// there twice; undo brings them back.
    #[arg(long)]
    fix: bool,
    /// Prints the faults as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let mode = if args.fix { Mode::Mend } else { Mode::Look };
    let faults = check::check(&args.dir, mode)?;
    if args.json {
        println!(
            "{}",
            printable_json(&serde_json::to_string_pretty(&faults)?)
        );
    } else {
        for fault in &faults {
            let done = if fault.mended { " (mended)" } else { "" };
            let (path, what) = (printable(&fault.path), printable_text(&fault.what));
            println!("{:<14} {path}: {what}{done}", fault.kind.name());
        }
        println!("{} faults", faults.len());
    }
    let left = faults.iter().any(|f| !f.mended);
    Ok(if left {
        ExitCode::from(super::FOUND)
    } else {
        ExitCode::SUCCESS
    })
}
