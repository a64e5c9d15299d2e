//! How far the images of a folder are, from a small file that saves reading every sidecar again.
//!
//! The file lies in the person's cache folder and may be deleted at any time: it holds nothing that
//! the sidecars do not say. A line an image, in the order of the sidecars' names, so that neither
//! reading nor writing it takes memory.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Lines, Write};
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::progress::{self, Progress};
use super::sidecar::SIDECAR;

/// How many sidecars are looked at before what they say is handed over.
const BATCH: usize = 4096;

/// Fewer sidecars are read sooner than a person looks.
const WORTH: usize = 200;

/// A sidecar that was changed so shortly before may change again without another time.
const FRESH: Duration = Duration::from_secs(3);

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// The sidecar's name.
    #[serde(rename = "s")]
    sidecar: String,
    /// Its image's name.
    #[serde(rename = "i")]
    image: String,
    /// When it was changed, in nanoseconds since 1970, and its bytes.
    #[serde(rename = "t")]
    changed: u64,
    #[serde(rename = "b")]
    bytes: u64,
    #[serde(rename = "p")]
    progress: Progress,
}

/// An image's file name, and how far it is.
pub type Standing = (String, Progress);

/// Where a folder's file lies; `None` where the person has no cache folder.
fn place(folder: &Path) -> Option<PathBuf> {
    let folder = fs::canonicalize(folder).ok()?;
    let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    let dirs = directories::ProjectDirs::from("", "", "termask")?;
    let name = format!("{}.jsonl", hex::encode(&digest[..16]));
    Some(dirs.cache_dir().join("folders").join(name))
}

/// Tells how far the images in a folder are that have a sidecar, in batches; `found` returns false
/// to stop. Sidecars that have not changed since the last time are not read. What cannot be read is
/// left out: it is told when its image is opened.
pub fn standings(folder: &Path, found: &mut dyn FnMut(Vec<Standing>) -> bool) -> io::Result<()> {
    let names = sidecars(folder)?;
    let file = (names.len() >= WORTH).then(|| place(folder)).flatten();
    through(folder, &names, file.as_deref(), found);
    Ok(())
}

/// The same for the sidecars with these names, with what lies in `file`.
fn through(
    folder: &Path,
    names: &[String],
    file: Option<&Path>,
    found: &mut dyn FnMut(Vec<Standing>) -> bool,
) {
    let mut old = Old::open(file);
    let mut new = file.and_then(|f| New::create(f).ok());
    for batch in names.chunks(BATCH) {
        let known: Vec<(&String, Option<Entry>)> =
            batch.iter().map(|name| (name, old.entry(name))).collect();
        let entries: Vec<Entry> = known
            .into_par_iter()
            .filter_map(|(name, known)| look(folder, name, known))
            .collect();
        if let Some(Err(_)) = new.as_mut().map(|new| new.add(&entries)) {
            // A full or read-only cache costs time, not work.
            new = None;
        }
        let told = entries.into_iter().map(|e| (e.image, e.progress));
        if !found(told.collect()) {
            return;
        }
    }
    if let (Some(new), Some(file)) = (new, file) {
        // The same holds here.
        let _ = new.keep(file);
    }
}

/// The names of a folder's sidecars, in the order of their bytes.
fn sidecars(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?.flatten();
    let names = entries.filter_map(|e| e.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|n| n.ends_with(SIDECAR)).collect();
    names.par_sort_unstable();
    Ok(names)
}

/// What a sidecar says, as it was known where it has not changed.
fn look(folder: &Path, name: &str, known: Option<Entry>) -> Option<Entry> {
    let path = folder.join(name);
    let info = fs::metadata(&path).ok()?;
    let changed = nanoseconds(info.modified().ok()?);
    let same = known.filter(|e| (e.changed, e.bytes) == (changed, info.len()));
    if same.is_some() {
        return same;
    }
    let (image, progress) = progress::glance(&path).ok()?;
    Some(Entry {
        sidecar: name.into(),
        image,
        changed,
        bytes: info.len(),
        progress,
    })
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0, |d| d.as_nanos() as u64)
}

/// The file as it was, read line by line beside the sorted names.
struct Old(Option<Peekable<Entries>>);

struct Entries(Lines<BufReader<File>>);

impl Iterator for Entries {
    type Item = Entry;

    /// A damaged line ends it: what comes behind is read from the sidecars.
    fn next(&mut self) -> Option<Entry> {
        let line = self.0.next()?.ok()?;
        serde_json::from_str(&line).ok()
    }
}

