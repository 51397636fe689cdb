//! What can be written on the command line.

use std::path::PathBuf;

use argh::FromArgs;

use super::exit::Exit;
use super::output;

/// Gives this intercom panel the identity that its operator asked for: takes requests over MQTT or by
/// polling, checks them against the board, changes the MAC address and the serial number so that no
/// power cut can half-do it, proves that the panel is still reachable, and reports the result.
#[derive(FromArgs, Debug)]
#[argh(
    note = "On the wall, in this order: `identity` (what is this board?), `check FILE` (what would
this request do?), `apply FILE`, `status`; where anything looks wrong, `doctor`. Nothing is lost if the power goes at any time.
FILE is the JSON body of a PATCH /api/v1/billing/intercoms; `-` is standard input.
Any command takes --json, and --root DIR to work on a sandboxed board under DIR.",
    error_code(0, "done; for `check`: the request would be applied"),
    error_code(1, "it could not be done; the message says why and what to do"),
    error_code(2, "the command line or the configuration is wrong"),
    error_code(3, "no daemon runs (`status` then shows the record)"),
    error_code(4, "`doctor`: there are warnings"),
    error_code(5, "`doctor`: a check failed"),
    error_code(6, "`restore`: not all could be read; what could not is told and left alone"),
    error_code(10, "`check`: already installed"),
    error_code(11, "`check`, `apply`: rejected"),
    error_code(12, "`check`: ignored, it is not for this board"),
    error_code(13, "`check`: decided before, only reported again"),
    error_code(
        14,
        "`check`: deferred, another board has the new MAC now, or this one cannot be read yet"
    ),
    error_code(15, "`check`: kept until the change in progress has ended"),
    error_code(16, "`apply`: rolled back, the old identity is in place"),
    error_code(17, "`apply`: failed, nothing was touched")
)]
pub(super) struct Args {
    #[argh(subcommand)]
    pub(super) command: Command,
}

#[derive(FromArgs, Debug)]
#[argh(subcommand)]
pub(super) enum Command {
    Run(Run),
    Restore(Restore),
    Identity(Identity),
    Check(Check),
    Apply(Apply),
    Rollback(Rollback),
    Status(Status),
    Doctor(Doctor),
    ForgetSequence(ForgetSequence),
}

/// What every command takes.
#[derive(Debug, Clone)]
pub(super) struct Common {
    pub(super) root: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
    pub(super) json: bool,
}

