//! Where the options of `serve` come from: a TOML file, then the environment, then the command line.
//! What comes later counts.
//!
//! clap knows the environment and the command line. What only the file says is put on the command
//! line before it is read, so one place decides what an option may be.

mod file;
mod show;

pub use file::FileError;
pub use show::show;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::exit;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, value_parser};

/// The commands that take these options.
const WITH_OPTIONS: [&str; 2] = ["serve", "config"];
/// What the variable of an option begins with.
const PREFIX: &str = "INTERCOM_BILLING_";
/// The option that names the file.
const FILE: &str = "config";

/// A command line with what the file says.
pub struct Complete {
    /// As clap reads it.
    pub matches: ArgMatches,
    /// The options that are from the file.
    pub from_file: BTreeSet<String>,
}

/// Gives each option of `serve` its variable, and the option that names a file.
pub fn command(command: Command) -> Command {
    let with_variable = |option: Arg| match option.get_long() {
        Some(long) => {
            let variable = format!("{PREFIX}{}", key(long).to_uppercase());
            option.env(variable)
        }
        None => option,
    };
    let file =
        || {
            Arg::new(FILE).long(FILE).value_name("FILE").value_parser(value_parser!(PathBuf)).help(
                "A TOML file with the options that are given neither here nor in the environment",
            )
        };
    WITH_OPTIONS.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |options| options.arg(file()).mut_args(with_variable))
    })
}

/// Completes a command line by the file that it or the environment names. A command line that is
/// wrong ends the process with clap's words.
///
/// # Errors
/// The file cannot be read, or has an option that there is not.
pub fn complete(command: &Command, mut arguments: Vec<OsString>) -> Result<Complete, FileError> {
    let mut from_file = BTreeSet::new();
    let given = command.clone().ignore_errors(true).get_matches_from(&arguments);
    if let Some((name, given)) = given.subcommand()
        && let Some(options) = command.find_subcommand(name)
        && WITH_OPTIONS.contains(&name)
        && let Some(path) = given.get_one::<PathBuf>(FILE)
    {
        let mut added = Vec::new();
        for setting in file::read(path, options)? {
            if !is_given(given, &setting.id) {
                added.extend(setting.arguments);
                from_file.insert(setting.id);
            }
        }
        // Behind the program and the command.
        arguments.splice(2..2, added);
    }
    let matches = command.clone().try_get_matches_from(arguments).unwrap_or_else(|wrong| {
        // Nobody is left to tell if this fails.
        let _ = wrong.print();
        if !from_file.is_empty() && wrong.use_stderr() {
            eprintln!("\nThe options of the file count as if they were given here.");
        }
        exit(wrong.exit_code())
    });
    Ok(Complete { matches, from_file })
}

fn is_given(given: &ArgMatches, id: &str) -> bool {
    matches!(given.value_source(id), Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

/// An option as a key of the file.
fn key(long: &str) -> String {
    long.replace('-', "_")
}
