//! `termask import`: what another tool annotated becomes objects beside the images.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use super::export::format;
use crate::core::printable::{printable_json, printable_text};
use crate::store::formats::{self, Format};
use crate::store::gather;

/// Reads another tool's annotations into the sidecars of the images.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file or folder to read.
    from: PathBuf,
    /// coco, yolo, voc, labelme, cityscapes, cvat, supervisely, png, png-semantic or png-objects.
    #[arg(short, long, value_parser = format)]
    format: Format,
    /// The folder with the images; without it the folder that is read.
    #[arg(long)]
    images: Option<PathBuf>,
    /// Prints what was read as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let found = formats::import(&args.from, args.format)?;
    let beside = if args.from.is_file() {
        args.from.parent()
    } else {
        Some(args.from.as_path())
    };
    let beside = beside
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let images = args.images.as_deref().unwrap_or(beside);
    let now = jiff::Timestamp::now().as_millisecond();
    let imported = gather::adopt(found, images, now)?;
    if args.json {
        let report = serde_json::json!({
            "images": imported.images,
            "objects": imported.objects,
            "left_out": imported.left_out,
        });
        println!("{}", printable_json(&report.to_string()));
    } else {
        println!("{} objects in {} images", imported.objects, imported.images);
        for why in &imported.left_out {
            eprintln!("left out: {}", printable_text(why));
        }
    }
    Ok(if imported.left_out.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(super::FOUND)
    })
}
