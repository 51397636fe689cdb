//! What can be written on the command line.

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};
use log::LevelFilter;

use crate::config::log_level;

/// Gives this intercom panel the identity that its operator asked for: takes requests over MQTT or by
/// polling, checks them against the board, changes the MAC address and the serial number so that no
/// power cut can half-do it, proves that the panel is still reachable, and reports the result.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help", "help"),
    note = "On the wall, in this order: `identity` (what is this board?), `check FILE` (what would this request do?), \
`apply FILE`, `status`; where anything looks wrong, `doctor`. Nothing is lost if the power goes at any time.
FILE is the JSON body of a PATCH /api/v1/billing/intercoms; `-` is standard input.
Any command takes -h (what it does, with an example), --json, and --root DIR to work on a sandboxed board under DIR.
--version names the version and the commit.",
    error_code(0, "done; for `check`: the request would be applied"),
    error_code(1, "it could not be done; the message says why and what to do"),
    error_code(2, "the command line or the configuration is wrong"),
    error_code(3, "no daemon runs (`status` then shows the record)"),
    error_code(4, "`doctor`, `netcheck`: there are warnings"),
    error_code(5, "`doctor`: a check failed; `netcheck`: a way ends before its server"),
    error_code(6, "`restore`: not all could be read; what could not is told and left alone"),
    error_code(7, "`restore`: another program holds the lock of the U-Boot environment"),
    error_code(10, "`check`: already installed"),
    error_code(11, "`check`, `apply`: rejected"),
    error_code(12, "`check`: ignored, it is not for this board"),
    error_code(13, "`check`: decided before, only reported again"),
    error_code(
        14,
        "`check`: deferred, another board has the new MAC now, or this one cannot be read yet"
    ),
    error_code(15, "`check`: kept until the change in progress has ended"),
    error_code(16, "`apply`, `rollback`: rolled back, the old identity is in place"),
    error_code(17, "`apply`: failed, nothing was touched")
)]
pub(super) struct Args {
    #[argh(subcommand)]
    pub(super) command: Command,
}

#[derive(FromArgs, ArgsInfo, Debug)]
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
    Netcheck(Netcheck),
    Config(Config),
    Log(Log),
    ForgetSequence(ForgetSequence),
    Bugreport(Bugreport),
}

/// What every command takes.
#[derive(Debug, Clone)]
pub(super) struct Common {
    pub(super) root: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
    pub(super) json: bool,
}

/// A command with its own options and exit codes, and the common ones.
macro_rules! command {
    ($(#[$about:meta])* $name:ident, $done:tt { $($options:tt)* }) => {
        #[derive(FromArgs, ArgsInfo, Debug)]
        #[argh(
            help_triggers("-h", "--help", "help"),
            error_code(0, $done),
            error_code(1, "it could not be done; the message says why and what to do"),
            error_code(2, "the command line or the configuration is wrong")
        )]
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
    #[argh(
        subcommand,
        name = "run",
        example = "{command_name}
{command_name} --root ./board    on a sandboxed board"
    )]
    Run, "it was told to stop" {}
}

command! {
    /// At boot, before the network comes up: makes the board agree with the record.
    #[argh(
        subcommand,
        name = "restore",
        example = "{command_name}",
        error_code(6, "not all could be read; what could not is told and left alone"),
        error_code(7, "another program holds the lock of the U-Boot environment")
    )]
    Restore, "done" {}
}

command! {
    /// What this board is, and where each value was read.
    #[argh(subcommand, name = "identity", example = "{command_name}")]
    Identity, "done" {}
}

