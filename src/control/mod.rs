//! The control socket: how the commands talk to the running daemon.
//!
//! One JSON line is asked, JSON lines are answered. The socket lies in a directory of its own mode
//! and takes its orders from root and from the daemon's own user alone.

mod client;
mod server;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::agent::{Status, Step};
use crate::contract::Report;

pub use client::{ask, no_daemon};
pub use server::serve;

/// The socket's name in the runtime directory.
pub const SOCKET: &str = "control.sock";

/// What a command asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// The state as it is now.
    Status,
    /// The state as it is now, and every step from now on.
    Follow,
    /// Take this request as an installer's.
    Apply {
        /// What stands in the installer's file: the PATCH payload, perhaps signed.
        payload: String,
        /// Nothing need be reachable.
        offline: bool,
    },
    /// Go back to an earlier identity.
    Rollback {
        /// Back to the factory identity, not just to the one before.
        factory: bool,
        /// Nothing need be reachable.
        offline: bool,
    },
}

/// One line of the answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The state.
    Status(Box<Status>),
    /// Something happened.
    Step(Step),
    /// How it ended; the last line.
    Ended(Box<Report>),
    /// It cannot be done, in words; the last line.
    Refused(String),
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
    use super::*;

    #[test]
    fn a_payload_arrives_as_it_stands_in_the_file() {
        for text in ["{\n  \"mac\": \"x\"\n}\n", "eyJ.e30.AAAA\n", "\"e30\"", "{", ""] {
            let ask = Ask::Apply { payload: text.to_owned(), offline: true };
            let line = serde_json::to_string(&ask).expect("JSON");
            assert!(!line.contains('\n'), "it is one line: {line}");
            match serde_json::from_str(&line).expect("a question") {
                Ask::Apply { payload, offline: true } => assert_eq!(payload, text),
                other => panic!("{other:?}"),
            }
        }
    }
}
