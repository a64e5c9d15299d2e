//! What the tests of the program share: the program itself, and folders to run it in.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program with settings and caches of its own, without a terminal.
pub fn termask(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_termask"));
    command
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env_remove("TMUX")
        .stdin(Stdio::null());
    command
}

/// What the program printed on stdout.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the program said on stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
