//! `termask diff A B`: what differs between two sets of masks.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{FOUND, annotate, export, paths};
use crate::core::printable::printable_text;
use crate::core::review::Filter;
use crate::store::compare::{self, Change, Comparison, Row, Seen};
use crate::store::formats::Format;
use crate::store::masks;
use crate::ui::app::{Options, Start};
use crate::ui::review::Plan;

/// Compare two sets of masks object by object; ends with 1 where they differ.
///
/// A set is a folder of annotated images, a folder of mask PNGs, or what `import` reads. Objects
/// are paired so that their `IoU`s add up to the most; two that share less than a tenth are no
/// pair. Rejected objects are left out, as in an export.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What it is compared with: a folder or a file.
    a: PathBuf,
    /// What may have changed: a folder or a file.
    b: PathBuf,
    /// The format of A and B, where it is not plain from the files.
    #[arg(short, long, value_parser = export::format)]
    format: Option<Format>,
    /// From this IoU on two masks count as the same; 1 is every pixel.
    #[arg(long, default_value_t = 1.0, value_parser = share)]
    same: f64,
    /// Prints the images that differ, a path a line, worst first: for `termask review -`.
    #[arg(long, conflicts_with = "json")]
    paths: bool,
    /// Opens the images that differ for review, worst first; A's where it has the image.
    #[arg(long, conflicts_with_all = ["json", "paths"])]
    review: bool,
    /// Prints all objects as JSON.
    #[arg(long)]
    json: bool,
}

/// A number from 0 to 1.
pub fn share(text: &str) -> Result<f64, String> {
    let value = text.parse().ok();
    let value = value.filter(|v| (0.0..=1.0).contains(v));
    value.ok_or_else(|| "it is a number from 0 to 1".into())
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let a = masks::load(&args.a, args.format)?;
    let b = masks::load(&args.b, args.format)?;
    let comparison = compare::compare(&a, &b, args.same);
    for why in &comparison.left_out {
        eprintln!("left out: {}", printable_text(why));
    }
    if args.review {
        review(&comparison)?;
    } else if args.paths {
        paths::print(worst_paths(&comparison)?)?;
    } else if args.json {
        println!("{}", json(&comparison));
    } else {
        write!(io::stdout().lock(), "{}", table(&comparison))?;
    }
    let same = comparison.count(Change::Same) == comparison.rows.len();
    Ok(if same && comparison.left_out.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    })
}

/// Shows the objects of the images that differ, whatever was said of them before.
fn review(comparison: &Comparison) -> Result<()> {
    let paths: Vec<PathBuf> = worst_paths(comparison)?.map(Path::to_path_buf).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let filter = Filter {
        verdicts: Vec::new(),
        ..Filter::default()
    };
    annotate::open(Options {
        paths,
        graphics: None,
        engine: None,
        start: Start::Review(Box::new(Plan {
            filter,
            ..Plan::default()
        })),
    })?;
    Ok(())
}

/// The images that differ, worst first.
fn worst_paths(comparison: &Comparison) -> Result<impl Iterator<Item = &Path>> {
    let worst = comparison.worst_images();
    let unknown = worst.iter().filter(|r| r.path.is_none()).count();
    ensure!(
        unknown == 0,
        "of {unknown} images that differ the masks alone are named; name the folder of the images for A or B"
    );
    Ok(worst.into_iter().filter_map(|r| r.path.as_deref()))
}

fn json(comparison: &Comparison) -> serde_json::Value {
    json!({
        "images": comparison.images,
        "same": comparison.count(Change::Same),
        "changed": comparison.count(Change::Changed),
        "other_class": comparison.count(Change::OtherClass),
        "missing": comparison.count(Change::Missing),
        "extra": comparison.count(Change::Extra),
        "mean_iou_of_pairs": comparison.mean_iou_of_pairs(),
        "mean_iou": comparison.mean_iou(),
        "rows": comparison.rows,
        "left_out": comparison.left_out,
    })
}

/// What differs, worst first, and the totals.
fn table(comparison: &Comparison) -> String {
    let differing = comparison.rows.iter().filter(|r| r.change != Change::Same);
    let rows: Vec<[String; 4]> = differing.map(line).collect();
    let mut lines = Vec::new();
    if !rows.is_empty() {
        let heads = ["", "A", "B", "image"].map(str::to_owned);
        let all = || std::iter::once(&heads).chain(&rows);
        let width = |i: usize| all().map(|r| r[i].chars().count()).max().unwrap_or(0);
        let (first, a, b) = (width(0), width(1), width(2));
        let cells = |[kind, was, is, image]: &[String; 4]| {
            format!("{kind:<first$}  {was:<a$}  {is:<b$}  {image}\n")
        };
        lines.extend(all().map(cells));
    }
    let count = |change| comparison.count(change);
    lines.push(format!(
        "{} images, {} objects: {} the same, {} changed, {} of another class, {} missing, {} extra\n",
        comparison.images,
        comparison.rows.len(),
        count(Change::Same),
        count(Change::Changed),
        count(Change::OtherClass),
        count(Change::Missing),
        count(Change::Extra),
    ));
    if let (Some(pairs), Some(all)) = (comparison.mean_iou_of_pairs(), comparison.mean_iou()) {
        lines.push(format!(
            "mean IoU {pairs:.4} of the pairs, {all:.4} of all objects\n"
        ));
    }
    lines.concat()
}

fn line(row: &Row) -> [String; 4] {
    let kind = match row.change {
        Change::Missing => "missing".into(),
        Change::Extra => "extra".into(),
        Change::OtherClass => "class".into(),
        // Rounded down: 1.0000 would say that nothing differs.
        Change::Changed | Change::Same => format!("{:.4}", (row.iou * 1e4).floor() / 1e4),
    };
    let [a, b] = [&row.a, &row.b].map(|seen| seen.as_ref().map_or("-".into(), named));
    [kind, a, b, printable_text(&row.image)]
}

fn named(seen: &Seen) -> String {
    let class = seen.class.as_deref().unwrap_or("");
    let name = format!("{} {}", seen.id, printable_text(class));
    name.trim_end().to_owned()
}
