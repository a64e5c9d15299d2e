//! `termask models info`: what a model's files say, and how fast it is here.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use crate::cli::report;
use crate::core::geometry::Size;
use crate::core::image::Image;
use crate::core::printable::printable;
use crate::core::prompt::{Click, Prompt, Side};
use crate::segment::header::{Header, Port};
use crate::segment::sam::{Sam, files};
use crate::segment::{self, BUILT_IN, Cancel, Engine, Question};

/// Milliseconds that a picture and a click take, and on what.
struct Pace {
    device: &'static str,
    picture: f64,
    click: f64,
}

pub fn run(model: &str, as_json: bool, dry: bool) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        !BUILT_IN.contains(&model),
        "{model} is built in and has no files; name a model's file or folder"
    );
    let path = segment::model_path(model)?;
    let pair = files::find(&path)?;
    let kind = pair.encoder.1.name;
    let pace = if dry { None } else { Some(pace(&path)?) };
    let mut out = io::stdout().lock();
    if as_json {
        let told = json!({
            "kind": kind,
            "encoder": header(&pair.encoder.0),
            "decoder": header(&pair.decoder.0),
            "device": pace.as_ref().map(|p| p.device),
            "picture_milliseconds": pace.as_ref().map(|p| p.picture),
            "click_milliseconds": pace.as_ref().map(|p| p.click),
        });
        writeln!(out, "{told}")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{kind}")?;
    for (role, header) in [("encoder", &pair.encoder.0), ("decoder", &pair.decoder.0)] {
        let size = header.bytes as f64 / 1e6;
        let (file, opset) = (printable(&header.path), header.opset);
        writeln!(out, "{role}: {file}, {size:.1} MB, opset {opset}")?;
        for (arrow, ports) in [("in ", &header.inputs), ("out", &header.outputs)] {
            for port in ports {
                writeln!(out, "  {arrow} {port}")?;
            }
        }
    }
    if let Some(Pace {
        device,
        picture,
        click,
    }) = pace
    {
        writeln!(
            out,
            "a picture of 1024x768 takes {picture:.0} ms here on {device}, a click {click:.0} ms"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn header(header: &Header) -> Value {
    let list = |ports: &[Port]| ports.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "path": header.path,
        "bytes": header.bytes,
        "opset": header.opset,
        "producer": header.producer,
        "inputs": list(&header.inputs),
        "outputs": list(&header.outputs),
    })
}

/// Times a grey picture and the second of two clicks: the first also sets up memory.
fn pace(path: &Path) -> anyhow::Result<Pace> {
    let mut sam = Sam::open(path)?;
    report::note(&sam);
    let device = sam.device().name();
    let size = Size::new(1024, 768);
    let grey = vec![128; 3 * size.area() as usize];
    let image = Arc::new(Image::from_rgb(size, grey));
    let start = Instant::now();
    sam.prepare(&image, 0, &Cancel::default())?;
    let picture = start.elapsed().as_secs_f64() * 1000.0;
    let prompt = Prompt {
        rect: None,
        clicks: vec![Click {
            at: size.bounds().centre(),
            side: Side::Inside,
        }],
    };
    let question = Question::new(&image, 0, prompt);
    sam.propose(&question)?;
    let start = Instant::now();
    sam.propose(&question)?;
    let click = start.elapsed().as_secs_f64() * 1000.0;
    Ok(Pace {
        device,
        picture,
        click,
    })
}
