//! `termask segment`: one prompt, one mask, no terminal needed.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use serde_json::json;

use super::{FOUND, picture, report};
use crate::core::adaptation::Adaptation;
use crate::core::document::{Object, Proposal};
use crate::core::geometry::{ImagePoint, ImageRect, Size};
use crate::core::mask::Mask;
use crate::core::printable::printable;
use crate::core::prompt::{Click, Prompt, Side};
use crate::core::rle;
use crate::segment::{self as engines, Engine, NO_PIXEL, Question};
use crate::store::decode::{self, Decoded};
use crate::store::replace;
use crate::store::settings::{self, Settings};
use crate::store::sidecar::{Opened, Sidecar};
use crate::ui::app;

/// Answer one prompt: a box, inside and outside clicks in; a mask out
#[derive(Debug, clap::Args)]
pub struct Args {
    image: PathBuf,
    /// A box in pixels of the upright image; x1 and y1 lie just outside.
    #[arg(long = "box", value_name = "X0,Y0,X1,Y1", allow_hyphen_values = true, value_parser = numbers::<4>)]
    rect: Option<[u32; 4]>,
    /// A pixel of the object; may be given several times.
    #[arg(long = "in", value_name = "X,Y", allow_hyphen_values = true, value_parser = numbers::<2>)]
    inside: Vec<[u32; 2]>,
    /// A pixel that is not of the object; may be given several times.
    #[arg(long = "out", value_name = "X,Y", allow_hyphen_values = true, value_parser = numbers::<2>)]
    outside: Vec<[u32; 2]>,
    /// Add the mask as an object to the files beside the image.
    #[arg(long)]
    save: bool,
    /// The object's class, for --save; the folder's first class where it is not given.
    #[arg(long, value_name = "CLASS", requires = "save")]
    class: Option<String>,
    /// Write the mask as a PNG of 0 and 255 with the size of the upright image.
    #[arg(short, long, value_name = "MASK.PNG")]
    output: Option<PathBuf>,
    /// Print the picture with the mask.
    #[arg(long, conflicts_with = "json")]
    show: bool,
    /// Print area, bbox (x, y, width, height), confidence, milliseconds, engine and COCO RLE.
    #[arg(long)]
    json: bool,
    /// An engine's name, or a model's file or folder.
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
}

