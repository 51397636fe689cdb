//! How a command went. The codes are listed in `--help` and in docs/install.md.

use std::fmt::Display;
use std::process::ExitCode;

use intercom_wire::Outcome;

use crate::decide::Decision;
use crate::doctor::State;

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Done = 0,
    CouldNot = 1,
    Usage = 2,
    NoDaemon = 3,
    Warned = 4,
    CheckFailed = 5,
    Unread = 6,
    Locked = 7,
    AlreadyInstalled = 10,
    Rejected = 11,
    Ignored = 12,
    AlreadyDone = 13,
    Deferred = 14,
    Kept = 15,
    RolledBack = 16,
    Failed = 17,
}

/// Why a command could not do what it was told.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) exit: Exit,
}

impl Failure {
    pub(super) fn new(message: impl Display) -> Self {
        Failure { message: message.to_string(), exit: Exit::CouldNot }
    }

    pub(super) fn usage(message: impl Display) -> Self {
        Failure { message: message.to_string(), exit: Exit::Usage }
    }

    pub(super) fn rejected(message: impl Display) -> Self {
        Failure { message: message.to_string(), exit: Exit::Rejected }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

impl From<&Decision> for Exit {
    fn from(decision: &Decision) -> Self {
        match decision {
            // What a look-up would find is taken to be nobody.
            Decision::Apply(_) | Decision::LookUp(_) => Exit::Done,
            Decision::AlreadyInstalled => Exit::AlreadyInstalled,
            Decision::Reject(_) => Exit::Rejected,
            Decision::Ignore(_) | Decision::Hint => Exit::Ignored,
            Decision::AlreadyDone(_) | Decision::StillHolds(_) | Decision::Overtaken(_) => {
                Exit::AlreadyDone
            }
            Decision::Defer(_) | Decision::DeferUnknown(..) | Decision::AwaitBoard => {
                Exit::Deferred
            }
            Decision::Keep | Decision::InProgress => Exit::Kept,
        }
    }
}

impl From<State> for Exit {
    fn from(worst: State) -> Self {
        match worst {
            State::Ok => Exit::Done,
            State::Warning => Exit::Warned,
            State::Failed => Exit::CheckFailed,
        }
    }
}

impl From<Option<Outcome>> for Exit {
    fn from(outcome: Option<Outcome>) -> Self {
        match outcome {
            Some(Outcome::Installed) => Exit::Done,
            Some(Outcome::Rejected) => Exit::Rejected,
            Some(Outcome::RolledBack) => Exit::RolledBack,
            Some(Outcome::Failed) => Exit::Failed,
            None => Exit::CouldNot,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use argh::FromArgs;

    use crate::cli::args::Args;

    const SOURCE: &str = include_str!("exit.rs");
    const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/install.md"));

    /// The numbers that `number_of` finds, in the lines between `from` and `to`.
    fn codes<'t>(
        text: &'t str,
        [from, to]: [&str; 2],
        number_of: fn(&'t str) -> Option<&'t str>,
    ) -> BTreeSet<u8> {
        let after = text.split_once(from).expect("where it begins").1;
        let between = after.split_once(to).map_or(after, |(before, _)| before);
        between.lines().filter_map(|line| number_of(line)?.trim().parse().ok()).collect()
    }

    #[test]
    fn help_and_the_documentation_have_every_exit_code() {
        let exits = codes(SOURCE, ["enum Exit {", "}"], |line| {
            Some(line.split_once(" = ")?.1.trim_end_matches(','))
        });
        assert!(exits.contains(&0));
        let help = Args::from_args(&["intercom-agent"], &["--help"]).expect_err("the help").output;
        let told = codes(&help, ["Error codes:", "\n\n"], |line| line.split_whitespace().next());
        assert_eq!(told, exits);
        let table = ["| code | meaning |", "\n\n"];
        let documented = codes(DOCUMENT, table, |line| line.split('|').nth(1));
        assert_eq!(documented, exits);
    }
}
