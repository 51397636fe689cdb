//! One panel's identity replaced by another: what a PATCH asks for, and what a report makes of it.
//!
//! Pure: a record keeps its *confirmed* identity (what a panel is known to carry) apart from its
//! *desired* one (what the API shows), and these rules say how each moves. No I/O, no clock.

mod apply_report;
mod ask;

pub use apply_report::{Effect, ReportedOutcome, apply_report};
pub use ask::{Asked, ask};

use intercom_wire::{BoardName, Identity, Mac, Outcome, RequestId, SerialNumber};

/// What a panel is known by: its identity, and the model that billing was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// MAC address and serial number.
    pub identity: Identity,
    /// The model.
    pub model: Option<String>,
}

/// One request for another identity, from the PATCH to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRequest {
    /// The request.
    pub request_id: RequestId,
    /// What was confirmed when it was asked for.
    pub from: Carried,
    /// What the panel shall carry afterwards.
    pub to: Carried,
    /// The MAC address that the request names, where it names one.
    pub new_mac: Option<Mac>,
    /// The serial number that the request names, where it names one.
    pub new_serial_number: Option<SerialNumber>,
    /// How far it has come.
    pub state: State,
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// No panel has told its outcome yet.
    Pending,
    /// A later PATCH asked for something else before any outcome was told.
    Superseded,
    /// The intercom was deleted before any outcome was told.
    Withdrawn,
    /// A panel told how it ended.
    Ended {
        /// How.
        outcome: Outcome,
        /// The board that said so; a report by the documented PATCH names none.
        board: Option<BoardName>,
    },
}

#[cfg(test)]
mod tests;
