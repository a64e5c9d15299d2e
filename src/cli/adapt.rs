//! `termask adapt`: what a folder's accepted masks teach the click net.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{bail, ensure};
use serde::Serialize;

use crate::core::document::{Object, Verdict};
use crate::core::mask::Mask;
use crate::core::printable::{printable, printable_text};
use crate::segment::adapt::{self as lessons, LEAST_MASKS, Outcome};
use crate::segment::click::ClickNet;
use crate::segment::evaluate::Sample;
use crate::store::decode::{self, Decoded};
use crate::store::gather::{self, Choice};
use crate::store::{adapted, settings};

/// Fit the click net's last step to the masks of a folder, class by class.
///
/// Every mask is tried on a fit that has not seen it. What was learnt is kept in the folder's
/// termask.toml where it makes those masks better, and only there.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with images and their masks
    folder: PathBuf,
    /// Take out what was kept
    #[arg(long)]
    revert: bool,
    /// This class alone
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// More masks than this teach little more.
const MOST_MASKS: usize = 100;

/// An accepted mask, and where its image lies.
struct Lesson {
    image: PathBuf,
    mask: Arc<Mask>,
}

#[derive(Debug, Serialize)]
struct Told {
    class: String,
    masks: usize,
    /// Mean `IoU` of held-out masks from a box and from a first click; none without enough masks.
    before: Option<f64>,
    after: Option<f64>,
    kept: bool,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    ensure!(
        args.folder.is_dir(),
        "{}: is no folder; name the one that holds the images",
        printable(&args.folder)
    );
    let file = settings::load(&args.folder)?.file;
    if args.revert {
        return revert(args, &file);
    }
    let mut told = Vec::new();
    let mut net = None;
    for (class, lessons) in lessons_of(args)? {
        let few = lessons.len() < LEAST_MASKS;
        if few {
            told.push(Told {
                class,
                masks: lessons.len(),
                before: None,
                after: None,
                kept: false,
            });
            continue;
        }
        if net.is_none() {
            net = Some(ClickNet::open()?);
        }
        let net = net.as_mut().expect("it was just opened");
        let outcome = learn(net, &lessons)?;
        if let Some(adaptation) = &outcome.adaptation {
            adapted::keep(&file, &class, Some(adaptation))?;
        }
        told.push(Told {
            class,
            masks: outcome.masks,
            before: Some(outcome.before),
            after: Some(outcome.after),
            kept: outcome.adaptation.is_some(),
        });
    }
    if told.iter().all(|t| t.before.is_none()) {
        let most = told.iter().map(|t| t.masks).max().unwrap_or(0);
        bail!(
            "{}: no class has {LEAST_MASKS} accepted masks (the most is {most}); accept more first",
            printable(&args.folder)
        );
    }
    print(args, &file, &told)?;
    Ok(ExitCode::SUCCESS)
}

fn revert(args: &Args, file: &Path) -> anyhow::Result<ExitCode> {
    let mut classes: Vec<String> = settings::adapted(file)?.into_keys().collect();
    if let Some(class) = &args.class {
        classes.retain(|c| c == class);
    }
    for class in &classes {
        adapted::keep(file, class, None)?;
    }
    let mut out = io::stdout().lock();
    if args.json {
        let told = serde_json::json!({ "file": file.to_string_lossy(), "reverted": classes });
        writeln!(out, "{told}")?;
    } else if classes.is_empty() {
        writeln!(out, "{}: nothing was adapted", printable(file))?;
    } else {
        let names: Vec<_> = classes.iter().map(|c| printable_text(c)).collect();
        writeln!(
            out,
            "{}: as shipped again: {}",
            printable(file),
            names.join(", ")
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The masks of each class that a person stands for, the same ones at every run.
fn lessons_of(args: &Args) -> anyhow::Result<BTreeMap<String, Vec<Lesson>>> {
    let choice = Choice {
        classes: args.class.iter().cloned().collect(),
        ..Choice::default()
    };
    let gathered = gather::gather(&args.folder, &choice)?;
    for why in &gathered.left_out {
        eprintln!("termask: {why}");
    }
    let mut classes: BTreeMap<String, Vec<Lesson>> = BTreeMap::new();
    for image in gathered.set.images {
        for object in image.objects.iter().filter(|o| teaches(o)) {
            classes
                .entry(object.class.to_string())
                .or_default()
                .push(Lesson {
                    image: image.source.clone(),
                    mask: Arc::clone(&object.mask),
                });
        }
    }
    for lessons in classes.values_mut() {
        let count = lessons.len();
        let mut place = 0;
        // Evenly over the folder.
        lessons.retain(|_| {
            place += 1;
            place * MOST_MASKS.min(count) / count > (place - 1) * MOST_MASKS.min(count) / count
        });
    }
    Ok(classes)
}

/// Whether a mask shows what the person wants: doubtful ones do not, nor those nobody looked at.
fn teaches(object: &Object) -> bool {
    let looked_at = object.verdict == Verdict::Accepted || object.origin.who != "prelabel";
    let doubtful = matches!(object.verdict, Verdict::Rejected | Verdict::Flagged);
    looked_at && !doubtful && object.mask.area() >= 40
}

fn learn(net: &mut ClickNet, lessons: &[Lesson]) -> anyhow::Result<Outcome> {
    let sides: Vec<u32> = lessons
        .iter()
        .filter_map(|l| l.mask.bounds())
        .map(|bounds| bounds.width().max(bounds.height()))
        .collect();
    let bar = indicatif::ProgressBar::new(2 * lessons.len() as u64);
    let mut at_hand: Option<(PathBuf, Decoded)> = None;
    let outcome = lessons::adapt(net, &sides, &mut |i| {
        bar.inc(1);
        let lesson = &lessons[i];
        if at_hand
            .as_ref()
            .is_none_or(|(path, _)| *path != lesson.image)
        {
            at_hand = Some((lesson.image.clone(), decode::decode(&lesson.image)?));
        }
        let (_, decoded) = at_hand.as_ref().expect("it was just decoded");
        let size = decoded.image.size();
        ensure!(
            size == lesson.mask.size(),
            "{}: its masks have another size than the image; run `termask check` on the folder",
            printable(&lesson.image)
        );
        Ok(Sample {
            image: Arc::clone(&decoded.image),
            image_key: decoded.key,
            truth: Mask::clone(&lesson.mask),
            ignored: Mask::empty(size),
        })
    })?;
    bar.finish_and_clear();
    Ok(outcome)
}

fn print(args: &Args, file: &Path, told: &[Told]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if args.json {
        let told = serde_json::json!({ "file": file.to_string_lossy(), "classes": told });
        writeln!(out, "{told}")?;
        return Ok(());
    }
    for Told {
        class,
        masks,
        before,
        after,
        kept,
    } in told
    {
        let class = printable_text(class);
        let (Some(before), Some(after)) = (before, after) else {
            writeln!(out, "{class}: {masks} masks, {LEAST_MASKS} are needed")?;
            continue;
        };
        let end = if *kept {
            format!("kept in {}", printable(file))
        } else {
            "no better, nothing is kept".to_owned()
        };
        writeln!(
            out,
            "{class}: {masks} masks; held-out IoU {before:.3} as shipped, {after:.3} adapted: {end}"
        )?;
    }
    Ok(())
}
