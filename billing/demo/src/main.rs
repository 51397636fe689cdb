//! `intercom-demo`: watch one panel take over another's identity, on this machine.

mod broker_watch;
mod caller;
mod panel;
mod say;
mod story;

use std::process::ExitCode;

use clap::Parser;
use intercom_billing::logging::{Format, Level};
use intercom_billing::program;

/// Watch one panel take over another's identity, on this machine.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// End when the panel has its new identity; exit code 0 only if it really has.
    #[arg(long)]
    once: bool,
}

fn main() -> ExitCode {
    let Cli { once } = Cli::parse();
    // The demo prints each step itself; the log would repeat it.
    program::run("intercom-demo", (Format::Text, Level::Warn), story::run(once))
}
