//! The promises that are broken on purpose, to see that the checks notice.
//!
//! The shipped code stays as it is. A mutant changes what billing says or hears, what a panel checks, or
//! what billing sees in its tables while it decides: for the length of one operation a column holds
//! something else, and then what it had.

use intercom_billing::mqtt::conversation::Message as Said;
use intercom_wire::topics::{FromBoard, ToPanel};
use intercom_wire::{Outcome, Presence, PresenceState, Report, Request, Unreadable, json, topics};
use rusqlite::Connection;
use serde_json::Value;

use super::broker::Message;
use super::watch::Book;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    None,
    // Billing retains nothing.
    OffersRetained,
    OffersWithoutNonce,
    NonceNotChecked,
    OldOffersAreNotAnswered,
    SilentBoardsAreNotAsked,
    NobodyIsAsked,
    SilentBoardsStay,
    // Who is offered: step 1.
    GoneBoardsCount,
    BoardsOfOtherDoorsCount,
    SerialNumbersMayContradict,
    AnyClaimIsBelieved,
    // Steps 2 and 3.
    SparesAreNotWaitedFor,
    DoorsMacsAreWaitedFor,
    NoGrace,
    GraceIsNotCountedAgain,
    NobodyIsStruckOut,
    // Answers.
    DeferredIsNoAnswer,
    SilenceNeverEnds,
    IdsSelect,
    TargetsBoardIsNotRead,
    // Whose report counts.
    AnyReportCounts,
    PayloadSaysWhoSpeaks,
    PresenceSaysWhoSpeaks,
    LateReportsAreDropped,
    OvertakenReportsCount,
    OtherEndsTellNothing,
    WhatWasReadCounts,
    AnyChangeByHandMovesTheDoor,
    ReportsAreNotAnswered,
    ThePubAckIsTheAnswer,
    OneHalfIsEnough,
}

/// Columns that hold something else until they are restored.
#[must_use]
#[derive(Default)]
pub struct Blind(Vec<(&'static str, &'static str)>);

impl Blind {
    /// `value` is an SQL expression; the rows are those of the condition.
    fn with(
        mut self,
        database: &Connection,
        table: &'static str,
        column: &'static str,
        value: &str,
        rows: &str,
    ) -> Self {
        let sql = format!(
            "CREATE TEMP TABLE was_{table}_{column} AS
                 SELECT rowid AS number, {column} AS value FROM {table} WHERE {rows};
             UPDATE {table} SET {column} = {value} WHERE {rows};"
        );
        database.execute_batch(&sql).expect("a mutant");
        self.0.push((table, column));
        self
    }

    pub fn restore(self, database: &Connection) {
        for (table, column) in self.0 {
            let sql = format!(
                "UPDATE {table} SET {column} = (SELECT value FROM was_{table}_{column} w
                     WHERE w.number = {table}.rowid)
                     WHERE rowid IN (SELECT number FROM was_{table}_{column});
                 DROP TABLE was_{table}_{column};"
            );
            database.execute_batch(&sql).expect("a mutant");
        }
    }
}

impl Mutant {
    /// What billing says, if it says it.
    pub fn says(self, mut message: Said) -> Option<Said> {
        let is_empty = message.payload.is_empty();
        match self {
            Mutant::NobodyIsAsked if message.topic.ends_with("/who") => None,
            // Whoever is silent is asked again, which makes up for what the other two leave out.
            Mutant::SilentBoardsAreNotAsked
            | Mutant::OldOffersAreNotAnswered
            | Mutant::ThePubAckIsTheAnswer
                if message.topic.ends_with("/who") && message.topic != topics::EVERYBODY_WHO =>
            {
                None
            }
            Mutant::ReportsAreNotAnswered
                if is_empty && ToPanel::read(&message.topic).is_some() =>
            {
                None
            }
            Mutant::OffersWithoutNonce if !is_empty => {
                let mut body: Value = serde_json::from_slice(&message.payload).expect("JSON");
                body.as_object_mut().expect("an object").remove("nonce");
                message.payload = serde_json::to_vec(&body).expect("JSON");
                Some(message)
            }
            _ => Some(message),
        }
    }

    /// What billing hears, if it does.
    pub fn hears(self, message: &Message) -> Option<Message> {
        let mut message = message.clone();
        let report = || json::read::<Report>(&message.payload).ok();
        let is_status = matches!(FromBoard::read(&message.topic), Some(FromBoard::Status(_)));
        let presence = || Presence::read(&message.payload).ok().flatten();
        let is_will = || presence().is_some_and(|said| said.state == PresenceState::Offline);
        match self {
            Mutant::DeferredIsNoAnswer
                if is_status && report().is_some_and(|r| r.is_deferred()) =>
            {
                None
            }
            Mutant::GoneBoardsCount if !is_status && is_will() => None,
            Mutant::OtherEndsTellNothing if is_status => {
                let ends_otherwise = |report: &Report| {
                    report.outcome().is_some_and(|outcome| outcome != Outcome::Installed)
                };
                if let Some(mut report) = report().filter(ends_otherwise) {
                    report.intercom.mac = None;
                    message.payload = serde_json::to_vec(&report).expect("a report");
                }
                Some(message)
            }
            Mutant::PayloadSaysWhoSpeaks if is_status => {
                if let Some(report) = report() {
                    message.topic = topics::BOARD_STATUS.replace("{board}", report.board.as_str());
                }
                Some(message)
            }
            Mutant::PresenceSaysWhoSpeaks => {
                if let Some(said) = presence() {
                    message.topic = topics::BOARD_PRESENCE.replace("{board}", said.board.as_str());
                }
                Some(message)
            }
            _ => Some(message),
        }
    }

