//! One panel's identity is replaced by another: what a PATCH asks for, and what a report changes.
//!
//! A record keeps its *confirmed* identity (which a panel is known to carry) apart from its
//! *desired* one (which the API shows). These rules say how each changes. Pure: no I/O, no clock.

mod apply_report;
mod ask;

pub use apply_report::{Effect, Ignored, ReportedOutcome, apply_report};
pub use ask::{Asked, ask};

use intercom_wire::{BoardName, Identity, Mac, Outcome, RequestId, SerialNumber};

/// What a panel carries: its identity, and its model as billing knows it.
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
    /// The confirmed identity when the request was made.
    pub from: Carried,
    /// The identity that was asked for, whole.
    pub to: Carried,
    /// The MAC address that the request names, where it names one.
    pub new_mac: Option<Mac>,
    /// The serial number that the request names, where it names one.
    pub new_serial_number: Option<SerialNumber>,
    /// Whether it is pending, or how it ended.
    pub state: State,
}

/// Whether a request is pending, or how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// No panel has reported its outcome yet.
    Pending,
    /// A later PATCH asked for another identity before an outcome was reported.
    Superseded,
    /// The intercom was deleted before an outcome was reported.
    Withdrawn,
    /// An operator has taken it back before an outcome was reported.
    Cancelled,
    /// A panel has reported how it ended.
    Ended {
        /// How it ended.
        outcome: Outcome,
        /// The board that reported it; a report by the documented PATCH names none.
        board: Option<BoardName>,
    },
}

#[cfg(test)]
mod tests;
