//! The command line: one file a subcommand, each with its `Args` and its `run`.
//!
//! Exit codes: 0 fine, 1 a check found something, 2 an error (a wrong command line included).

pub mod completions;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

/// What a wrong command line, an unreadable file or a missing model end with.
pub const FAILED: u8 = 2;

/// Makes segmentation masks in the terminal, by keyboard, where the images lie.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Completions(completions::Args),
}

/// Runs the command line; says what went wrong on stderr.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let ended = match cli.command {
        Command::Completions(args) => completions::run(&args),
    };
    ended.unwrap_or_else(|error| {
        if reader_has_gone(&error) {
            return ExitCode::SUCCESS;
        }
        eprintln!("termask: {}", message(&error));
        ExitCode::from(FAILED)
    })
}

/// The commands and options as clap knows them, for completions and the docs.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Text of unknown origin (file names above all) that cannot steer the terminal: control
/// characters become their escapes.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// An error with its causes in one line. A layer's message may quote its cause; it is not repeated.
fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    printable(&text)
}

/// Whether the error is only that nobody reads stdout any more, as with `| head`.
fn reader_has_gone(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Prints clap's help, version or usage error.
fn explain(error: &clap::Error) -> ExitCode {
    let fine = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if fine {
        // Nobody may be reading the help any more: that is no error.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    for line in text.trim_end().lines() {
        eprintln!("{}", printable(line));
    }
    ExitCode::from(FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_options_of_all_subcommands_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn an_error_names_each_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("a.png: {source}; make room")]
        struct Full {
            source: io::Error,
        }
        let error = Err::<(), _>(Full {
            source: io::Error::other("disk full"),
        })
        .context("saving the mask")
        .expect_err("it failed");
        assert_eq!(
            message(&error),
            "saving the mask: a.png: disk full; make room"
        );
    }

    #[test]
    fn a_file_name_cannot_steer_the_terminal() {
        let error = anyhow::anyhow!("a\x1b[2J\n.png\u{9b}: not an image");
        assert_eq!(
            message(&error),
            r"a\u{1b}[2J\n.png\u{9b}: not an image".to_string()
        );
    }
}
