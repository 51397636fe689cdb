//! The command line: one file for each command.

mod apply;
mod args;
mod bugreport;
mod by_hand;
mod check;
mod command_line;
mod config;
mod doctor;
mod exit;
mod forget_sequence;
mod hidden_macs;
mod identity;
mod log;
mod log_lines;
mod log_setup;
mod netcheck;
mod output;
mod payload;
mod progress;
mod restore;
mod rollback;
mod run;
mod signals;
mod status;
mod wrap;

use std::path;
use std::process::ExitCode;

use args::{Args, Command, Common};
use exit::{Exit, Failure};
pub use wrap::wrap;

use crate::config::{Settings, load};
use crate::panel::Panel;
use crate::root::Root;

/// Reads the command line, does what it says, and tells how it went by the exit code.
pub fn main() -> ExitCode {
    let args = match command_line::read() {
        Ok(args) => args,
        Err(exit) => return exit.into(),
    };
    match dispatch(args) {
        Ok(exit) => exit.into(),
        Err(Failure { message, exit }) => {
            output::complain(&message);
            exit.into()
        }
    }
}

/// Every command with its options, examples and exit codes, as `--help` has them: for the man pages and the
/// completions.
pub fn command_line() -> argh::CommandInfoWithArgs {
    <Args as argh::ArgsInfo>::get_args_info()
}

fn dispatch(args: Args) -> Result<Exit, Failure> {
    match args.command {
        Command::Run(run) => run::run(&run),
        Command::Restore(restore) => restore::restore(&restore),
        Command::Identity(identity) => identity::identity(&identity),
        Command::Check(check) => check::check(&check),
        Command::Apply(apply) => apply::apply(&apply),
        Command::Rollback(rollback) => rollback::rollback(&rollback),
        Command::Status(status) => status::status(&status),
        Command::ForgetSequence(forget) => forget_sequence::forget_sequence(&forget),
        Command::Doctor(doctor) => doctor::doctor(&doctor),
        Command::Netcheck(netcheck) => netcheck::netcheck(&netcheck),
        Command::Config(config) => config::config(&config),
        Command::Log(log) => log::log(&log),
        Command::Bugreport(bugreport) => bugreport::bugreport(&bugreport),
    }
}

fn root(common: &Common) -> Result<Root, Failure> {
    match &common.root {
        // A hook and a command source run in another directory than this one.
        Some(dir) => path::absolute(dir)
            .map(Root::sandbox)
            .map_err(|why| Failure::usage(format!("--root: {why}"))),
        None => Ok(Root::system()),
    }
}

/// The root and the configuration that a command was given.
fn settings(common: &Common) -> Result<(Root, Settings), Failure> {
    let root = root(common)?;
    let settings = load(&root, common.config.as_deref()).map_err(Failure::usage)?;
    Ok((root, settings))
}

fn panel(common: &Common) -> Result<Panel, Failure> {
    let (root, settings) = settings(common)?;
    log_setup::start(settings.log_level).map_err(Failure::new)?;
    Ok(open(root, settings))
}

/// Some of the board's sources take their time.
fn open(root: Root, settings: Settings) -> Panel {
    progress::while_working("reading the board", || Panel::open(root, settings))
}
