//! `termask doctor`: what was found here, and what to do about what is missing.

use std::env;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;

use super::FOUND;
use super::annotate::graphics;
use crate::core::printable::printable_text;
use crate::segment::Compute;
use crate::segment::click::{self, ClickNet};
use crate::segment::runtime::{self, Device};
use crate::term::{Graphics, probe};

/// Say what terminal, runtime, model and cache were found, and what to do about what is missing
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
    /// Say how pictures would get on the screen with this option.
    #[arg(long, value_name = "KIND", value_parser = graphics())]
    graphics: Option<Graphics>,
}

/// All that was looked at.
#[derive(Debug, Serialize)]
struct Findings {
    version: &'static str,
    terminal: Terminal,
    runtime: Option<Runtime>,
    model: Model,
    cache: Option<Cache>,
    /// What to do about what is missing; empty where all is well.
    advice: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Terminal {
    present: bool,
    /// Columns and rows.
    size: Option<(u16, u16)>,
    term: Option<String>,
    program: Option<String>,
    over_ssh: bool,
    in_tmux: bool,
    /// What the terminal calls itself, and where tmux shows it.
    name: Option<String>,
    /// How pictures are shown, and why; none without a terminal.
    graphics: Option<&'static str>,
    reason: Option<String>,
    /// Width and height of a cell in pixels, where the terminal told them.
    cell: Option<(f64, f64)>,
    /// How long an answer of the terminal takes.
    round_trip_ms: Option<f64>,
    /// What the line to the terminal carries; none where it is too fast to tell.
    bytes_per_second: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Runtime {
    path: String,
    source: &'static str,
    has_cuda: bool,
    /// What a large model runs on, as the click net tried it; none where that cannot be loaded.
    device: Option<&'static str>,
    /// Why that is no GPU.
    reason: Option<String>,
    passed_over: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Model {
    name: &'static str,
    sha256_16: &'static str,
}

#[derive(Debug, Serialize)]
struct Cache {
    path: String,
    writable: bool,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut advice = Vec::new();
    let findings = Findings {
        version: env!("CARGO_PKG_VERSION"),
        terminal: terminal(args.graphics, &mut advice),
        runtime: runtime(&mut advice),
        model: Model {
            name: "click",
            sha256_16: click::model_hash(),
        },
        cache: cache(&mut advice),
        advice,
    };
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&findings)?)?;
    } else {
        findings.print(&mut out)?;
    }
    Ok(if findings.advice.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    })
}

fn terminal(asked: Option<Graphics>, advice: &mut Vec<String>) -> Terminal {
    let present = io::stdin().is_terminal() && io::stdout().is_terminal();
    let named = |name| env::var(name).ok().filter(|v| !v.is_empty());
    let report = present.then(probe::probe).and_then(Result::ok);
    let report = match asked {
        Some(graphics) => report.map(|r| r.forced(graphics)),
        None => report,
    };
    if let Some(report) = &report {
        advice.extend(report.advice.iter().cloned());
    }
    let round_trip = report.as_ref().and_then(|r| r.round_trip);
    let measured = report.as_ref().and_then(|r| r.rate);
    Terminal {
        present,
        size: crossterm::terminal::size().ok().filter(|_| present),
        term: named("TERM"),
        program: named("TERM_PROGRAM"),
        over_ssh: named("SSH_CONNECTION").is_some(),
        in_tmux: named("TMUX").is_some() || report.as_ref().is_some_and(|r| r.is_in_tmux),
        name: report.as_ref().and_then(|r| r.name.clone()),
        graphics: report.as_ref().map(|r| r.graphics.name()),
        reason: report.as_ref().map(|r| r.reason.clone()),
        cell: report
            .filter(|r| r.is_cell_known)
            .map(|r| (r.cell.width, r.cell.height)),
        round_trip_ms: round_trip.map(|seconds| seconds * 1000.0),
        bytes_per_second: measured,
    }
}

