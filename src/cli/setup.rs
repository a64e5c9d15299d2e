//! `termask setup`: what else this machine could use.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use serde_json::json;

use super::FOUND;
use crate::core::printable::printable;
use crate::segment::runtime;

/// Set up what lets the models run faster here
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Setup,
}

#[derive(Debug, clap::Subcommand)]
enum Setup {
    /// Print the pip command that brings the ONNX Runtime for this GPU's driver, or run it
    Gpu {
        /// Run the command.
        #[arg(long)]
        run: bool,
        /// The driver's CUDA version, instead of asking `nvidia-smi`.
        #[arg(long, value_name = "MAJOR.MINOR", value_parser = version)]
        cuda: Option<Version>,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Major and minor.
type Version = (u32, u32);

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Setup::Gpu { run, cuda, json } = &args.command;
    let Some(cuda) = cuda.or_else(driver) else {
        eprintln!(
            "termask: nvidia-smi tells of no NVIDIA driver here; the processor computes. Install \
             the driver first, or name its CUDA version with --cuda"
        );
        return Ok(ExitCode::from(FOUND));
    };
    let folder =
        runtime::gpu_folder().context("there is no home folder: set HOME or XDG_DATA_HOME")?;
    let words = command(cuda, &folder)?;
    let mut out = io::stdout().lock();
    if *json {
        let told = json!({"cuda": format!("{}.{}", cuda.0, cuda.1), "command": words});
        writeln!(out, "{told}")?;
    } else {
        writeln!(out, "{}", quoted(&words))?;
    }
    if !*run {
        return Ok(ExitCode::SUCCESS);
    }
    let done = Command::new(&words[0])
        .args(&words[1..])
        .status()
        .with_context(|| format!("{} cannot be run; install Python with pip", words[0]))?;
    if !done.success() {
        bail!("pip failed ({done}); its own message stands above");
    }
    eprintln!(
        "termask: the runtime lies in {}; `termask doctor` says whether it is used",
        printable(&folder)
    );
    Ok(ExitCode::SUCCESS)
}

/// The wheel that goes with a driver: from 1.27 on ONNX Runtime needs CUDA 13, up to 1.26 CUDA 12.
fn command(cuda: Version, folder: &Path) -> anyhow::Result<Vec<String>> {
    let wheel = match cuda.0 {
        13.. => "onnxruntime-gpu[cuda,cudnn]==1.31.1",
        12 => "onnxruntime-gpu[cuda,cudnn]==1.26.*",
        _ => bail!(
            "the driver's CUDA {}.{} is too old: ONNX Runtime needs 12 or newer; update the driver",
            cuda.0,
            cuda.1
        ),
    };
    let words = ["python3", "-m", "pip", "install", "--upgrade", "--target"];
    let mut words: Vec<String> = words.map(String::from).to_vec();
    words.push(folder.to_string_lossy().into_owned());
    words.push(wheel.into());
    Ok(words)
}

/// The words as a shell takes them.
fn quoted(words: &[String]) -> String {
    let quote = |word: &String| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=".contains(c);
        if word.chars().all(is_plain) {
            return word.clone();
        }
        format!("'{}'", word.replace('\'', r"'\''"))
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// The newest CUDA that the driver can run, as `nvidia-smi` prints it.
fn driver() -> Option<Version> {
    let output = Command::new("nvidia-smi").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    told_version(&text)
}

fn told_version(text: &str) -> Option<Version> {
    let (_, rest) = text.split_once("CUDA Version:")?;
    let word = rest.split_whitespace().next()?;
    version(word).ok()
}

fn version(text: &str) -> Result<Version, String> {
    let parse = |(major, minor): (&str, &str)| Some((major.parse().ok()?, minor.parse().ok()?));
    text.split_once('.')
        .and_then(parse)
        .ok_or_else(|| "write it as 12.4".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wheel_fits_the_driver() {
        let folder = Path::new("/home/a b/gpu");
        let text = "| NVIDIA-SMI 550.54.15  Driver Version: 550.54.15  CUDA Version: 12.4     |";
        let cuda = told_version(text).expect("it is there");
        let words = command(cuda, folder).expect("supported");
        assert_eq!(
            quoted(&words),
            "python3 -m pip install --upgrade --target '/home/a b/gpu' \
             'onnxruntime-gpu[cuda,cudnn]==1.26.*'"
        );
        let newer = command((13, 0), folder).expect("supported");
        assert!(newer.last().is_some_and(|w| w.ends_with("==1.31.1")));
        let why = command((11, 8), folder).expect_err("too old").to_string();
        assert!(why.contains("update the driver"), "{why}");
        assert_eq!(told_version("no devices were found"), None);
    }
}
