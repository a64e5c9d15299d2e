//! `termask completions`: what a shell needs to complete subcommands and options.

use std::io::{self, Write};
use std::process::ExitCode;

use clap_complete::Shell;

/// Print completions for a shell, e.g. `termask completions fish | source`.
#[derive(Debug, clap::Args)]
pub struct Args {
    shell: Shell,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // clap_complete panics where the reader has gone, so it writes to memory first.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "termask", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