/// An engine's best proposal, and how long it took.
#[derive(Debug)]
pub struct Answer {
    pub prompt: Prompt,
    pub proposal: Proposal,
    pub milliseconds: f64,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(output) = &args.output {
        ensure!(
            !is_same_file(output, &args.image),
            "{}: the mask would replace the image; name another file",
            printable(output)
        );
    }
    let decoded = decode::decode(&args.image)?;
    // Saving tells them with those of the files beside the image.
    for note in decoded.notes.iter().filter(|_| !args.save) {
        eprintln!("termask: {note}");
    }
    let prompt = prompt(args, decoded.image.size())?;
    let settings = settings::load(&folder_of(&args.image))?;
    let name = args.engine.as_deref().or(settings.engine.as_deref());
    let mut engine = engines::open(name.unwrap_or("click"))?;
    report::note(&*engine);
    let class = class(args, &settings);
    let adaptation = settings.adapted.get(&*class).cloned();
    let answer = ask(&mut *engine, &decoded, prompt, adaptation)?;
    if let Some(output) = &args.output {
        replace::write(output, &png(&answer.proposal.mask)?)?;
    }
    if args.show {
        let colour = settings::class_colour(0);
        picture::print(
            &decoded.image,
            &[(Arc::clone(&answer.proposal.mask), colour)],
        )?;
    }
    print(args, &answer)?;
    if answer.proposal.mask.is_empty() {
        report::tell(NO_PIXEL);
        return Ok(ExitCode::from(FOUND));
    }
    if args.save {
        let sidecar = save(&args.image, &decoded, answer, class)?;
        if !args.json {
            let mut out = io::stdout().lock();
            writeln!(out, "saved in {}", printable(&sidecar))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The engine's best proposal for a prompt on a fresh image.
pub fn ask(
    engine: &mut dyn Engine,
    decoded: &Decoded,
    prompt: Prompt,
    adaptation: Option<Arc<Adaptation>>,
) -> anyhow::Result<Answer> {
    let question = Question {
        adaptation,
        ..Question::new(&decoded.image, decoded.key, prompt)
    };
    let start = Instant::now();
    let proposals = engine.propose(&question)?;
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    let best = proposals.into_iter().next();
    Ok(Answer {
        prompt: question.prompt,
        proposal: best.with_context(|| format!("{} gave no proposal", engine.name()))?,
        milliseconds,
    })
}

/// Adds the answer as an object to the files beside the image; tells the sidecar's name.
pub fn save(
    image: &Path,
    decoded: &Decoded,
    answer: Answer,
    class: Arc<str>,
) -> anyhow::Result<PathBuf> {
    let Opened {
        mut sidecar,
        mut history,
        notes,
    } = Sidecar::open(image, decoded)?;
    for note in notes {
        eprintln!("termask: {note}");
    }
    let now = jiff::Timestamp::now().as_millisecond();
    let mut origin = answer.proposal.origin;
    origin.who = app::person().to_string();
    history.step(|document| {
        let id = document.take_id();
        let object = Object {
            prompt: answer.prompt,
            origin,
            confidence: Some(answer.proposal.confidence),
            ..Object::new(id, class, answer.proposal.mask, now)
        };
        document.objects.push(object.into());
    });
    sidecar.save(&history)?;
    Ok(sidecar.path)
}

/// The folder whose settings count for a file.
pub fn folder_of(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new(".")).to_path_buf()
}

/// The class that was asked for, or the first one of the folder.
fn class(args: &Args, settings: &Settings) -> Arc<str> {
    let first = settings.classes.first().map(|c| c.name.as_str());
    Arc::from(args.class.as_deref().or(first).unwrap_or("object"))
}

/// `N` numbers with commas between them.
fn numbers<const N: usize>(text: &str) -> Result<[u32; N], String> {
    let parts: Result<Vec<u32>, _> = text.split(',').map(|p| p.trim().parse()).collect();
    parts
        .ok()
        .and_then(|parts| parts.try_into().ok())
        .ok_or_else(|| format!("give {N} whole numbers from 0 on, with commas between them"))
}

/// The prompt of the command line, checked against the image.
fn prompt(args: &Args, size: Size) -> anyhow::Result<Prompt> {
    let Size { width, height } = size;
    let rect = args
        .rect
        .map(|[x0, y0, x1, y1]| ImageRect::new(x0, y0, x1, y1));
    if let Some(ImageRect { x0, y0, x1, y1 }) = rect {
        ensure!(
            x0 < x1 && y0 < y1,
            "the box {x0},{y0},{x1},{y1} holds no pixel: give left, top, right, bottom"
        );
        ensure!(
            x1 <= width && y1 <= height,
            "the box {x0},{y0},{x1},{y1} reaches beyond the image of {width}x{height} pixels"
        );
    }
    let sides = [
        (&args.inside, Side::Inside, "in"),
        (&args.outside, Side::Outside, "out"),
    ];
    let mut clicks = Vec::new();
    for (points, side, option) in sides {
        for [x, y] in points {
            let at = ImagePoint::new(*x, *y);
            ensure!(
                size.contains(at),
                "--{option} {x},{y} lies outside the image of {width}x{height} pixels"
            );
            clicks.push(Click { at, side });
        }
    }
    let prompt = Prompt { rect, clicks };
    if !prompt.is_answerable() {
        bail!("the prompt names no object: give --box or --in");
    }
    Ok(prompt)
}

fn print(args: &Args, answer: &Answer) -> anyhow::Result<()> {
    let mask = &answer.proposal.mask;
    let bounds = mask.bounds().map(|b| [b.x0, b.y0, b.width(), b.height()]);
    let mut out = io::stdout().lock();
    if args.json {
        let size = mask.size();
        let found = json!({
            "image": args.image.to_string_lossy(),
            "engine": answer.proposal.origin.engine,
            "model": answer.proposal.origin.model,
            "area": mask.area(),
            "bbox": bounds,
            "confidence": answer.proposal.confidence,
            "milliseconds": answer.milliseconds,
            "rle": {
                "size": [size.height, size.width],
                "counts": rle::string_from_mask(mask),
            },
        });
        writeln!(out, "{found}")?;
        return Ok(());
    }
    let [x, y, width, height] = bounds.unwrap_or_default();
    writeln!(
        out,
        "{}: {} pixels, {width}x{height} at {x},{y}, confidence {:.2}, {:.0} ms ({})",
        printable(&args.image),
        mask.area(),
        answer.proposal.confidence,
        answer.milliseconds,
        answer.proposal.origin.engine,
    )?;
    Ok(())
}

/// A grey PNG of the mask: 0 outside, 255 inside.
fn png(mask: &Mask) -> anyhow::Result<Vec<u8>> {
    let size = mask.size();
    let mut bytes = mask.to_bytes(size.bounds());
    for byte in &mut bytes {
        *byte *= 255;
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, size.width, size.height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bytes)?;
    writer.finish()?;
    Ok(file)
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