/// A command with its own options and the common ones.
macro_rules! command {
    ($(#[$about:meta])* $name:ident { $($options:tt)* }) => {
        #[derive(FromArgs, Debug)]
        $(#[$about])*
        pub(super) struct $name {
            $($options)*
            /// read and write everything under this directory: a sandboxed board
            #[argh(option, arg_name = "dir")]
            root: Option<PathBuf>,
            /// the configuration, instead of /etc/intercom-agent.toml
            #[argh(option, arg_name = "file")]
            config: Option<PathBuf>,
            /// answer in JSON
            #[argh(switch)]
            json: bool,
        }

        impl $name {
            pub(super) fn common(&self) -> Common {
                Common { root: self.root.clone(), config: self.config.clone(), json: self.json }
            }
        }
    };
}

command! {
    /// The daemon: takes requests until it is told to stop.
    #[argh(subcommand, name = "run")]
    Run {}
}

command! {
    /// At boot, before the network comes up: makes the board agree with the record.
    #[argh(subcommand, name = "restore")]
    Restore {}
}

command! {
    /// What this board is, and where each value was read.
    #[argh(subcommand, name = "identity")]
    Identity {}
}

command! {
    /// What a request would do here, and why. Changes nothing.
    #[argh(subcommand, name = "check")]
    Check {
        /// the request, or - for standard input
        #[argh(positional)]
        pub(super) file: PathBuf,
        /// as if it came by: mac-topic (the default), board-topic, pending-list, installer
        #[argh(option, default = "Way::MacTopic")]
        pub(super) via: Way,
        /// as if it were retained or delivered again
        #[argh(switch)]
        pub(super) again: bool,
        /// as if this board had the new MAC now
        #[argh(option, arg_name = "board")]
        pub(super) held_by: Option<intercom_wire::BoardName>,
    }
}

command! {
    /// Takes a request as if it had been delivered, under a fresh key, and waits for its outcome.
    #[argh(subcommand, name = "apply")]
    Apply {
        /// the request, or - for standard input; without it, the request is made of the next options
        #[argh(positional)]
        pub(super) file: Option<PathBuf>,
        /// the MAC address that this panel shall have
        #[argh(option, arg_name = "mac")]
        pub(super) new_mac: Option<String>,
        /// the serial number that this panel shall have
        #[argh(option, arg_name = "text")]
        pub(super) new_serial_number: Option<String>,
        /// the intercom's MAC address, instead of this panel's
        #[argh(option, arg_name = "mac")]
        pub(super) mac: Option<String>,
        /// the intercom's id, instead of a MAC address
        #[argh(option, arg_name = "number")]
        pub(super) id: Option<String>,
        /// the model that this panel must be, instead of what it is
        #[argh(option, arg_name = "text")]
        pub(super) model: Option<String>,
        /// do not wait for a connection under the new identity: there is no uplink here
        #[argh(switch)]
        pub(super) offline: bool,
    }
}

command! {
    /// Goes back to the identity before the last change.
    #[argh(subcommand, name = "rollback")]
    Rollback {
        /// back to what the board had when the agent first ran
        #[argh(switch)]
        pub(super) factory: bool,
        /// do not wait for a connection under the old identity: there is no uplink here
        #[argh(switch)]
        pub(super) offline: bool,
    }
}

command! {
    /// The change in progress, the last outcomes, upstream, counters.
    #[argh(subcommand, name = "status")]
    Status {
        /// go on and show each step as it happens
        #[argh(switch)]
        pub(super) follow: bool,
    }
}

command! {
    /// Looks at everything that a change rests on, and says what to do. Changes nothing.
    #[argh(subcommand, name = "doctor")]
    Doctor {}
}

command! {
    /// Forgets which `seq` was decided last: for a billing database that counts from a lower number again.
    #[argh(subcommand, name = "forget-sequence")]
    ForgetSequence {}
}

/// By which way a checked request is taken to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    MacTopic,
    BoardTopic,
    PendingList,
    Installer,
}

impl argh::FromArgValue for Way {
    fn from_arg_value(text: &str) -> Result<Self, String> {
        match text {
            "mac-topic" => Ok(Way::MacTopic),
            "board-topic" => Ok(Way::BoardTopic),
            "pending-list" => Ok(Way::PendingList),
            "installer" => Ok(Way::Installer),
            _ => Err("is one of mac-topic, board-topic, pending-list, installer".to_owned()),
        }
    }
}

/// A lone `-` is a file to us and a broken option to the parser, unless it comes after all options.
fn in_order<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let (inputs, mut words): (Vec<_>, Vec<_>) = words.partition(|word| *word == "-");
    if !inputs.is_empty() {
        words.push("--");
        words.extend(inputs);
    }
    words
}

/// Reads the command line; help and mistakes are printed here.
pub(super) fn read() -> Result<Args, Exit> {
    let words: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let words = in_order(words.iter().map(String::as_str).skip(1));
    if let ["--version" | "-V"] = words.as_slice() {
        return Err(shown(concat!("intercom-agent ", env!("CARGO_PKG_VERSION"))));
    }
    Args::from_args(&["intercom-agent"], &words).map_err(|early| match early.status {
        Ok(()) => shown(&early.output),
        Err(()) => {
            eprintln!("{}\nTry intercom-agent --help.", early.output.trim_end());
            Exit::Usage
        }
    })
}

/// Printed without a panic where nobody reads it any more.
fn shown(text: &str) -> Exit {
    match output::line(text) {
        Ok(()) => Exit::Done,
        Err(failure) => failure.exit,
    }
}
