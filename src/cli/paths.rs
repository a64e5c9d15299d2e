//! Paths on stdout, for the next program.

use std::io::{self, Write};
use std::path::Path;

/// A path a line, byte for byte as the file system has it.
pub fn print<'a>(paths: impl IntoIterator<Item = &'a Path>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for path in paths {
        out.write_all(path.as_os_str().as_encoded_bytes())?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
