//! The command line: one file a subcommand, each with its `Args` and its `run`.
//!
//! Exit codes: 0 fine, 1 a check found something, 2 an error (a wrong command line included).

pub mod adapt;
pub mod agree;
pub mod annotate;
pub mod check;
pub mod completions;
pub mod demo;
mod devices;
pub mod diff;
pub mod doctor;
pub mod encode;
pub mod eval;
pub mod export;
pub mod import;
pub mod models;
pub mod next;
mod paths;
mod picture;
pub mod prelabel;
mod report;
pub mod review;
pub mod segment;
pub mod setup;
pub mod show;
pub mod stats;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// What a check that found something ends with.
pub const FOUND: u8 = 1;

/// What a wrong command line, an unreadable file or a missing model end with.
pub const FAILED: u8 = 2;

/// Makes segmentation masks in the terminal, by keyboard, where the images lie.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    annotate: annotate::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    Segment(segment::Args),
    Review(review::Args),
    Show(show::Args),
    Demo(demo::Args),
    Doctor(doctor::Args),
    Export(export::Args),
    Import(import::Args),
    Check(check::Args),
    Stats(stats::Args),
    Diff(diff::Args),
    Agree(agree::Args),
    Next(next::Args),
    Prelabel(prelabel::Args),
    Completions(completions::Args),
    Eval(eval::Args),
    Adapt(adapt::Args),
    Models(models::Args),
    Encode(encode::Args),
    Setup(setup::Args),
}

/// Runs the command line; says what went wrong on stderr.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => return report::usage(&error),
    };
    let ended = match cli.command {
        None => annotate::run(cli.annotate),
        Some(Command::Segment(args)) => segment::run(&args),
        Some(Command::Review(args)) => review::run(args),
        Some(Command::Show(args)) => show::run(&args),
        Some(Command::Demo(args)) => demo::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Stats(args)) => stats::run(&args),
        Some(Command::Diff(args)) => diff::run(&args),
        Some(Command::Agree(args)) => agree::run(&args),
        Some(Command::Next(args)) => next::run(&args),
        Some(Command::Prelabel(args)) => prelabel::run(&args),
        Some(Command::Completions(args)) => completions::run(&args),
        Some(Command::Eval(args)) => eval::run(&args),
        Some(Command::Adapt(args)) => adapt::run(&args),
        Some(Command::Models(args)) => models::run(&args),
        Some(Command::Encode(args)) => encode::run(&args),
        Some(Command::Setup(args)) => setup::run(&args),
    };
    ended.unwrap_or_else(|error| report::error(&error))
}

/// The commands and options as clap knows them, for completions and the docs.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_all_subcommands_are_consistent() {
        command().debug_assert();
    }
}
