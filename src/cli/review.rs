//! `termask review [PATH…]`: one object at a time, one key a verdict.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;

use super::annotate::{self, graphics};
use crate::core::document::Verdict;
use crate::core::review::{Filter, Order, Presence};
use crate::term::Graphics;
use crate::ui::app::{Options, Start};
use crate::ui::review::Plan;

/// Reviews masks: one object at a time, zoomed, one key a verdict.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Images, folders or patterns; `-` reads paths from stdin, one a line.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only objects of this class; may be given several times.
    #[arg(long = "class", value_name = "CLASS")]
    classes: Vec<String>,
    /// Only objects with this verdict; may be given several times. Unseen ones without it.
    #[arg(long = "verdict", value_name = "VERDICT", value_enum)]
    verdicts: Vec<VerdictChoice>,
    /// Only objects the engine was this sure of: LOW..HIGH, from 0 to 1.
    #[arg(long, value_name = "RANGE", value_parser = range::<f32>)]
    confidence: Option<(Option<f32>, Option<f32>)>,
    /// Only objects of this many pixels: LOW..HIGH; either end may be left out.
    #[arg(long, value_name = "RANGE", value_parser = range::<u64>)]
    area: Option<(Option<u64>, Option<u64>)>,
    /// Only objects made by this person, or by `prelabel` or `import`: part of the name.
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Only images whose file name fits this pattern.
    #[arg(long, value_name = "PATTERN")]
    image: Option<glob::Pattern>,
    /// Only images with (or without) an unfinished draft.
    #[arg(long, value_enum)]
    draft: Option<DraftChoice>,
    #[arg(long, value_enum, default_value = "file")]
    order: OrderChoice,
    /// Names the shuffle of `--order random` and the choice of `--again`.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Share of the objects shown a second time without the first verdict, 0 to 1: how often the
    /// same is said again measures the person.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    again: f64,
    /// Appends each verdict as a line of JSON to this file.
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    /// How pictures get on the screen, instead of asking the terminal.
    #[arg(long, value_name = "KIND", value_parser = graphics())]
    graphics: Option<Graphics>,
    /// What answers prompts where an object is fixed at once.
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum VerdictChoice {
    Unseen,
    Accepted,
    Rejected,
    Flagged,
    Any,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DraftChoice {
    With,
    Without,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OrderChoice {
    /// As the images come.
    File,
    /// The engine's least sure first.
    Confidence,
    /// The smallest first.
    Area,
    Class,
    Random,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if !(0.0..=1.0).contains(&args.again) {
        bail!("--again {}: give a share from 0 to 1", args.again);
    }
    let filter = filter(&args);
    let order = match args.order {
        OrderChoice::File => Order::File,
        OrderChoice::Confidence => Order::Confidence,
        OrderChoice::Area => Order::Area,
        OrderChoice::Class => Order::Class,
        OrderChoice::Random => Order::Random(args.seed),
    };
    annotate::open(Options {
        paths: paths(args.paths)?,
        graphics: args.graphics,
        engine: args.engine,
        start: Start::Review(Box::new(Plan {
            filter,
            order,
            again: args.again,
            seed: args.seed,
            log: args.jsonl,
        })),
    })
}

fn filter(args: &Args) -> Filter {
    let mut filter = Filter {
        classes: args.classes.clone(),
        who: args.who.clone(),
        image: args.image.clone(),
        draft: args.draft.map(|d| match d {
            DraftChoice::With => Presence::With,
            DraftChoice::Without => Presence::Without,
        }),
        ..Filter::default()
    };
    if let Some((low, high)) = args.confidence {
        filter.confidence = (low.unwrap_or(0.0), high.unwrap_or(1.0));
    }
    if let Some((low, high)) = args.area {
        filter.area = (low.unwrap_or(0), high.unwrap_or(u64::MAX));
    }
    if !args.verdicts.is_empty() {
        filter.verdicts = args.verdicts.iter().filter_map(|v| verdict(*v)).collect();
        if args.verdicts.iter().any(|v| verdict(*v).is_none()) {
            filter.verdicts.clear();
        }
    }
    filter
}

/// `None` is any.
fn verdict(choice: VerdictChoice) -> Option<Verdict> {
    match choice {
        VerdictChoice::Unseen => Some(Verdict::Unseen),
        VerdictChoice::Accepted => Some(Verdict::Accepted),
        VerdictChoice::Rejected => Some(Verdict::Rejected),
        VerdictChoice::Flagged => Some(Verdict::Flagged),
        VerdictChoice::Any => None,
    }
}

/// Reads `LOW..HIGH`, `LOW..`, `..HIGH`.
fn range<T: std::str::FromStr>(text: &str) -> Result<(Option<T>, Option<T>), String> {
    let wrong = || format!("'{text}' is no range: write LOW..HIGH, LOW.. or ..HIGH");
    let (low, high) = text.split_once("..").ok_or_else(wrong)?;
    let end = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| wrong()),
    };
    Ok((end(low)?, end(high)?))
}

/// The paths named, with those from stdin in the place of `-`. The keyboard is then the terminal
/// itself.
fn paths(named: Vec<PathBuf>) -> anyhow::Result<Vec<PathBuf>> {
    let Some(at) = named.iter().position(|p| p.as_os_str() == "-") else {
        return Ok(named);
    };
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("stdin: give one path a line, in UTF-8")?;
    let read: Vec<_> = text
        .lines()
        .filter(|l| !l.is_empty())
        .map(PathBuf::from)
        .collect();
    if read.is_empty() {
        bail!("stdin named no image: give one path a line");
    }
    take_terminal()?;
    let mut all = named;
    all.splice(at..=at, read);
    Ok(all)
}

#[cfg(unix)]
fn take_terminal() -> anyhow::Result<()> {
    let terminal = File::open("/dev/tty").context("there is no terminal to review in")?;
    rustix::stdio::dup2_stdin(&terminal).context("the terminal could not be taken over")
}

#[cfg(not(unix))]
fn take_terminal() -> anyhow::Result<()> {
    bail!("paths from stdin work on Unix only: name them as arguments")
}
