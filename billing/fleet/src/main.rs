//! `intercom-fleet`: a fleet of panels with one mosquitto and one billing service. It measures how
//! many panels they carry, and fails if a report is lost.
//!
//! Every panel is a task with the agent's own MQTT route, back-off included; only its board is
//! simulated.

mod caller;
mod cost;
mod identities;
mod panel;
mod polling;
mod processes;
mod run;
mod timings;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use intercom_billing::program;
use intercom_billing::serve::Serve;
use log::LevelFilter;

const NAME: &str = "intercom-fleet";

/// Measure how many panels one mosquitto and one billing service carry, on this machine.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    fleet: Fleet,
}

#[derive(Subcommand)]
enum Command {
    /// The billing service itself: a process of its own, whose memory is measured.
    #[command(hide = true)]
    Serve(Serve),
    /// Measure what one call to the billing service costs with so many records.
    Cost(cost::Records),
}

#[derive(Args)]
struct Fleet {
    /// Panels on the broker.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    panels: usize,
    /// How many of them are replaced: most before a restart of the broker, a tenth after it.
    #[arg(long, value_name = "N", default_value_t = 100)]
    replacements: usize,
    /// Panels that poll over HTTP, each as fast as it is answered; a tenth of them is replaced.
    #[arg(long, value_name = "N", default_value_t = 100)]
    polling: usize,
    /// How long they poll.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    poll_for: u64,
    /// How long the broker is away when it is restarted.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    broker_away: u64,
}

fn main() -> ExitCode {
    let Cli { command, fleet } = Cli::parse();
    match command {
        Some(Command::Serve(serve)) => program::run(NAME, LevelFilter::Info, serve.run()),
        Some(Command::Cost(records)) => program::run(NAME, LevelFilter::Warn, async {
            cost::run(this_program()?, records).await
        }),
        None => program::run(NAME, LevelFilter::Warn, fleet.run()),
    }
}

/// It is the billing service, too.
fn this_program() -> Result<PathBuf> {
    std::env::current_exe().context("cannot find this program")
}

impl Fleet {
    async fn run(self) -> Result<()> {
        run::run(run::Settings {
            billing: this_program()?,
            panels: self.panels,
            replacements: self.replacements,
            polling: self.polling,
            poll_for: Duration::from_secs(self.poll_for),
            broker_away: Duration::from_secs(self.broker_away),
        })
        .await
    }
}
