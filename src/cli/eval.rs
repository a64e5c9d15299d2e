//! `termask eval`: how many clicks an engine needs on masks that are known.

mod masks;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Widget};

use self::masks::{Pair, pairs, samples};
use crate::cli::report;
use crate::core::adaptation::Adaptation;
use crate::core::printable::printable;
use crate::segment::click::{ClickNet, Method, Step};
use crate::segment::evaluate::{Protocol, Report, Trial, Trust, evaluate};
use crate::segment::{self, Engine};
use crate::store::settings;

/// Count the clicks that an engine needs on images whose masks are known.
///
/// Masks are PNG files named as their images. 0 is background and 255 the object; 128 is not
/// counted; other values are the ids of objects, each tried by itself.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the images
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// Folder of the masks
    #[arg(long, value_name = "DIR")]
    masks: PathBuf,
    /// Engine by name
    #[arg(long, default_value = "click")]
    engine: String,
    /// Clicks after which an object is a failure
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    clicks: u16,
    /// Probability above which a pixel belongs to the mask; the engine's own (click: 0.49) without
    #[arg(long)]
    threshold: Option<f32>,
    /// The click net with one pass and nothing around it
    #[arg(long)]
    plain: bool,
    /// Leave a step around the click net out, to see what it is worth
    #[arg(long, value_name = "STEP", conflicts_with = "plain", value_parser = steps())]
    without: Vec<Step>,
    /// Use what the folder of the images taught the click net about a class
    #[arg(long, value_name = "CLASS")]
    adapted: Option<String>,
    /// Try a box whose corners lie off by up to a tenth, too
    #[arg(long)]
    jitter: bool,
    /// Take every Nth mask only
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Write a line for each object to a file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let protocol = Protocol {
        clicks: usize::from(args.clicks),
        threshold: args.threshold,
        jitter: if args.jitter { 0.1 } else { 0.0 },
        adaptation: adaptation(args)?,
    };
    let pairs: Vec<Pair> = pairs(&args.images, &args.masks)?
        .into_iter()
        .step_by(args.every as usize)
        .collect();
    let mut engine = engine(args)?;
    report::note(&*engine);
    let mut trials: Vec<(String, Trial)> = Vec::new();
    let bar = indicatif::ProgressBar::new(pairs.len() as u64);
    for pair in &pairs {
        for (name, sample) in samples(pair)? {
            let trial = evaluate(engine.as_mut(), &sample, &protocol)
                .with_context(|| format!("{}", pair.image.display()))?;
            trials.push((name, trial));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(path) = &args.csv {
        std::fs::write(path, csv(&trials, &protocol))
            .with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    let only: Vec<Trial> = trials.into_iter().map(|(_, trial)| trial).collect();
    let Some(report) = Report::of(&only, &protocol) else {
        bail!(
            "{}: no mask there has an image of the same name and size in {}, and an object in it",
            args.masks.display(),
            args.images.display()
        );
    };
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    write!(out, "{}", table(&report))?;
    if out.is_terminal() {
        write!(out, "\n{}", curve(&only, &protocol))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn steps() -> impl TypedValueParser<Value = Step> {
    let names = Step::ALL.map(|(name, _)| name);
    PossibleValuesParser::new(names)
        .map(|name| Step::from_name(&name).expect("one of the possible values"))
}

/// The click net as `--plain` or `--without` wants it, or the engine by name.
fn engine(args: &Args) -> anyhow::Result<Box<dyn Engine>> {
    if !args.plain && args.without.is_empty() {
        return Ok(segment::open(&args.engine)?);
    }
    if args.engine != "click" {
        bail!(
            "--plain and --without are for the click net; leave them out for {:?}",
            args.engine
        );
    }
    let method = if args.plain {
        Method::plain()
    } else {
        Method::default().without(&args.without)
    };
    Ok(Box::new(ClickNet::open()?.with_method(method)))
}

fn adaptation(args: &Args) -> anyhow::Result<Option<Arc<Adaptation>>> {
    let Some(class) = &args.adapted else {
        return Ok(None);
    };
    let settings = settings::load(&args.images)?;
    let adaptation = settings.adapted.get(class).cloned();
    let told = || {
        let file = printable(&settings.file);
        format!("{file}: nothing is adapted for the class {class:?}; run `termask adapt` first")
    };
    Ok(Some(adaptation.with_context(told)?))
}

fn trust(of_answer: Option<Trust>) -> String {
    let Some(Trust {
        confidence,
        expected,
        ..
    }) = of_answer
    else {
        return ",".into();
    };
    let expected = expected.map_or(String::new(), |e| format!("{e:.4}"));
    format!("{confidence:.4},{expected}")
}

fn table(report: &Report) -> String {
    let jitter = report
        .box_jitter_iou
        .map_or(String::new(), |iou| format!(", {iou:.3} from a sloppy one"));
    format!(
        "{} objects, {} never right\n\
         clicks until IoU 0.80 / 0.85 / 0.90: {:.2} / {:.2} / {:.2}\n\
         IoU after 1 / 3 / 5 clicks: {:.3} / {:.3} / {:.3}\n\
         IoU {:.3} from the tight box{jitter}; boundary IoU {:.3}\n\
         {:.1} ms a click (median)\n\
         confidence {:.3} off the IoU, rank correlation {:.2}\n",
        report.n,
        report.failures,
        report.noc80,
        report.noc85,
        report.noc90,
        report.iou1,
        report.iou3,
        report.iou5,
        report.box_iou,
        report.boundary_iou,
        report.ms_median,
        report.confidence_error,
        report.confidence_rank,
    )
}

/// Mean `IoU` over the number of clicks, in braille.
fn curve(trials: &[Trial], protocol: &Protocol) -> String {
    let points: Vec<(f64, f64)> = (1..=protocol.clicks)
        .map(|n| {
            let sum: f64 = trials.iter().map(|t| t.best_within(n)).sum();
            (n as f64, sum / trials.len() as f64)
        })
        .collect();
    let low = points.first().map_or(0.0, |p| (p.1 * 20.0).floor() / 20.0);
    let last = protocol.clicks as f64;
    let line = Dataset::default()
        .marker(Marker::Braille)
        .graph_type(GraphType::Line)
        .data(&points);
    let chart = Chart::new(vec![line])
        .x_axis(
            Axis::default()
                .title("clicks")
                .bounds([1.0, last.max(2.0)])
                .labels(["1".to_owned(), protocol.clicks.to_string()]),
        )
        .y_axis(
            Axis::default()
                .title("IoU")
                .bounds([low, 1.0])
                .labels([format!("{low:.2}"), "1.00".to_owned()]),
        );
    let area = Rect::new(0, 0, 64, 14);
    let mut buffer = Buffer::empty(area);
    chart.render(area, &mut buffer);
    let mut text = String::new();
    for y in 0..area.height {
        let row: String = (0..area.width).map(|x| buffer[(x, y)].symbol()).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

fn csv(trials: &[(String, Trial)], protocol: &Protocol) -> String {
    use std::fmt::Write as _;

    let mut text = String::from(
        "object,clicks80,clicks85,clicks90,iou1,iou3,iou5,box_iou,box_jitter_iou,boundary_iou,\
         confidence1,expected1,box_confidence,box_expected\n",
    );
    for (name, trial) in trials {
        let clicks = |iou| trial.clicks_until(iou, protocol.clicks);
        let jitter = trial
            .box_jitter_iou
            .map_or(String::new(), |iou| format!("{iou:.4}"));
        writeln!(
            text,
            "\"{}\",{},{},{},{:.4},{:.4},{:.4},{:.4},{jitter},{:.4},{}",
            name.replace('"', "\"\""),
            clicks(0.80),
            clicks(0.85),
            clicks(0.90),
            trial.best_within(1),
            trial.best_within(3),
            trial.best_within(5),
            trial.box_iou,
            trial.boundary_iou,
            trial.trust.map(trust).join(","),
        )
        .expect("a String takes any text");
    }
    text
}
