//! A file from the net: resumed where it was cut off, verified, whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::segment::hash;

/// Connections that may be cut off one after the other without a byte in between.
const FRUITLESS: u32 = 3;

/// Fetches `url` to `file`. What was fetched lies in `FILE.part` until it is whole and its sha256
/// is right; a later call goes on there. `progress` hears how many bytes there are, and of how many.
///
/// Proxies are taken from `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
///
/// # Errors
/// When the address cannot be reached, the disk is full, or the bytes are not the right ones.
pub fn fetch(
    url: &str,
    sha256: &str,
    file: &Path,
    progress: &dyn Fn(u64, Option<u64>),
) -> anyhow::Result<()> {
    let part = part_of(file);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_mins(1)))
        .build()
        .into();
    let mut fruitless = 0;
    loop {
        let before = length(&part);
        match go_on(&agent, url, &part, before, progress) {
            Ok(()) => break,
            Err(Cut::Short(why)) => {
                fruitless = if length(&part) > before {
                    0
                } else {
                    fruitless + 1
                };
                if fruitless == FRUITLESS {
                    bail!(
                        "{url}: {why}; what came is kept: try again, or bring the file here by \
                         other means and give it with --from"
                    );
                }
            }
            Err(Cut::For(why)) => return Err(why),
        }
    }
    accept(&part, sha256, file).with_context(|| url.to_string())
}

/// Takes a verified file to its place. One with other bytes is removed, so that the next fetch
/// begins anew.
pub fn accept(part: &Path, sha256: &str, file: &Path) -> anyhow::Result<()> {
    let found = hash::digest(part).with_context(|| part.display().to_string())?;
    if found != sha256 {
        fs::remove_file(part).with_context(|| part.display().to_string())?;
        bail!("its sha256 is {found}, {sha256} was expected; fetch it again");
    }
    fs::rename(part, file).with_context(|| file.display().to_string())
}

/// Where a file lies until it is whole.
pub fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_os_string();
    name.push(".part");
    PathBuf::from(name)
}

/// Why a transfer ended before its end.
enum Cut {
    /// The connection went; it may be tried again.
    Short(String),
    /// It makes no sense to try again.
    For(anyhow::Error),
}

fn go_on(
    agent: &ureq::Agent,
    url: &str,
    part: &Path,
    from: u64,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<(), Cut> {
    let mut request = agent.get(url);
    if from > 0 {
        request = request.header("Range", format!("bytes={from}-"));
    }
    let response = match request.call() {
        Ok(response) => response,
        // All of it is there already.
        Err(ureq::Error::StatusCode(416)) if from > 0 => return Ok(()),
        Err(ureq::Error::StatusCode(code)) => {
            return Err(Cut::For(anyhow::anyhow!(
                "{url}: the server says {code}; fetch the file in a browser and give it with --from"
            )));
        }
        Err(why) => return Err(Cut::Short(why.to_string())),
    };
    // A server that cannot resume sends everything again.
    let from = if response.status() == 206 { from } else { 0 };
    let length = response.headers().get("content-length");
    let length: Option<u64> = length.and_then(|l| l.to_str().ok()?.parse().ok());
    let whole = length.map(|n| n + from);
    let mut file = open(part, from).map_err(|e| Cut::For(full(part, &e)))?;
    let mut body = response.into_body().into_reader();
    let mut block = vec![0; 1 << 16];
    let mut have = from;
    progress(have, whole);
    loop {
        let n = match body.read(&mut block) {
            Ok(0) => break,
            Ok(n) => n,
            Err(why) => return Err(Cut::Short(why.to_string())),
        };
        file.write_all(&block[..n])
            .map_err(|e| Cut::For(full(part, &e)))?;
        have += n as u64;
        progress(have, whole);
    }
    if whole.is_some_and(|whole| have < whole) {
        return Err(Cut::Short("the connection was cut off".into()));
    }
    Ok(())
}

fn open(part: &Path, from: u64) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(from == 0)
        .open(part)?;
    io::Seek::seek(&mut &file, io::SeekFrom::End(0))?;
    Ok(file)
}

fn full(part: &Path, why: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("{}: {why}; make room there", part.display())
}

fn length(part: &Path) -> u64 {
    part.metadata().map_or(0, |m| m.len())
}

/// Copies a file that was brought here to its place, once its sha256 is right.
pub fn take(from: &Path, sha256: &str, file: &Path) -> anyhow::Result<()> {
    ensure!(from.is_file(), "{}: there is no such file", from.display());
    let part = part_of(file);
    fs::copy(from, &part).with_context(|| from.display().to_string())?;
    accept(&part, sha256, file).with_context(|| from.display().to_string())
}
