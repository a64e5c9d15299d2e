//! `termask adapt`: what a folder's accepted masks teach the click net.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::ensure;
use serde::Serialize;

use super::picture;
use crate::core::geometry::{ImageRect, Size};
use crate::core::image::Image;
use crate::core::mask::Mask;
use crate::core::printable::{printable, printable_text};
use crate::segment::adapt::Tried;
use crate::store::{decode, settings};
use crate::ui::workers::lessons::{self, Example, Learnt};

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
    /// Print pictures of masks before and after, also where nobody looks
    #[arg(long, conflicts_with = "json")]
    show: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    class: &'a str,
    masks: usize,
    /// Mean `IoU` of held-out masks from a box and from a first click; none without enough masks.
    before: Option<f64>,
    after: Option<f64>,
    kept: bool,
}

impl<'a> From<&'a Learnt> for Told<'a> {
    fn from(learnt: &'a Learnt) -> Self {
        let outcome = learnt.outcome.as_ref();
        Self {
            class: &learnt.class,
            masks: learnt.examples.len(),
            before: outcome.map(|o| o.before),
            after: outcome.map(|o| o.after),
            kept: learnt.is_kept(),
        }
    }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    ensure!(
        args.folder.is_dir(),
        "{}: is no folder; name the one that holds the images",
        printable(&args.folder)
    );
    let class = args.class.as_deref();
    if args.revert {
        let file = settings::load(&args.folder)?.file;
        let classes = lessons::revert(&file, class)?;
        return tell_reverted(args, &file, &classes);
    }
    let bar = indicatif::ProgressBar::new(0);
    let report = lessons::learn(&args.folder, class, &mut |done, steps| {
        bar.set_length(steps);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let report = report?;
    for why in &report.left_out {
        eprintln!("termask: {why}");
    }
    let mut out = io::stdout().lock();
    if args.json {
        let told: Vec<Told> = report.classes.iter().map(Told::from).collect();
        let told = serde_json::json!({ "file": report.file.to_string_lossy(), "classes": told });
        writeln!(out, "{told}")?;
        return Ok(ExitCode::SUCCESS);
    }
    for learnt in &report.classes {
        writeln!(out, "{}", learnt.told())?;
    }
    if report.classes.iter().any(Learnt::is_kept) {
        writeln!(out, "kept in {}", printable(&report.file))?;
    }
    drop(out);
    if args.show || io::stdout().is_terminal() {
        report.classes.iter().try_for_each(show)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tell_reverted(args: &Args, file: &Path, classes: &[String]) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    if args.json {
        let told = serde_json::json!({ "file": file.to_string_lossy(), "reverted": classes });
        writeln!(out, "{told}")?;
    } else if classes.is_empty() {
        writeln!(out, "{}: nothing was adapted", printable(file))?;
    } else {
        let names: Vec<_> = classes.iter().map(|c| printable_text(c)).collect();
        let names = names.join(", ");
        writeln!(out, "{}: as shipped again: {names}", printable(file))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Pixels between the two pictures.
const GAP: u32 = 6;

/// Prints what gained most, what gained as much as half of them, and what gained least.
fn show(learnt: &Learnt) -> anyhow::Result<()> {
    let Some(outcome) = &learnt.outcome else {
        return Ok(());
    };
    let mut pairs: Vec<(&Example, &Tried)> = learnt.examples.iter().zip(&outcome.tried).collect();
    let gain = |tried: &Tried| tried.after.iou - tried.before.iou;
    pairs.sort_by(|(_, a), (_, b)| gain(b).total_cmp(&gain(a)));
    for at in [0, pairs.len() / 2, pairs.len() - 1] {
        let (example, tried) = pairs[at];
        let (before, after) = (tried.before.iou, tried.after.iou);
        let (class, image) = (printable_text(&learnt.class), printable(&example.image));
        println!("{class}, {image}, from its box: {before:.3} as shipped, {after:.3} adapted");
        let decoded = decode::decode(&example.image)?;
        let (picture, mask) = side_by_side(&decoded.image, example, tried);
        picture::print(&picture, &[(Arc::new(mask), settings::class_colour(0))])?;
    }
    Ok(())
}

/// The surroundings of an object twice, with the mask before and the one after.
fn side_by_side(image: &Image, example: &Example, tried: &Tried) -> (Image, Mask) {
    let size = image.size();
    let masks = [&tried.before.mask, &tried.after.mask];
    let part = masks
        .iter()
        .fold(Mask::clone(&example.mask), |all, mask| all.union(mask))
        .bounds()
        .map_or(size.bounds(), |bounds| around(bounds, size));
    let (width, height) = (part.width(), part.height());
    let whole = Size::new(2 * width + GAP, height);
    let place = |x: u32, y: u32| {
        let side = usize::from(x >= width + GAP);
        let x = x - [0, width + GAP][side];
        (x < width).then(|| (side, size.clamp((part.x0 + x).into(), (part.y0 + y).into())))
    };
    let pixels = (0..height)
        .flat_map(|y| (0..whole.width).map(move |x| (x, y)))
        .flat_map(|(x, y)| place(x, y).map_or([0; 3], |(_, at)| image.pixel(at)))
        .collect();
    let mask = Mask::from_fn(whole, whole.bounds(), |p| {
        place(p.x, p.y).is_some_and(|(side, at)| masks[side].contains(at))
    });
    (Image::from_rgb(whole, pixels), mask)
}

/// A part of the image with a fifth more on each side.
fn around(part: ImageRect, size: Size) -> ImageRect {
    let margin = part.width().max(part.height()) / 5;
    ImageRect {
        x0: part.x0.saturating_sub(margin),
        y0: part.y0.saturating_sub(margin),
        x1: (part.x1 + margin).min(size.width),
        y1: (part.y1 + margin).min(size.height),
    }
}
