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
mod output;
mod payload;
mod progress;
mod restore;
mod rollback;
mod run;
mod signals;
mod status;
mod wrap;

use std::path::{self, Path};
use std::process::ExitCode;

use args::{Args, Command, Common};
use exit::{Exit, Failure};

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
        Command::Config(config) => config::config(&config),
        Command::Log(log) => log::log(&log),
        Command::Bugreport(bugreport) => bugreport::bugreport(&bugreport),
    }
}

/// The root that a command was given, and the configuration of this name or the one that is installed.
fn settings(common: &Common, named: Option<&Path>) -> Result<(Root, Settings), Failure> {
    let root = match &common.root {
        // A hook and a command source run in another directory than this one.
        Some(dir) => Root::sandbox(path::absolute(dir).map_err(Failure::usage)?),
        None => Root::system(),
    };
    let settings = load(&root, named).map_err(Failure::usage)?;
    Ok((root, settings))
}

fn panel(common: &Common) -> Result<Panel, Failure> {
    let (root, settings) = settings(common, common.config.as_deref())?;
    log_setup::start(settings.log_level).map_err(Failure::new)?;
    Ok(Panel::open(root, settings))
}
