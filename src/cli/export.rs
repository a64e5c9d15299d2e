//! `termask export`: a folder's objects as trainers and other tools read them.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::core::document::Verdict;
use crate::core::printable::{printable_json, printable_text};
use crate::store::formats::{self, Format};
use crate::store::gather::{self, Choice};

/// Writes the objects of a folder in another tool's format.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder with the images and their sidecars.
    dir: PathBuf,
    /// coco, coco-counts, coco-polygons, yolo, voc, labelme, labelme-polygons, cityscapes, cvat,
    /// supervisely, png, png-semantic or png-objects.
    #[arg(short, long, value_parser = format)]
    format: Format,
    /// The folder to write to; files that termask did not write there are never replaced.
    #[arg(short, long)]
    out: PathBuf,
    /// Shares of train, val and test, as 0.8,0.1,0.1.
    #[arg(long, value_parser = shares)]
    split: Option<Shares>,
    /// Another seed gives another split; the same one the same split.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Only objects of this verdict; without it all but the rejected.
    #[arg(long, value_parser = verdict)]
    only: Option<Verdict>,
    /// Only these classes, numbered in this order.
    #[arg(long, value_delimiter = ',')]
    classes: Vec<String>,
    /// Prints what was written as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy)]
struct Shares([f64; 3]);

/// A format by its name.
pub fn format(name: &str) -> Result<Format, String> {
    Format::from_name(name).ok_or_else(|| {
        let names: Vec<_> = Format::ALL.iter().map(|f| f.name()).collect();
        format!("it is one of {}", names.join(", "))
    })
}

fn verdict(name: &str) -> Result<Verdict, String> {
    Verdict::from_name(name).ok_or_else(|| "it is unseen, accepted, rejected or flagged".into())
}

fn shares(text: &str) -> Result<Shares, String> {
    let told = "it is three shares that are not negative, as 0.8,0.1,0.1";
    let values: Option<Vec<f64>> = text.split(',').map(|v| v.trim().parse().ok()).collect();
    let values: [f64; 3] = values.and_then(|v| v.try_into().ok()).ok_or(told)?;
    let fine =
        values.iter().all(|v| v.is_finite() && *v >= 0.0) && values.iter().sum::<f64>() > 0.0;
    if fine {
        Ok(Shares(values))
    } else {
        Err(told.into())
    }
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let choice = Choice {
        only: args.only,
        classes: args.classes.clone(),
        split: args.split.map(|s| (s.0, args.seed)),
    };
    let gathered = gather::gather(&args.dir, &choice)?;
    if gathered.set.images.is_empty() {
        let first = gathered
            .left_out
            .first()
            .map_or("no image has a sidecar yet", String::as_str);
        bail!("nothing to export: {first}");
    }
    let losses = formats::export(&gathered.set, args.format, &args.out).context("export")?;
    let objects: usize = gathered.set.images.iter().map(|i| i.objects.len()).sum();
    let least = losses.iter().map(|l| l.iou).fold(1.0, f64::min);
    if args.json {
        let report = serde_json::json!({
            "images": gathered.set.images.len(),
            "objects": objects,
            "classes": gathered.set.classes,
            "least_iou": least,
            "polygons": losses,
            "left_out": gathered.left_out,
        });
        println!("{}", printable_json(&report.to_string()));
    } else {
        println!(
            "{} images, {objects} objects, {} classes",
            gathered.set.images.len(),
            gathered.set.classes.len()
        );
        let mut worst = losses;
        worst.retain(|l| l.iou < 1.0);
        worst.sort_by(|a, b| a.iou.total_cmp(&b.iou));
        if !worst.is_empty() {
            println!(
                "{} polygons are simplified; the least IoU with its mask is {least:.4}:",
                worst.len()
            );
        }
        for loss in worst.iter().take(10) {
            let image = printable_text(&loss.image);
            println!("  {image} object {}: {:.4}", loss.object, loss.iou);
        }
        for why in &gathered.left_out {
            eprintln!("left out: {}", printable_text(why));
        }
    }
    Ok(if gathered.left_out.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(super::FOUND)
    })
}