fn runtime(advice: &mut Vec<String>) -> Option<Runtime> {
    let found = match runtime::runtime() {
        Ok(found) => found,
        Err(why) => {
            advice.push(why.to_string());
            return None;
        }
    };
    let (device, reason) = match ClickNet::open_on(Compute::Best) {
        Ok(net) => {
            let reason = match &net.device {
                Device::Cpu { why } => why.clone(),
                Device::Cuda | Device::TensorRt => None,
            };
            (Some(device(&net.device, advice)), reason)
        }
        Err(why) => {
            advice.push(why.to_string());
            (None, None)
        }
    };
    Some(Runtime {
        path: found.path.display().to_string(),
        source: found.source.name(),
        has_cuda: runtime::has_cuda(&found.path),
        device,
        reason,
        passed_over: found.passed_over.clone(),
    })
}

fn device(device: &Device, advice: &mut Vec<String>) -> &'static str {
    advice.extend(device.note());
    device.name()
}

fn cache(advice: &mut Vec<String>) -> Option<Cache> {
    let Some(path) = runtime::cache_folder() else {
        advice.push("there is no home folder for the cache: set HOME or XDG_CACHE_HOME".into());
        return None;
    };
    let tried = fs::create_dir_all(&path).and_then(|()| tempfile::tempfile_in(&path));
    if let Err(why) = &tried {
        advice.push(format!(
            "{}: {why}; make it writable or set XDG_CACHE_HOME",
            path.display()
        ));
    }
    Some(Cache {
        path: path.display().to_string(),
        writable: tried.is_ok(),
    })
}

impl Findings {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let mut line = |name: &str, text: String| {
            let text = printable_text(&text);
            writeln!(out, "{name:<10}{text}")
        };
        line("termask", self.version.into())?;
        line("terminal", self.terminal.describe())?;
        if let (Some(graphics), Some(reason)) = (self.terminal.graphics, &self.terminal.reason) {
            line("graphics", format!("{graphics}: {reason}"))?;
        }
        if let Some(text) = self.terminal.line() {
            line("line", text)?;
        }
        match &self.runtime {
            Some(runtime) => {
                let cuda = if runtime.has_cuda { ", with CUDA" } else { "" };
                let text = format!("ONNX Runtime, {}{cuda}: {}", runtime.source, runtime.path);
                line("runtime", text)?;
                let device = runtime.device.unwrap_or("none: the model does not load");
                let reason = runtime.reason.as_ref().map(|why| format!(": {why}"));
                line("device", format!("{device}{}", reason.unwrap_or_default()))?;
                for passed_over in &runtime.passed_over {
                    line("", format!("passed over: {passed_over}"))?;
                }
            }
            None => line("runtime", "none".into())?,
        }
        line(
            "model",
            format!("{}, built in ({})", self.model.name, self.model.sha256_16),
        )?;
        let cache = self.cache.as_ref().map(|c| {
            let state = if c.writable { "" } else { " (not writable)" };
            format!("{}{state}", c.path)
        });
        line("cache", cache.unwrap_or_else(|| "none".into()))?;
        for advice in &self.advice {
            writeln!(out, "\n* {}", printable_text(advice))?;
        }
        Ok(())
    }
}

impl Terminal {
    fn describe(&self) -> String {
        if !self.present {
            return "none: stdin or stdout is a file or a pipe".into();
        }
        let mut words = vec![
            self.term
                .clone()
                .unwrap_or_else(|| "TERM is not set".into()),
        ];
        words.extend(self.name.clone().or_else(|| self.program.clone()));
        words.extend(self.size.map(|(c, r)| format!("{c}x{r} cells")));
        words.extend(self.over_ssh.then(|| "over SSH".into()));
        words.extend(self.in_tmux.then(|| "in tmux".into()));
        words.extend(
            self.cell
                .map(|(w, h)| format!("cells of {w:.0}x{h:.0} pixels")),
        );
        words.join(", ")
    }

    /// How far away the terminal is.
    fn line(&self) -> Option<String> {
        let trip = self.round_trip_ms?;
        let carries = self.bytes_per_second.map_or_else(
            || "carries more than can be told".to_string(),
            |rate| format!("carries about {:.0} kB/s", rate / 1000.0),
        );
        Some(format!("an answer takes {trip:.0} ms; {carries}"))
    }
}