command! {
    /// What a request would do here, and why. Changes nothing.
    #[argh(
        subcommand,
        name = "check",
        example = "{command_name} request.json
echo '{{\"mac\": …, \"new_mac\": …, \"model\": …}}' | {command_name} -",
        error_code(10, "already installed"),
        error_code(11, "rejected"),
        error_code(12, "ignored, it is not for this board"),
        error_code(13, "decided before, only reported again"),
        error_code(14, "deferred, another board has the new MAC now, or this one cannot be read yet"),
        error_code(15, "kept until the change in progress has ended")
    )]
    Check, "the request would be applied" {
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
    #[argh(
        subcommand,
        name = "apply",
        example = "{command_name} request.json
{command_name} --new-mac 00:00:5E:00:53:02 --new-serial-number A1-0042",
        error_code(11, "rejected"),
        error_code(16, "rolled back, the old identity is in place"),
        error_code(17, "failed, nothing was touched")
    )]
    Apply, "installed" {
        /// the request, or - for standard input; without it, the request is made of the next options
        #[argh(positional)]
        pub(super) file: Option<PathBuf>,
        /// the MAC address that this panel gets
        #[argh(option, arg_name = "mac")]
        pub(super) new_mac: Option<String>,
        /// the serial number that this panel gets
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
    #[argh(
        subcommand,
        name = "rollback",
        example = "{command_name}
{command_name} --factory    what the board had when the agent first ran",
        error_code(16, "the rollback itself was undone, the identity before it is in place")
    )]
    Rollback, "the board carries that identity" {
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
    #[argh(
        subcommand,
        name = "status",
        example = "{command_name}
{command_name} --follow",
        error_code(3, "no daemon runs, and the record is shown; or the followed one ended")
    )]
    Status, "done" {
        /// go on and show each step as it happens
        #[argh(switch)]
        pub(super) follow: bool,
    }
}

command! {
    /// Looks at everything that a change rests on, and says what to do. Changes nothing.
    #[argh(
        subcommand,
        name = "doctor",
        example = "{command_name}",
        error_code(4, "there are warnings"),
        error_code(5, "a check failed")
    )]
    Doctor, "all is well" {}
}

command! {
    /// Goes the way upstream, leg by leg, and says where it ends and what to do. Changes nothing.
    /// Beside a daemon the broker's login and topics are told by the daemon: nothing takes its
    /// session over.
    #[argh(
        subcommand,
        name = "netcheck",
        example = "{command_name}",
        error_code(4, "there are warnings"),
        error_code(5, "a way ends before its server")
    )]
    Netcheck, "every way is open" {}
}

command! {
    /// Is the configuration good? Opens every file that it names, and prints what is in force.
    #[argh(
        subcommand,
        name = "config",
        example = "{command_name}
{command_name} new.toml    before it is put in place"
    )]
    Config, "it is good" {
        /// the configuration, instead of the one that is installed
        #[argh(positional)]
        pub(super) file: Option<PathBuf>,
    }
}

command! {
    /// Has the daemon log more for a while, or less; then it goes back to what is configured.
    #[argh(
        subcommand,
        name = "log",
        example = "{command_name} debug
{command_name} trace --for 30s",
        error_code(3, "no daemon runs")
    )]
    Log, "done" {
        /// error, warn, info, debug, trace or off
        #[argh(positional, from_str_fn(log_level))]
        pub(super) level: LevelFilter,
        /// for how long: 30s, 10m (the default), 1h
        #[argh(option, long = "for", default = "Seconds(600)")]
        pub(super) time: Seconds,
    }
}

command! {
    /// Forgets which `seq` was decided last: for a billing database that counts from a lower number again.
    #[argh(subcommand, name = "forget-sequence", example = "{command_name}")]
    ForgetSequence, "done" {}
}

command! {
    /// One text for whoever helps: versions, configuration, status, doctor and log. It has no secret.
    #[argh(subcommand, name = "bugreport", example = "{command_name} /tmp/report.txt")]
    Bugreport, "done" {
        /// the file to write, which must not be there yet; without it, standard output
        #[argh(positional)]
        pub(super) file: Option<PathBuf>,
        /// with the MAC addresses, which have numbers in their place otherwise
        #[argh(switch)]
        pub(super) mac_addresses: bool,
    }
}

/// A time on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) u32);

impl argh::FromArgValue for Seconds {
    fn from_arg_value(text: &str) -> Result<Self, String> {
        let unit = |unit: char, seconds: u32| {
            text.strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(seconds)
        };
        let seconds = unit('s', 1).or_else(|| unit('m', 60)).or_else(|| unit('h', 3600));
        seconds.map(Seconds).ok_or_else(|| "is a time such as 30s, 10m or 1h".to_owned())
    }
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
