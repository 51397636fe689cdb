//! What a report changes in a record.

use std::fmt;

use intercom_wire::{BoardName, Identity, Mac, Outcome, SerialNumber};

use super::{Carried, IdentityRequest, State};

/// What a panel reports about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedOutcome {
    /// How the request ended on that board.
    pub outcome: Outcome,
    /// The board that reports; a report by the documented PATCH names none.
    pub board: Option<BoardName>,
    /// The MAC address that the board carries now, where the report has it.
    pub mac: Option<Mac>,
    /// The serial number that the board carries now, where the report has it.
    pub serial_number: Option<SerialNumber>,
}

/// What a report changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The newest request has ended. The record shows and confirms this.
    Ends(Carried),
    /// The newest request stays pending, but the panel is known to carry this now. The request is
    /// addressed to it, and it is what the record goes back to if the request fails.
    Moves(Carried),
    /// Nothing.
    Nothing(Ignored),
}

/// Why a report changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Its status is not an outcome.
    NotAnOutcome,
    /// It names no request.
    NoRequest,
    /// No request has the ID that it names.
    UnknownRequest,
    /// The intercom of its request was deleted.
    Deleted,
    /// It says `installed`, but the board carries something else than the request named.
    CarriesAnother,
    /// A later request has taken the place of its request.
    Superseded,
    /// The same was reported before.
    Repeated,
    /// Another board has installed the request.
    InstalledByAnother,
    /// Its request has ended already.
    Ended,
    /// Another intercom has its identity now.
    IdentityTaken,
}

/// Applies one report about `reported`, of a record whose newest request is `newest`.
///
/// Only a report about the newest request changes the record, with one exception. A panel that
/// carried out a request before it received the next one has another MAC address than the record
/// confirms. The next request would never reach it there.
pub fn apply_report(
    confirmed: &Carried,
    newest: &IdentityRequest,
    reported: &IdentityRequest,
    report: &ReportedOutcome,
) -> Effect {
    let installed = report.outcome == Outcome::Installed;
    if installed && !carries_what_was_asked(reported, report) {
        return Effect::Nothing(Ignored::CarriesAnother);
    }
    if reported.request_id != newest.request_id {
        let overtaken = reported.state == State::Superseded
            && newest.state == State::Pending
            && confirmed == &reported.from;
        return if installed && overtaken {
            Effect::Moves(reported.to.clone())
        } else {
            Effect::Nothing(Ignored::Superseded)
        };
    }
    match &newest.state {
        State::Pending if installed => Effect::Ends(newest.to.clone()),
        State::Pending => Effect::Ends(confirmed.clone()),
        State::Superseded => Effect::Nothing(Ignored::Superseded),
        State::Withdrawn => Effect::Nothing(Ignored::Deleted),
        State::Ended { outcome, board } => match (outcome, report.outcome) {
            (Outcome::Installed, Outcome::RolledBack) if same_board(board, &report.board) => {
                Effect::Ends(rolled_back(newest, report))
            }
            (Outcome::Installed, Outcome::Installed) => Effect::Nothing(Ignored::Repeated),
            (Outcome::Installed, _) => Effect::Nothing(Ignored::InstalledByAnother),
            // The wrong board may have reported before the right one.
            (_, Outcome::Installed) => Effect::Ends(newest.to.clone()),
            _ => Effect::Nothing(Ignored::Ended),
        },
    }
}

/// Compares only what the request names and the report has.
fn carries_what_was_asked(change: &IdentityRequest, report: &ReportedOutcome) -> bool {
    let wrong_mac =
        change.new_mac.is_some() && report.mac.is_some() && change.new_mac != report.mac;
    let wrong_serial_number = change.new_serial_number.is_some()
        && report.serial_number.is_some()
        && change.new_serial_number != report.serial_number;
    !wrong_mac && !wrong_serial_number
}

/// A report by the documented PATCH names no board and fits any.
fn same_board(one: &Option<BoardName>, other: &Option<BoardName>) -> bool {
    one.is_none() || other.is_none() || one == other
}

/// A rollback by hand may go back to the factory identity, so what the panel reports counts.
fn rolled_back(change: &IdentityRequest, report: &ReportedOutcome) -> Carried {
    let identity = match report.mac {
        Some(mac) => Identity { mac, serial_number: report.serial_number.clone() },
        None => change.from.identity.clone(),
    };
    Carried { identity, model: change.from.model.clone() }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ignored::NotAnOutcome => "its status is not an outcome",
            Ignored::NoRequest => "it names no request",
            Ignored::UnknownRequest => "the request is unknown here",
            Ignored::Deleted => "the intercom was deleted",
            Ignored::CarriesAnother => "it says installed, but the board carries something else",
            Ignored::Superseded => "a later request has taken its place",
            Ignored::Repeated => "the same was reported before",
            Ignored::InstalledByAnother => "another board has installed the request",
            Ignored::Ended => "the request has ended already",
            Ignored::IdentityTaken => "another intercom has its identity now",
        })
    }
}
