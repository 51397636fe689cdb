//! `intercom-fleet`: a fleet of panels with one broker and one billing service. It measures how many
//! panels they carry, and fails if a report is lost.
//!
//! Every panel is a task with the agent's own MQTT route, back-off included; only its board is
//! simulated.

mod caller;
mod chaos;
mod cost;
mod fleet;
mod identities;
mod messages;
mod nats;
mod outbox;
mod panel;
mod polling;
mod processes;
mod replacing;
mod report;
mod run;
mod servers;
mod simulator;
mod timings;
mod told;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use intercom_billing::logging::{Format, Level};
use intercom_billing::program;
use intercom_billing::serve::Serve;

use crate::servers::Broker;

const NAME: &str = "intercom-fleet";
const QUIET: (Format, Level) = (Format::Text, Level::Warn);

/// Measure how many panels one broker and one billing service carry, on this machine.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    /// The billing service itself: a process of its own, whose memory is measured.
    #[command(hide = true)]
    Serve(Box<Serve>),
    /// Some of the panels: a process of its own, since each panel needs three open files.
    #[command(hide = true)]
    Panels(simulator::Panels),
    /// Measure what one call to the billing service costs with so many records.
    Cost(cost::Records),
    /// Kill and stop one part of a cluster after the other, and see that nothing is lost.
    Chaos(chaos::Chaos),
}

#[derive(Args)]
struct Options {
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
    /// After the restart, replace panels before all are present again in billing: they say that they
    /// are there within a minute.
    #[arg(long)]
    replace_at_once: bool,
    /// Billing's own broker in place of mosquitto; it takes 10,000 connections.
    #[arg(long)]
    built_in: bool,
    /// Three nodes of NATS in place of mosquitto: one of them is killed in place of the restart.
    #[arg(long, conflicts_with = "built_in")]
    nats: bool,
    /// Count the messages of each kind for each replacement, in mosquitto's log. It slows all down.
    #[arg(long, conflicts_with_all = ["built_in", "nats"])]
    count_messages: bool,
}

fn main() -> ExitCode {
    let Cli { command, options } = Cli::parse();
    match command {
        Some(Command::Serve(serve)) => program::run(NAME, serve.log(), serve.run()),
        Some(Command::Panels(panels)) => program::run(NAME, QUIET, panels.run()),
        Some(Command::Cost(records)) => {
            program::run(NAME, QUIET, async { cost::run(this_program()?, records).await })
        }
        Some(Command::Chaos(chaos)) => {
            program::run(NAME, QUIET, async { chaos.run(this_program()?).await })
        }
        None => program::run(NAME, QUIET, options.run()),
    }
}

/// It is the billing service, too.
fn this_program() -> Result<PathBuf> {
    std::env::current_exe().context("cannot find this program")
}

impl Options {
    async fn run(self) -> Result<()> {
        run::run(run::Settings {
            billing: this_program()?,
            panels: self.panels,
            replacements: self.replacements,
            polling: self.polling,
            poll_for: Duration::from_secs(self.poll_for),
            broker_away: Duration::from_secs(self.broker_away),
            replace_at_once: self.replace_at_once,
            broker: match self {
                Options { built_in: true, .. } => Broker::BuiltIn,
                Options { nats: true, .. } => Broker::Nats,
                Options { count_messages: true, .. } => Broker::LoggingMosquitto,
                _ => Broker::Mosquitto,
            },
        })
        .await
    }
}
