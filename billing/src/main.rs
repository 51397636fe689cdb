//! `intercom-billing`: serves the documented API.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use intercom_billing::backup::{FromFile, ToFile};
use intercom_billing::command::copy::Copy;
use intercom_billing::command::quiet_hours::QuietHoursCommand;
use intercom_billing::command::retention::Retention;
use intercom_billing::command::token::Token;
use intercom_billing::command::webhooks::Webhooks;
use intercom_billing::enrol::Enrol;
use intercom_billing::health::Health;
use intercom_billing::logging::{Format, Level};
use intercom_billing::serve::Serve;
use intercom_billing::{config, program};

const NAME: &str = "intercom-billing";

/// The log of what is done by hand.
const LOG: (Format, Level) = (Format::Text, Level::Info);

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
    Serve(Box<Serve>),
    /// Checks the options of `serve`, with every file that they name, and prints what is in force.
    Config(Box<Serve>),
    /// Asks a running service whether it lives.
    Health(Health),
    /// Copies the database to a file, also while the service runs.
    Backup(ToFile),
    /// Makes a database from such a file.
    Restore(FromFile),
    /// Copies the database from a file into PostgreSQL.
    Copy(Copy),
    /// Makes, lists and revokes the tokens that callers and panels authenticate with.
    #[command(subcommand)]
    Token(Token),
    /// Lets one panel in: its token, its user at the broker, and the files that it needs.
    Enrol(Enrol),
    /// Adds, lists and removes webhooks: who is told what happens.
    #[command(subcommand)]
    Webhooks(Webhooks),
    /// Sets, lists and removes the hours in which no panel of a group changes.
    #[command(subcommand)]
    QuietHours(QuietHoursCommand),
    /// Sets for how long ended requests are kept.
    #[command(subcommand)]
    Retention(Retention),
}

/// The version, and the commit that it was built from where the build knew it.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match option_env!("INTERCOM_AGENT_COMMIT") {
        Some(commit) => format!("{version} (commit {commit})"),
        None => version.to_owned(),
    }
}

fn main() -> ExitCode {
    let command = config::command(Cli::command().version(version()));
    let given = match config::complete(&command, std::env::args_os().collect()) {
        Ok(given) => given,
        Err(why) => {
            eprintln!("{NAME}: {why}");
            return ExitCode::FAILURE;
        }
    };
    let Cli { command: asked } = match Cli::from_arg_matches(&given.matches) {
        Ok(cli) => cli,
        Err(wrong) => wrong.exit(),
    };
    match asked {
        Command::Serve(serve) => program::run(NAME, serve.log(), serve.run()),
        Command::Config(serve) => program::run(NAME, LOG, async {
            serve.check()?;
            if let Some((name, matches)) = given.matches.subcommand()
                && let Some(options) = command.find_subcommand(name)
            {
                program::print(config::show(options, matches, &given.from_file).trim_end())?;
            }
            Ok(())
        }),
        Command::Health(health) => program::run(NAME, LOG, async { health.run() }),
        Command::Backup(backup) => program::run(NAME, LOG, async { backup.run() }),
        Command::Restore(restore) => program::run(NAME, LOG, async { restore.run() }),
        Command::Copy(copy) => program::run(NAME, LOG, async { copy.run() }),
        Command::Token(token) => program::run(NAME, LOG, token.run()),
        Command::Webhooks(webhooks) => program::run(NAME, LOG, webhooks.run()),
        Command::QuietHours(hours) => program::run(NAME, LOG, hours.run()),
        Command::Retention(retention) => program::run(NAME, LOG, retention.run()),
        Command::Enrol(enrol) => program::run(NAME, LOG, enrol.run()),
    }
}