impl Old {
    fn open(file: Option<&Path>) -> Self {
        let file = file.and_then(|f| File::open(f).ok());
        Self(file.map(|f| Entries(BufReader::new(f).lines()).peekable()))
    }

    /// The entry of the next name.
    fn entry(&mut self, name: &str) -> Option<Entry> {
        let entries = self.0.as_mut()?;
        while entries.next_if(|e| e.sidecar.as_str() < name).is_some() {}
        entries.next_if(|e| e.sidecar == name)
    }
}

/// The file as it will be, beside the old one until it is whole.
struct New {
    file: BufWriter<tempfile::NamedTempFile>,
    /// What was changed later is not kept.
    until: u64,
}

impl New {
    fn create(file: &Path) -> io::Result<Self> {
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let until = SystemTime::now() - FRESH;
        Ok(Self {
            file: BufWriter::new(tempfile::NamedTempFile::new_in(folder)?),
            until: nanoseconds(until),
        })
    }

    fn add(&mut self, entries: &[Entry]) -> io::Result<()> {
        for entry in entries.iter().filter(|e| e.changed <= self.until) {
            serde_json::to_writer(&mut self.file, entry)?;
            self.file.write_all(b"\n")?;
        }
        Ok(())
    }

    fn keep(self, file: &Path) -> io::Result<()> {
        let written = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        written.persist(file)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar(folder: &Path, image: &str, finished: bool) -> PathBuf {
        let stem = image.split('.').next().expect("a name");
        let path = folder.join(format!("{stem}{SIDECAR}"));
        let text = format!(
            r#"{{"version":1,"image":{{"file":"{image}","width":4,"height":3,"sha256":""}},"objects":[],"finished":{finished}}}"#
        );
        fs::write(&path, text).expect("written");
        let past = SystemTime::now() - Duration::from_hours(1);
        set_time(&path, past);
        path
    }

    fn set_time(path: &Path, time: SystemTime) {
        let file = File::options().write(true).open(path).expect("there");
        file.set_modified(time).expect("set");
    }

    fn finished(folder: &Path, file: &Path) -> Vec<(String, bool)> {
        let mut all = Vec::new();
        let names = sidecars(folder).expect("read");
        through(folder, &names, Some(file), &mut |batch| {
            all.extend(batch.into_iter().map(|(name, p)| (name, p.finished)));
            true
        });
        all
    }

    #[test]
    fn what_is_known_is_not_read_again_and_what_changed_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = tempfile::tempdir().expect("a folder");
        let file = cache.path().join("below/index");
        let a = sidecar(folder.path(), "a.png", false);
        let b = sidecar(folder.path(), "b.png", true);
        let all = [("a.png".into(), false), ("b.png".into(), true)];
        assert_eq!(finished(folder.path(), &file), all);
        // The same size and time: only the index can still know what was in it.
        let time = fs::metadata(&b).expect("there").modified().expect("a time");
        fs::write(&b, vec![b'x'; fs::read(&b).expect("there").len()]).expect("written");
        set_time(&b, time);
        assert_eq!(finished(folder.path(), &file), all);
        fs::remove_file(&a).expect("removed");
        set_time(&b, time + Duration::from_secs(1));
        assert_eq!(finished(folder.path(), &file), [], "it is read and damaged");
    }

    #[test]
    fn an_index_that_is_damaged_or_missing_costs_nothing_but_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = tempfile::tempdir().expect("a folder");
        let file = cache.path().join("index");
        for name in ["a.png", "b.png", "c.png"] {
            sidecar(folder.path(), name, true);
        }
        let all = finished(folder.path(), &file);
        assert_eq!(all.len(), 3);
        let text = fs::read_to_string(&file).expect("kept");
        fs::write(&file, &text[..text.len() / 2]).expect("cut");
        assert_eq!(finished(folder.path(), &file), all);
        assert_eq!(fs::read_to_string(&file).expect("mended"), text);
        fs::remove_file(&file).expect("removed");
        assert_eq!(finished(folder.path(), &file), all);
        fs::remove_dir_all(cache.path()).expect("removed");
        fs::write(cache.path(), "no folder").expect("written");
        assert_eq!(finished(folder.path(), &file), all);
    }

    #[test]
    fn a_sidecar_written_a_moment_ago_is_read_again_next_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = tempfile::tempdir().expect("a folder");
        let file = cache.path().join("index");
        let path = sidecar(folder.path(), "a.png", true);
        set_time(&path, SystemTime::now());
        assert_eq!(finished(folder.path(), &file), [("a.png".into(), true)]);
        assert_eq!(fs::read_to_string(&file).expect("kept"), "");
    }
}
