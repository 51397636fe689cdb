//! What happens, for whom it is told: the body of a webhook's delivery.

use std::fmt;

use intercom_wire::{BoardName, Identity, Mac, RequestId};
use serde::Serialize;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The intercom that it is about, if it is about one.
    pub intercom_id: Option<i64>,
    /// What has happened.
    pub what: What,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A request was made, or has ended.
    Request(RequestEvent),
    /// Two boards claim one MAC address, or a panel is on line beside its replacement.
    Conflict {
        /// The board that came last.
        board: BoardName,
        /// The MAC address that it claims.
        mac: Mac,
        /// What it is, and which cable to pull.
        text: String,
    },
    /// A change by hand waits for an operator.
    Question {
        /// The board that was changed.
        board: BoardName,
        /// What it carries now.
        identity: Identity,
    },
    /// The panel of a door has been away for as long as the webhook waits.
    Offline {
        /// The board.
        board: BoardName,
    },
}

/// A request as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestEvent {
    /// The request.
    pub request_id: RequestId,
    /// `pending`, or how it ended.
    pub state: String,
    /// Why the outcome is not `installed`.
    pub reason: Option<String>,
    /// The board that reported the outcome.
    pub board: Option<BoardName>,
    /// The confirmed MAC address when the request was made.
    pub from_mac: Mac,
    /// The MAC address that was asked for.
    pub to_mac: Mac,
    /// The serial number that was asked for.
    pub to_serial_number: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: &'a str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    intercom_id: Option<i64>,
    #[serde(flatten)]
    what: Told<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told<'a> {
    Request(&'a RequestEvent),
    Conflict { board: &'a BoardName, mac: Mac, text: &'a str },
    Question { board: &'a BoardName, mac: Mac, text: String },
    Offline { board: &'a BoardName },
}

impl Event {
    /// The word of its type.
    pub fn kind(&self) -> &str {
        match &self.what {
            What::Request(request) if request.state == "pending" => "requested",
            What::Request(request) => &request.state,
            What::Conflict { .. } => "conflict",
            What::Question { .. } => "question",
            What::Offline { .. } => "offline",
        }
    }

    /// The body of its delivery, with the time when it happened (RFC 3339).
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn body(&self, timestamp: &str) -> serde_json::Result<String> {
        let what = match &self.what {
            What::Request(request) => Told::Request(request),
            What::Conflict { board, mac, text } => Told::Conflict { board, mac: *mac, text },
            What::Question { board, identity } => Told::Question {
                board,
                mac: identity.mac,
                text: format!(
                    "Board {board} was changed by hand to {identity}: whose panel is it?"
                ),
            },
            What::Offline { board } => Told::Offline { board },
        };
        let data = Data { intercom_id: self.intercom_id, what };
        serde_json::to_string(&Body { kind: self.kind(), timestamp, data })
    }
}

/// A board that is on line, and its replacement at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BothOnLine {
    /// The board that was replaced.
    pub old: BoardName,
    /// The MAC address that it claims.
    pub old_mac: Mac,
    /// The intercom.
    pub intercom_id: i64,
    /// The board that is its panel now.
    pub new: BoardName,
    /// The MAC address of that.
    pub new_mac: Mac,
}

impl fmt::Display for BothOnLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BothOnLine { old, old_mac, intercom_id, new, new_mac } = self;
        match old_mac == new_mac {
            true => write!(
                f,
                "Board {old} is on line with {old_mac}, which board {new} has, the panel of intercom \
                 {intercom_id}. Two panels with one MAC address disturb each other. "
            )?,
            false => write!(
                f,
                "Board {old} with {old_mac} is on line. It was replaced at intercom \
                 {intercom_id}, whose panel is board {new} with {new_mac}. "
            )?,
        }
        write!(f, "Pull the cable of board {old}.")
    }
}
