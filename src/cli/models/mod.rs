//! `termask models`: which models there are, fetching them, what a file is, which one answers.

pub mod fetch;
mod info;
mod pull;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use crate::core::printable::printable;
use crate::segment::catalog::{ENTRIES, Entry};
use crate::segment::{self, BUILT_IN, models_folder};
use crate::store::settings;

/// List, fetch and look at models, and choose the one that answers
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the engines that are built in, the models that can be fetched, and what is here
    List {
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what a model is: kind, names, shapes, how long a picture and a click take here
    Info {
        /// A model's file or folder, or its name.
        model: String,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
        /// Only read the files; run nothing.
        #[arg(long)]
        dry: bool,
    },
    /// Write the engine of this folder into its termask.toml
    Use {
        /// An engine's name, or a model's file or folder.
        model: String,
        /// The folder whose settings change.
        #[arg(long, value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Fetch a model, or take its files from the disk; a fetch that was cut off goes on
    Pull {
        /// The model's name.
        name: String,
        /// Take a file that was brought here by other means; may be given twice.
        #[arg(long, value_name = "FILE")]
        from: Vec<PathBuf>,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::List { json } => list(*json),
        Command::Info { model, json, dry } => info::run(model, *json, *dry),
        Command::Use {
            model,
            folder,
            json,
        } => choose(model, folder, *json),
        Command::Pull { name, from, json } => pull::run(name, from, *json),
    }
}

fn list(as_json: bool) -> anyhow::Result<ExitCode> {
    let own = own_folders();
    let mut out = io::stdout().lock();
    if as_json {
        let models: Vec<Value> = ENTRIES.iter().map(entry).collect();
        let told = json!({
            "built_in": BUILT_IN,
            "models": models,
            "own": own,
            "folder": models_folder(),
        });
        writeln!(out, "{told}")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "built in: {}", BUILT_IN.join(", "))?;
    writeln!(out, "\nto fetch with `termask models pull NAME`:")?;
    for e in &ENTRIES {
        let (name, about, licence) = (e.name, e.about, e.licence);
        let (here, size) = match (e.bytes_here(), e.megabytes) {
            (Some(bytes), _) => ("here", format!("{:.0} MB", bytes as f64 / 1e6)),
            (None, Some(megabytes)) => ("", format!("~{megabytes} MB")),
            (None, None) => ("", "unknown".into()),
        };
        writeln!(out, "  {name:<18} {here:<5} {size:>7}  {about} ({licence})")?;
    }
    if !own.is_empty() {
        writeln!(out, "\nyour own: {}", own.join(", "))?;
    }
    if let Some(folder) = models_folder() {
        writeln!(out, "\nmodels lie in {}", printable(&folder))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn entry(e: &Entry) -> Value {
    let file = |f: &segment::catalog::Remote| {
        let here = e.folder().map(|folder| folder.join(f.file_name()));
        let bytes = here.and_then(|p| p.metadata().ok()).map(|m| m.len());
        json!({"url": f.url, "sha256": f.sha256, "bytes": bytes})
    };
    json!({
        "name": e.name,
        "about": e.about,
        "licence": e.licence,
        "megabytes": e.megabytes,
        "here": e.is_here(),
        "encoder": file(&e.encoder),
        "decoder": file(&e.decoder),
    })
}

/// Folders of models that are not from the catalogue.
fn own_folders() -> Vec<String> {
    let entries = models_folder().and_then(|f| f.read_dir().ok());
    let names = entries.into_iter().flatten().flatten();
    let mut own: Vec<String> = names
        .filter(|e| e.path().is_dir())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|name| ENTRIES.iter().all(|e| e.name != name))
        .collect();
    own.sort();
    own
}

/// Checks that the engine opens before it is written down.
fn choose(model: &str, folder: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let engine = segment::open(model)?;
    let file = settings::load(folder)?.file;
    // A path means the same from everywhere.
    let path = Path::new(model);
    let written = if path.exists() && !BUILT_IN.contains(&model) {
        let whole = std::path::absolute(path).with_context(|| model.to_string())?;
        whole.to_string_lossy().into_owned()
    } else {
        model.to_string()
    };
    settings::set_engine(&file, &written)?;
    let mut out = io::stdout().lock();
    if as_json {
        let told = json!({"engine": engine.name(), "model": written, "settings": file});
        writeln!(out, "{told}")?;
    } else {
        let file = printable(&file);
        writeln!(out, "{} answers from now on ({file})", engine.name())?;
    }
    Ok(ExitCode::SUCCESS)
}
