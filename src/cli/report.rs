//! How the program says that something went wrong, or what else a person should know.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;

use super::FAILED;
use crate::core::printable::printable_text;
use crate::segment::Engine;

/// A line on stderr. Nobody may be reading it any more, as when a connection broke: the work goes on.
pub fn tell(line: &str) {
    writeln!(io::stderr(), "termask: {line}").ok();
}

/// Tells of an engine what the person should know of how it runs.
pub fn note(engine: &dyn Engine) {
    if let Some(note) = engine.note() {
        tell(&note);
    }
}

/// Prints an error with its causes, and tells the exit code.
pub fn error(error: &anyhow::Error) -> ExitCode {
    if reader_has_gone(error) {
        return ExitCode::SUCCESS;
    }
    eprintln!("termask: {}", message(error));
    ExitCode::from(FAILED)
}

/// Prints clap's help, version or usage error, and tells the exit code.
pub fn usage(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        // Nobody may be reading the help any more: that is no error.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    for line in text.trim_end().lines() {
        eprintln!("{}", printable_text(line));
    }
    ExitCode::from(FAILED)
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
    printable_text(&text)
}

/// Whether the error is only that nobody reads stdout any more, as with `| head`.
fn reader_has_gone(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

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
        assert!(message(&error).chars().all(|c| !c.is_control()));
    }
}
