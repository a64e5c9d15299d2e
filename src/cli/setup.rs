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
    let cuda = match cuda.map_or_else(driver, Ok) {
        Ok(cuda) => cuda,
        Err(why) => {
            eprintln!(
                "termask: {why}; the processor computes. Or name the driver's CUDA version with \
                 --cuda"
            );
            return Ok(ExitCode::from(FOUND));
        }
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

/// The newest CUDA that the driver can run, or why there is none.
fn driver() -> Result<Version, String> {
    let output = Command::new("nvidia-smi").output();
    let output = output.map_err(|_| {
        String::from("there is no nvidia-smi here: install NVIDIA's driver where there is a GPU")
    })?;
    told_version(&String::from_utf8_lossy(&output.stdout))
}

/// The CUDA version in the head of nvidia-smi's table: `CUDA Version: 12.4`, and since driver 610
/// `CUDA UMD Version: 13.3`.
fn told_version(text: &str) -> Result<Version, String> {
    let after = |line: &'_ str| {
        let (_, rest) = line.split_once("CUDA ")?;
        let (_, rest) = rest.split_once("Version:")?;
        Some(
            rest.split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let Some(word) = text.lines().find_map(after) else {
        let first = text.lines().find(|line| !line.trim().is_empty());
        let first = first.unwrap_or("nothing").trim();
        return Err(format!(
            "nvidia-smi tells of no driver ({first}): start or install it"
        ));
    };
    version(&word).map_err(|_| {
        "the driver is here without CUDA: install its libcuda (in a container, start it with the \
         GPU and the compute capability)"
            .into()
    })
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
        let words = command((12, 4), folder).expect("supported");
        assert_eq!(
            quoted(&words),
            "python3 -m pip install --upgrade --target '/home/a b/gpu' \
             'onnxruntime-gpu[cuda,cudnn]==1.26.*'"
        );
        let newer = command((13, 0), folder).expect("supported");
        assert!(newer.last().is_some_and(|w| w.ends_with("==1.31.1")));
        let why = command((11, 8), folder).expect_err("too old").to_string();
        assert!(why.contains("update the driver"), "{why}");
    }
}
