//! Replaces a file as a whole: whoever reads it sees the old content or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::store::error::{Error, Result};

/// How the names of half-written files begin and end; a crash may leave one behind.
pub const LEFTOVER: (&str, &str) = (".termask-", ".tmp");

/// Writes beside, flushes to the disk, renames, and reads back. On an error the old file is as it
/// was.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes).map_err(|e| Error::io(path, e))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link stays a link: what it points at is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(LEFTOVER.0).suffix(LEFTOVER.1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file, so that a shared folder stays shared; the umask applies.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut beside = builder.tempfile_in(folder)?;
    if let Ok(old) = fs::metadata(&target) {
        if old.permissions().readonly() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        beside.as_file().set_permissions(old.permissions())?;
    }
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    if fs::read(beside.path())? != bytes {
        return Err(io::Error::other(
            "the disk does not give back what was written",
        ));
    }
    beside.persist(&target).map_err(|e| e.error)?;
    // The new name is on the disk only when the folder is. Not every system can flush a folder.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_content_replaces_the_old_and_nothing_is_left_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        write(&path, b"old").expect("written");
        write(&path, b"new").expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"new");
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1);
    }

    #[test]
    fn a_file_that_is_protected_stays_and_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        write(&path, b"old").expect("written");
        let mut rights = fs::metadata(&path).expect("there").permissions();
        rights.set_readonly(true);
        fs::set_permissions(&path, rights).expect("set");
        let why = write(&path, b"new").expect_err("protected").to_string();
        assert!(why.contains("a.json"), "{why}");
        assert_eq!(fs::read(&path).expect("read"), b"old");
    }

    #[test]
    fn a_renaming_that_fails_is_told_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.json");
        fs::create_dir_all(path.join("within")).expect("made");
        let why = write(&path, b"new").expect_err("a folder").to_string();
        assert!(why.contains("a.json"), "{why}");
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1);
    }
}
