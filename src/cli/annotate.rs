//! `termask [PATH…]`: opens the app.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::term::Graphics;
use crate::ui::app::{self, Options, Start};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Images, folders or patterns; the folder one is in where nothing is named. A folder that is
    /// called like a subcommand is written with `./` before it.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How pictures get on the screen, instead of asking the terminal.
    #[arg(long, value_name = "KIND", value_parser = graphics())]
    graphics: Option<Graphics>,
    /// What answers prompts: an engine's name, or a model's file or folder.
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
}

const GRAPHICS: [(&str, Graphics); 4] = [
    ("kitty", Graphics::Kitty),
    ("sixel", Graphics::Sixel),
    ("iterm", Graphics::Iterm),
    ("blocks", Graphics::Blocks),
];

pub(super) fn graphics() -> impl TypedValueParser<Value = Graphics> {
    PossibleValuesParser::new(GRAPHICS.map(|(name, _)| name)).map(|name| {
        let known = GRAPHICS.into_iter().find(|(n, _)| *n == name);
        known.expect("clap lets only the listed names pass").1
    })
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    open(Options {
        paths: args.paths,
        graphics: args.graphics,
        engine: args.engine,
        start: Start::Annotate,
    })
}

/// Runs the app until the person leaves; what could not be saved is an error.
pub fn open(options: Options) -> anyhow::Result<ExitCode> {
    if let Some(why) = app::run(options)?.unsaved {
        bail!("the last changes are not saved: {why}");
    }
    Ok(ExitCode::SUCCESS)
}