    /// What a panel reads of a request.
    pub fn reads(self, payload: &[u8]) -> Result<Request, Unreadable> {
        let mut request = Request::read(payload)?;
        if self == Mutant::TargetsBoardIsNotRead {
            request.target.board = None;
        }
        Ok(request)
    }

    /// What billing does not see while it plans or is polled.
    pub fn blinds_plan(self, database: &Connection, book: &Book) -> Blind {
        let none = Blind::default();
        match self {
            Mutant::SilentBoardsStay => {
                none.with(database, "boards", "present_until_ms", "9223372036854775807", "TRUE")
            }
            Mutant::BoardsOfOtherDoorsCount => {
                // Only the doors for which nothing is asked: the others keep their own board.
                let rows = "id NOT IN (SELECT intercom_id FROM requests WHERE state = 'pending')";
                none.with(database, "intercoms", "board", "NULL", rows)
            }
            Mutant::IdsSelect => none.with(database, "intercoms", "board", "NULL", "TRUE"),
            Mutant::SerialNumbersMayContradict => {
                none.with(database, "boards", "serial_number", "NULL", "TRUE")
            }
            Mutant::AnyClaimIsBelieved => none.with(database, "boards", "conflict", "NULL", "TRUE"),
            Mutant::SparesAreNotWaitedFor => none.with(database, "macs", "of_a_door", "1", "TRUE"),
            Mutant::DoorsMacsAreWaitedFor => none.with(database, "macs", "of_a_door", "0", "TRUE"),
            Mutant::NoGrace => none.with(database, "requests", "asked_ms", "0", "TRUE"),
            Mutant::GraceIsNotCountedAgain => {
                let asked = format!("max(asked_ms, {})", book.since_ms);
                none.with(database, "requests", "asked_ms", &asked, "state = 'pending'")
            }
            Mutant::NobodyIsStruckOut => {
                let sql = "CREATE TRIGGER IF NOT EXISTS nobody_is_struck_out
                    BEFORE UPDATE OF is_open ON offers WHEN NEW.is_open = 0
                    BEGIN SELECT RAISE(IGNORE); END";
                database.execute_batch(sql).expect("a mutant");
                none
            }
            Mutant::SilenceNeverEnds => {
                let now = "9000000000000";
                none.with(database, "boards", "present_since_ms", now, "TRUE")
            }
            _ => none,
        }
    }

    /// What billing does not see while it takes a report.
    pub fn blinds_report(self, database: &Connection, topic: &str, payload: &[u8]) -> Blind {
        let none = Blind::default();
        let (Some(FromBoard::Status(board)), Ok(report)) =
            (FromBoard::read(topic), json::read::<Report>(payload))
        else {
            return none;
        };
        let request_id = report.request_id.as_ref().map(ToString::to_string).unwrap_or_default();
        match self {
            Mutant::AnyReportCounts => {
                let sql = "INSERT OR IGNORE INTO offers
                    (request_id, board, offered_ms, deferred_until_ms, is_open)
                    SELECT request_id, ?2, 0, 0, 0 FROM requests WHERE request_id = ?1";
                database.execute(sql, [&request_id, board.as_str()]).expect("a mutant");
                none
            }
            Mutant::OneHalfIsEnough => {
                let sql = "UPDATE swaps SET confirmed_by = 'nobody'
                           WHERE request_id <> ?1 AND confirmed_by IS NULL";
                database.execute(sql, [&request_id]).expect("a mutant");
                none
            }
            Mutant::WhatWasReadCounts => {
                database.execute("DELETE FROM reports", []).expect("a mutant");
                none
            }
            Mutant::OvertakenReportsCount => {
                let rows = "state = 'installed'";
                none.with(database, "requests", "state", "'failed'", rows)
            }
            Mutant::LateReportsAreDropped if report.outcome() == Some(Outcome::Installed) => {
                // As if none had ever been offered it, once it has ended.
                let sql = "DELETE FROM offers WHERE request_id IN
                    (SELECT request_id FROM requests WHERE request_id = ?1 AND state <> 'pending')";
                database.execute(sql, [&request_id]).expect("a mutant");
                none
            }
            Mutant::AnyChangeByHandMovesTheDoor if report.issuer.is_none() => {
                let previous = report.previous.mac.to_string();
                let rows = format!("confirmed_mac = '{previous}' AND deleted_ms IS NULL");
                none.with(database, "intercoms", "board", &format!("'{board}'"), &rows)
            }
            _ => none,
        }
    }
}
