//! What a report makes of a record.

use intercom_wire::{BoardName, Identity, Mac, Outcome, SerialNumber};

use super::{Carried, IdentityRequest, State};

/// What a panel says about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedOutcome {
    /// How the request ended on that board.
    pub outcome: Outcome,
    /// The board that speaks; a report by the documented PATCH names none.
    pub board: Option<BoardName>,
    /// The MAC address that the board carries now, where it says so.
    pub mac: Option<Mac>,
    /// The serial number that the board carries now, where it says so.
    pub serial_number: Option<SerialNumber>,
}

/// What becomes of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The newest request has ended; the record shows and confirms what is given here.
    Ends(Carried),
    /// The newest request stays pending, but the panel is known to carry this by now: that is
    /// where the request must be addressed, and what is put back if it fails.
    Moves(Carried),
    /// Nothing changes, and why.
    Nothing(&'static str),
}

/// Applies one report about `reported`, of a record whose newest request is `newest`.
///
/// A report changes the record only for its newest request, with one exception: a panel that
/// carried out a request before it could hear of its successor is no longer where the record
/// believes it to be, and the successor would never reach it there.
pub fn apply_report(
    confirmed: &Carried,
    newest: &IdentityRequest,
    reported: &IdentityRequest,
    said: &ReportedOutcome,
) -> Effect {
    let installed = said.outcome == Outcome::Installed;
    if installed && !carries_what_was_asked(reported, said) {
        return Effect::Nothing("it says installed but carries something else");
    }
    if reported.request_id != newest.request_id {
        let overtaken = reported.state == State::Superseded
            && newest.state == State::Pending
            && confirmed == &reported.from;
        return if installed && overtaken {
            Effect::Moves(reported.to.clone())
        } else {
            Effect::Nothing("a later request has taken its place")
        };
    }
    match &newest.state {
        State::Pending if installed => Effect::Ends(newest.to.clone()),
        State::Pending => Effect::Ends(confirmed.clone()),
        State::Superseded => Effect::Nothing("a later request has taken its place"),
        State::Withdrawn => Effect::Nothing("the intercom was deleted"),
        State::Ended { outcome, board } => match (outcome, said.outcome) {
            (Outcome::Installed, Outcome::RolledBack) if same_board(board, &said.board) => {
                Effect::Ends(rolled_back(newest, said))
            }
            (Outcome::Installed, Outcome::Installed) => Effect::Nothing("known already"),
            (Outcome::Installed, _) => Effect::Nothing("another board has installed it"),
            // The wrong board may have answered before the right one.
            (_, Outcome::Installed) => Effect::Ends(newest.to.clone()),
            _ => Effect::Nothing("the request has ended already"),
        },
    }
}

/// Only what was asked for counts, and only where the report tells it.
fn carries_what_was_asked(change: &IdentityRequest, said: &ReportedOutcome) -> bool {
    let wrong_mac = change.new_mac.is_some() && said.mac.is_some() && change.new_mac != said.mac;
    let wrong_serial_number = change.new_serial_number.is_some()
        && said.serial_number.is_some()
        && change.new_serial_number != said.serial_number;
    !wrong_mac && !wrong_serial_number
}

/// A report by the documented PATCH names no board, so nothing contradicts it.
fn same_board(one: &Option<BoardName>, other: &Option<BoardName>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// A rollback by hand may go back to the factory identity: what the panel says counts.
fn rolled_back(change: &IdentityRequest, said: &ReportedOutcome) -> Carried {
    let identity = match said.mac {
        Some(mac) => Identity { mac, serial_number: said.serial_number.clone() },
        None => change.from.identity.clone(),
    };
    Carried { identity, model: change.from.model.clone() }
}
