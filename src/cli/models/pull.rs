//! `termask models pull`: a model's files, from the net or from the disk.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::fetch;
use crate::core::printable::printable;
use crate::segment::catalog::{Entry, Remote};
use crate::segment::hash;

pub fn run(name: &str, from: &[PathBuf], as_json: bool) -> anyhow::Result<ExitCode> {
    let entry = Entry::named(name)?;
    let folder = entry
        .folder()
        .context("there is no home folder for models: set HOME or XDG_DATA_HOME")?;
    fs::create_dir_all(&folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    if from.is_empty() {
        for file in entry.files() {
            pull(file, &folder)?;
        }
    } else {
        for path in from {
            bring(entry, path, &folder)?;
        }
    }
    let missing: Vec<&str> = entry
        .files()
        .iter()
        .map(|f| f.file_name())
        .filter(|name| !folder.join(name).is_file())
        .collect();
    let mut out = io::stdout().lock();
    if as_json {
        let told = json!({"name": name, "folder": folder, "missing": missing});
        writeln!(out, "{told}")?;
    } else if missing.is_empty() {
        writeln!(
            out,
            "{name} is here ({}); `termask models use {name}` lets it answer",
            printable(&folder)
        )?;
    }
    if !missing.is_empty() {
        eprintln!("termask: still missing: {}", missing.join(", "));
        return Ok(ExitCode::from(super::super::FOUND));
    }
    Ok(ExitCode::SUCCESS)
}

fn pull(remote: &Remote, folder: &Path) -> anyhow::Result<()> {
    let file = folder.join(remote.file_name());
    if file.is_file() {
        return Ok(());
    }
    let style =
        ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    let bar = ProgressBar::new(0).with_message(remote.file_name());
    bar.set_style(style.expect("the template is right"));
    let progress = |have: u64, whole: Option<u64>| {
        if let Some(whole) = whole {
            bar.set_length(whole);
        }
        bar.set_position(have);
    };
    let fetched = fetch::fetch(remote.url, remote.sha256, &file, &progress);
    bar.finish_and_clear();
    fetched
}

/// Takes the file of the entry whose sha256 it has.
fn bring(entry: &Entry, from: &Path, folder: &Path) -> anyhow::Result<()> {
    if from.is_dir() {
        bail!(
            "{}: this is a folder; name the files in it, each after a `--from` of its own",
            printable(from)
        );
    }
    let digest = hash::digest(from).with_context(|| from.display().to_string())?;
    let files = entry.files();
    let Some(file) = files.iter().find(|f| f.sha256 == digest) else {
        let wanted: Vec<&str> = files.iter().map(|f| f.url).collect();
        bail!(
            "{}: its sha256 {digest} is of no file of {}; wanted are {}",
            from.display(),
            entry.name,
            wanted.join(" and ")
        );
    };
    fetch::take(from, file.sha256, &folder.join(file.file_name()))
}
