//! `termask agree`: how far annotators agree on the same images.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::export;
use crate::core::printable::{printable, printable_text};
use crate::store::compare::{self, Agreement};
use crate::store::formats::Format;
use crate::store::masks::{self, Masks};

/// Measure how far annotators agree, two by two, on the images that both annotated.
///
/// IoU is the mean over the objects that both have. F1 counts pairs of IoU 0.5 and more as one
/// object. Kappa is Cohen's, of the classes of these pairs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The work of one annotator each: a folder or a file.
    #[arg(value_name = "DIR_OR_FILE", num_args = 2.., required = true)]
    places: Vec<PathBuf>,
    /// The format of all of them, where it is not plain from the files.
    #[arg(short, long, value_parser = export::format)]
    format: Option<Format>,
    /// Prints the numbers as JSON.
    #[arg(long)]
    json: bool,
}

/// Two annotators and what they share.
struct Couple<'a> {
    names: [&'a str; 2],
    agreement: Agreement,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    let sets: Vec<Masks> = args
        .places
        .iter()
        .map(|place| masks::load(place, args.format))
        .collect::<Result<_, _>>()?;
    let names = names(&args.places);
    let mut couples = Vec::new();
    for (i, a) in sets.iter().enumerate() {
        for (j, b) in sets.iter().enumerate().skip(i + 1) {
            couples.push(Couple {
                names: [&names[i], &names[j]],
                agreement: compare::agree(a, b),
            });
        }
    }
    if args.json {
        let couples: Vec<_> = couples
            .iter()
            .map(|c| json!({ "a": c.names[0], "b": c.names[1], "agreement": c.agreement }))
            .collect();
        println!("{}", json!(couples));
        return Ok(ExitCode::SUCCESS);
    }
    print!("{}", table(&couples));
    let mut told: Vec<&String> = couples.iter().flat_map(|c| &c.agreement.left_out).collect();
    told.sort();
    told.dedup();
    for why in told {
        eprintln!("left out: {}", printable_text(why));
    }
    Ok(ExitCode::SUCCESS)
}

/// The last parts of the names where they tell the annotators apart, else the whole names.
fn names(places: &[PathBuf]) -> Vec<String> {
    let last = |p: &PathBuf| p.file_name().map(|n| printable(Path::new(n)));
    let short: Option<Vec<String>> = places.iter().map(last).collect();
    let is_clear = |names: &Vec<String>| (1..names.len()).all(|i| !names[..i].contains(&names[i]));
    let whole = || places.iter().map(|p| printable(p)).collect();
    short.filter(is_clear).unwrap_or_else(whole)
}

fn table(couples: &[Couple<'_>]) -> String {
    let width = |i: usize| couples.iter().map(|c| c.names[i].chars().count()).max();
    let (a, b) = (width(0).unwrap_or(1), width(1).unwrap_or(1));
    let mut lines = vec![format!(
        "{:<a$}  {:<b$}  {:>7}  {:>13}  {:>6}  {:>6}  {:>6}\n",
        "A", "B", "images", "objects", "IoU", "F1@0.5", "kappa"
    )];
    for couple in couples {
        let [first, second] = couple.names;
        let found = &couple.agreement;
        let objects = format!("{}/{}", found.objects[0], found.objects[1]);
        let [iou, f1, kappa] = [found.mean_iou, found.f1, found.kappa].map(number);
        lines.push(format!(
            "{first:<a$}  {second:<b$}  {:>7}  {objects:>13}  {iou:>6}  {f1:>6}  {kappa:>6}\n",
            found.images
        ));
    }
    lines.concat()
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".into(), |v| format!("{v:.3}"))
}
