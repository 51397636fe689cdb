//! The control socket: how the commands talk to the running daemon.
//!
//! One JSON line is asked, JSON lines are answered. The socket lies in a directory of its own mode
//! and takes commands from root and from the daemon's own user alone.

mod client;
mod server;
mod told;

use intercom_wire::{Outcome, json_enum};
use tokio::sync::mpsc;

use crate::agent::{RouteStatus, Step, WaitingRequest};
use crate::record::Route;

pub use client::{ask, ask_patiently, daemon_ended, follow, no_daemon};
pub use server::serve;
pub use told::{BoardState, NEW_RECORD, Told};

/// The socket's name in the runtime directory.
pub const SOCKET: &str = "control.sock";

json_enum! {
    /// What a command asks.
    #[derive(Debug)]
    #[serde(tag = "ask")]
    pub enum Ask {
        /// The state as it is now.
        Status = "status",
        /// The state as it is now, and every step from now on.
        Follow = "follow",
        /// Take this request as an installer's.
        Apply = "apply" {
            /// What stands in the installer's file: the PATCH payload, perhaps signed.
            payload: String,
            /// Nothing need be reachable.
            offline: bool,
        },
        /// Go back to an earlier identity.
        Rollback = "rollback" {
            /// Back to the factory identity, not just to the one before.
            factory: bool,
            /// Nothing need be reachable.
            offline: bool,
        },
        /// Take the change in progress back.
        TakeBack = "take_back",
        /// Put the board right now, and read it again.
        Restore = "restore",
        /// Forget the marks of `seq`.
        ForgetSequence = "forget_sequence",
        /// Log so much for a while.
        Log = "log" {
            /// The level, as in the configuration.
            level: String,
            /// For how long.
            seconds: u32,
        },
    }
}

json_enum! {
    /// One line of the answer.
    #[derive(Debug)]
    pub enum Answer {
        /// The state.
        State = "state" {
            /// The routes on which upstream is reached now.
            reached: Vec<Route>,
            /// How each route fares.
            routes: Vec<RouteStatus>,
            /// Whether the record on disk is what the daemon knows.
            durable: bool,
            /// What other software has done to the link, in words; `None` if nothing.
            link_contest: Option<String>,
            /// The requests that wait to be decided.
            waiting: Vec<WaitingRequest>,
            /// All of it, to print.
            told: Told,
        },
        /// Something happened.
        Step = "step" (Step),
        /// How the request ended, or that a rollback by hand was itself undone; the last line.
        Ended = "ended" {
            /// In short; `None` if its status is no outcome that a panel reports.
            outcome: Option<Outcome>,
            /// Its report, or the state after the rollback, to print.
            told: Told,
        },
        /// The state after a rollback by hand; the last line.
        Back = "back" (Told),
        /// The board was put right as far as it can be; the last line.
        Restored = "restored" {
            /// Whether nothing refused: the link, the runtime files or the record.
            is_put_right: bool,
            /// Whether the link or something of the board's own identity still could not be read.
            has_unread: bool,
            /// Whether another program's lock has kept the copy in the U-Boot environment from being made.
            environment_is_locked: bool,
            /// What was done, to print.
            told: Told,
        },
        /// The marks of `seq` that were forgotten; the last line.
        Forgotten = "forgotten" (Told),
        /// It cannot be done, in words; the last line.
        Refused = "refused" (String),
    }
}

/// What reaches the daemon: a question, and where its answers go.
#[derive(Debug)]
pub struct Asked {
    /// The question.
    pub ask: Ask,
    /// Where the answers go; closed when there are no more.
    pub answers: mpsc::Sender<Answer>,
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use intercom_wire::json;

    fn line(value: &impl Serialize) -> String {
        serde_json::to_string(value).expect("JSON")
    }

    #[test]
    fn every_question_and_every_answer_is_read_as_it_was_written() {
        let told = || Told::plain(r#"{"a":"b"}"#, "a is b\n");
        let step = Step { number: 3, text: "the hooks run".to_owned(), seconds_left: Some(9) };
        let asked = [
            Ask::Status,
            Ask::Follow,
            Ask::Apply { payload: "{}\n".to_owned(), offline: true },
            Ask::Rollback { factory: true, offline: false },
            Ask::TakeBack,
            Ask::Restore,
            Ask::ForgetSequence,
        ];
        let answered = [
            Answer::State {
                reached: vec![Route::Mqtt],
                routes: vec![],
                durable: true,
                link_contest: None,
                waiting: Vec::new(),
                told: told(),
            },
            Answer::Step(step),
            Answer::Ended { outcome: Some(Outcome::RolledBack), told: told() },
            Answer::Ended { outcome: None, told: told() },
            Answer::Back(told()),
            Answer::Restored {
                is_put_right: true,
                has_unread: true,
                environment_is_locked: true,
                told: told(),
            },
            Answer::Forgotten(told()),
            Answer::Refused("no".to_owned()),
        ];
        for ask in asked {
            let again: Ask = json::read(line(&ask).as_bytes()).expect("a question");
            assert_eq!(line(&again), line(&ask));
        }
        for answer in answered {
            let again: Answer = json::read(line(&answer).as_bytes()).expect("an answer");
            assert_eq!(line(&again), line(&answer));
        }
    }

    #[test]
    fn a_payload_arrives_as_it_stands_in_the_file() {
        for text in ["{\n  \"mac\": \"x\"\n}\n", "eyJ.e30.AAAA\n", "\"e30\"", "{", ""] {
            let ask = Ask::Apply { payload: text.to_owned(), offline: true };
            let line = serde_json::to_string(&ask).expect("JSON");
            assert!(!line.contains('\n'), "it is one line: {line}");
            match json::read(line.as_bytes()).expect("a question") {
                Ask::Apply { payload, offline: true } => assert_eq!(payload, text),
                other => panic!("{other:?}"),
            }
        }
    }
}
