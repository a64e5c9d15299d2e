//! The sha256 of model files, remembered in the cache folder while a file stays as it is.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::segment::runtime::cache_folder;
use crate::segment::{Error, Result};

/// First 16 hexadecimal digits that name several files together.
pub fn of_files(paths: &[&Path]) -> Result<String> {
    let mut all = Sha256::new();
    for path in paths {
        all.update(of_file(path)?.as_bytes());
    }
    Ok(hex::encode(&all.finalize()[..8]))
}

/// The sha256 of a file, hexadecimal.
///
/// A file of gigabytes takes seconds to read: what was computed is kept under its path, size and
/// time of change.
pub fn of_file(path: &Path) -> Result<String> {
    let told = |e: io::Error| Error::Model(format!("{}: {e}; copy the file again", path.display()));
    let facts = fs::metadata(path).map_err(told)?;
    let changed = facts.modified().ok();
    let changed = changed.and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    let whole = std::path::absolute(path).map_err(told)?;
    let named = format!("{}\n{}\n{changed:?}", whole.display(), facts.len());
    let note = cache_folder().map(|folder| {
        let name = hex::encode(&Sha256::digest(named.as_bytes())[..16]);
        folder.join("sha256").join(name)
    });
    let kept = note.as_ref().and_then(|note| fs::read_to_string(note).ok());
    if let Some(kept) = kept.filter(|k| k.len() == 64 && changed.is_some()) {
        return Ok(kept);
    }
    let digest = digest(path).map_err(told)?;
    if let Some(note) = note {
        // Without the note the file is read again the next time.
        let _ = remember(&note, &digest);
    }
    Ok(digest)
}

/// The sha256 of a file, read anew.
pub fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex::encode(hasher.finalize())),
            n => hasher.update(&block[..n]),
        }
    }
}

fn remember(note: &Path, digest: &str) -> io::Result<()> {
    let folder = note.parent().expect("it was joined to a folder");
    fs::create_dir_all(folder)?;
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut beside, digest.as_bytes())?;
    beside.persist(note).map_err(|e| e.error)?;
    Ok(())
}
