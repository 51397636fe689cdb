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
    /// The MAC address that the outcome is about, where the report has it.
    pub mac: Option<Mac>,
    /// The serial number that the outcome is about, where the report has it.
    pub serial_number: Option<SerialNumber>,
    /// What the board carries now, where the report has it. A later change may have ended before
    /// the report left.
    pub carried: Option<Identity>,
}

/// What a report changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The newest request has ended. The record shows and confirms this.
    Ends(Carried),
    /// An earlier request was carried out after all, and this is confirmed. If the newest request is
    /// pending, it stays so and is addressed to the panel as it is now.
    Late(Carried),
    /// The board has taken back what the newest request had it install, and carries this. It counts
    /// if that board is still the door's.
    RolledBack(Carried),
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
    /// Its request was never offered to that board.
    NotOffered,
    /// It tells of a change by hand, and nothing has changed.
    NoChange,
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
/// Only `installed` counts for a request that is not the newest, or that has ended: the panel has
/// another identity than the record confirms, and would never be found there. The caller has seen to
/// it that no later request was installed.
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
        let is_known = matches!(reported.state, State::Ended { outcome: Outcome::Installed, .. });
        return match installed {
            true if is_known => Effect::Nothing(Ignored::Repeated),
            true => Effect::Late(reported.to.clone()),
            false => Effect::Nothing(Ignored::Superseded),
        };
    }
    match &newest.state {
        State::Pending if installed => Effect::Ends(newest.to.clone()),
        State::Pending => Effect::Ends(confirmed.clone()),
        // By hand it was what the request asked for, or the request was taken back.
        State::Superseded | State::Cancelled if installed => Effect::Ends(newest.to.clone()),
        State::Superseded => Effect::Nothing(Ignored::Superseded),
        State::Cancelled => Effect::Nothing(Ignored::Ended),
        State::Withdrawn => Effect::Nothing(Ignored::Deleted),
        State::Ended { outcome, board } => match (outcome, report.outcome) {
            (Outcome::Installed, Outcome::RolledBack) if same_board(board, &report.board) => {
                Effect::RolledBack(rolled_back(newest, report))
            }
            // A report by the documented PATCH has not told which board it is.
            (Outcome::Installed, Outcome::Installed)
                if board.is_none() && report.board.is_some() =>
            {
                Effect::Ends(newest.to.clone())
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
            Ignored::NotOffered => "the request was not offered to this board",
            Ignored::NoChange => "nothing has changed",
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
