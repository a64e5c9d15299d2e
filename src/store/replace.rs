//! Atomic replacement: at every moment the old file or the new one lies there, whole.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::store::error::{Error, Result};

/// Writes beside the file, flushes, renames, flushes the folder, and reads back.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let told = |e| Error::io(path, e);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let mut beside = tempfile::Builder::new()
        .prefix(".termask-")
        .suffix(".tmp")
        .permissions(permissions())
        .tempfile_in(folder)
        .map_err(told)?;
    beside.write_all(bytes).map_err(told)?;
    beside.as_file().sync_all().map_err(told)?;
    beside.persist(path).map_err(|e| told(e.error))?;
    // The rename itself must survive a power cut; not every file system can flush a folder.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    let back = fs::read(path).map_err(told)?;
    if back == bytes {
        return Ok(());
    }
    let differs = std::io::Error::other("what was read back differs from what was written");
    Err(told(differs))
}

/// Readable for the group and others, as far as the umask lets: labels are shared.
#[cfg(unix)]
fn permissions() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::Permissions::from_mode(0o666)
}

#[cfg(not(unix))]
fn permissions() -> fs::Permissions {
    let file = tempfile::tempfile().expect("a temporary file can be made");
    file.metadata()
        .expect("an open file has metadata")
        .permissions()
}
