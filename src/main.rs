//! The program: all of it lies in the library, where tests and benches reach it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    termask::cli::run(std::env::args_os())
}
