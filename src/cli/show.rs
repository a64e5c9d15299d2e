//! `termask show`: prints pictures with their masks and exits.

use std::path::PathBuf;
use std::process::ExitCode;

use super::picture;
use crate::core::printable::printable;
use crate::store::{decode, settings, sidecar};

/// Print pictures with their masks and exit
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    for path in &args.images {
        let decoded = decode::decode(path)?;
        for note in &decoded.notes {
            eprintln!("termask: {note}");
        }
        let settings = settings::load(&super::segment::folder_of(path))?;
        let read = sidecar::read(path)?;
        let layers = read
            .as_ref()
            .map(|r| picture::layers(&r.history.now().objects, &settings))
            .unwrap_or_default();
        if args.images.len() > 1 {
            println!("{}", printable(path));
        }
        picture::print(&decoded.image, &layers)?;
    }
    Ok(ExitCode::SUCCESS)
}
