//! `intercom-billing`: serves the documented API.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use intercom_billing::program;
use intercom_billing::serve::Serve;
use log::LevelFilter;

/// The documented billing API for intercoms as a service, with the routes that panels speak.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API until Ctrl-C or SIGTERM.
    Serve(Serve),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(serve) => program::run("intercom-billing", LevelFilter::Info, serve.run()),
    }
}
