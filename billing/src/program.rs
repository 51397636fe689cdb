//! What every program around this service needs: a log, threads, one piece of work, an exit code.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::logging::{self, Format, Level};

/// Runs `work` to its end. An error goes to standard error, after the program's name.
pub fn run(
    name: &str,
    (format, level): (Format, Level),
    work: impl Future<Output = Result<()>>,
) -> ExitCode {
    match logging::start(format, level).and_then(|()| on_threads(work)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{name}: {why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line. A reader that is gone or a full disk is an error, and no panic as with `println`.
///
/// # Errors
/// Standard output cannot be written.
pub fn print(line: impl Display) -> Result<()> {
    let mut output = io::stdout().lock();
    let written = writeln!(output, "{line}").and_then(|()| output.flush());
    written.context("cannot write to standard output")
}

fn on_threads(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let done = runtime.block_on(work);
    // An attempt to reach a webhook's receiver may hang for a while, and nothing depends on its end.
    runtime.shutdown_background();
    done
}
