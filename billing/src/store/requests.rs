//! The requests to the panels: the queue, and how each one ended.

use intercom_wire::{BoardName, Mac, NamedBy, Outcome, RequestId};
use serde_json::Value;

use super::changes::Changed;
use super::column::{carried, parsed, parsed_or_null, text};
use super::counters::Counted;
use super::engine::{Row, params};
use super::statement::statements;
use super::{Result, Snapshot, Transaction, deliveries};
use crate::replacement::{IdentityRequest, State};
use crate::schedule::Schedule;

/// Upper bound on the requests of an intercom within an hour, the operator's included, up to which
/// billing makes another one by itself.
const MAX_AN_HOUR: i64 = 8;

/// Why a request was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody asked for an identity.
    Asked,
    /// The door's board had forgotten its identity.
    Forgotten,
    /// Somebody wants the hardware back that was there before.
    Undo,
}

/// A request as it is queued.
#[derive(Debug, Clone)]
pub struct Queued<'a> {
    /// The intercom whose panel is asked.
    pub intercom_id: i64,
    /// The record's `seq` with this change.
    pub seq: i64,
    /// As the PATCH named the intercom.
    pub named_by: NamedBy,
    /// What is asked for.
    pub change: &'a IdentityRequest,
    /// To be passed through.
    pub log_extra: Option<&'a Value>,
    /// When, Unix time in milliseconds.
    pub asked_ms: i64,
    /// Who asks, in words.
    pub asked_by: &'a str,
    /// Why.
    pub cause: Cause,
}

impl Cause {
    /// The word that stands in the database and in answers.
    fn word(self) -> &'static str {
        match self {
            Cause::Asked => "asked",
            Cause::Forgotten => "forgotten",
            Cause::Undo => "undo",
        }
    }
}

statements! {
    INSERT = "
        INSERT INTO requests (request_id, intercom_id, seq, named_id, named_mac, new_mac,
            new_serial_number, log_extra, from_mac, from_serial_number, from_model, to_mac,
            to_serial_number, to_model, state, asked_ms, asked_by, cause)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 'pending', ?15, ?16,
            ?17)";
    NEWEST = "SELECT * FROM requests WHERE intercom_id = ?1 ORDER BY number DESC LIMIT 1";
    BY_ID = "SELECT * FROM requests WHERE request_id = ?1";
    /// A swap asks the other door's board.
    ASKED_FOR = "
        SELECT EXISTS (SELECT 1 FROM requests r WHERE intercom_id = ?1 AND to_mac = ?2
            AND (state = 'installed'
                OR NOT EXISTS (SELECT 1 FROM swaps w WHERE w.request_id = r.request_id)))";
    INSTALLED_SINCE = "
        SELECT EXISTS (SELECT 1 FROM requests WHERE intercom_id = ?1 AND state = 'installed'
            AND seq > (SELECT seq FROM requests WHERE request_id = ?2))";
    ASK_AGAIN = "
        INSERT INTO requests (request_id, intercom_id, seq, named_id, named_mac, new_mac,
            new_serial_number, log_extra, from_mac, from_serial_number, from_model, to_mac,
            to_serial_number, to_model, state, asked_ms, for_the_door, asked_by, cause,
            not_before_ms, expires_ms)
        SELECT ?2, intercom_id, ?3, named_id, named_mac, new_mac, new_serial_number, log_extra,
            from_mac, from_serial_number, from_model, to_mac, to_serial_number, to_model, 'pending',
            ?4, for_the_door, asked_by, 'asked_again', not_before_ms, expires_ms
        FROM requests WHERE request_id = ?1";
    ASKED_SINCE = "SELECT count(*) FROM requests WHERE intercom_id = ?1 AND asked_ms > ?2";
    FOR_THE_DOOR = "UPDATE requests SET for_the_door = 1 WHERE request_id = ?1";
    SET_SCHEDULE = "
        UPDATE requests SET not_before_ms = ?2, expires_ms = ?3 WHERE request_id = ?1";
    SCHEDULE = "SELECT not_before_ms, expires_ms FROM requests WHERE request_id = ?1";
    LOG_EXTRA = "SELECT log_extra FROM requests WHERE request_id = ?1";
    END = "
        UPDATE requests SET state = ?2, board = ?3, reason = ?4, ended_ms = ?5
        WHERE request_id = ?1";
}

/// Queues a request.
pub fn queue(transaction: &Transaction<'_>, queued: &Queued<'_>) -> Result<()> {
    let change = queued.change;
    let (named_id, named_mac) = match queued.named_by {
        NamedBy::Id(id) => (Some(id), None),
        NamedBy::Mac(mac) => (None, Some(mac.to_string())),
    };
    transaction.execute(
        INSERT,
        params![
            change.request_id.as_str(),
            queued.intercom_id,
            queued.seq,
            named_id,
            named_mac,
            text(change.new_mac.as_ref()),
            text(change.new_serial_number.as_ref()),
            text(queued.log_extra),
            change.from.identity.mac.to_string(),
            text(change.from.identity.serial_number.as_ref()),
            change.from.model,
            change.to.identity.mac.to_string(),
            text(change.to.identity.serial_number.as_ref()),
            change.to.model,
            queued.asked_ms,
            queued.asked_by,
            queued.cause.word(),
        ],
    )?;
    transaction.changed(Changed::Request(change.request_id.clone()));
    transaction.count(Counted::Asked);
    deliveries::add_request(transaction, &change.request_id)
}

/// The intercom's newest request.
pub fn newest(snapshot: &Snapshot<'_>, intercom_id: i64) -> Result<Option<IdentityRequest>> {
    snapshot.first(NEWEST, [intercom_id], change)
}

/// A request and the ID of its intercom.
pub fn by_id(
    snapshot: &Snapshot<'_>,
    request_id: &RequestId,
) -> Result<Option<(i64, IdentityRequest)>> {
    snapshot.first(BY_ID, [request_id.as_str()], |row| Ok((row.get("intercom_id")?, change(row)?)))
}

/// Whether an intercom's panel was ever asked to take this MAC address.
pub fn asked_for(snapshot: &Snapshot<'_>, intercom_id: i64, mac: Mac) -> Result<bool> {
    snapshot.one(ASKED_FOR, params![intercom_id, mac.to_string()], |row| row.get(0))
}

/// Whether an intercom has had so many requests within the last hour that billing makes none by
/// itself any more. What a panel says makes one, and could make them without end.
pub fn are_many(snapshot: &Snapshot<'_>, intercom_id: i64, now_ms: i64) -> Result<bool> {
    let since_ms = now_ms.saturating_sub(3_600_000);
    let asked: i64 = snapshot.one(ASKED_SINCE, [intercom_id, since_ms], |row| row.get(0))?;
    Ok(asked >= MAX_AN_HOUR)
}

/// Whether a later request of the same intercom was installed.
pub fn later_is_installed(
    snapshot: &Snapshot<'_>,
    intercom_id: i64,
    request_id: &RequestId,
) -> Result<bool> {
    snapshot.one(INSTALLED_SINCE, params![intercom_id, request_id.as_str()], |row| row.get(0))
}

/// The same is asked for again, as another request with a higher `seq`.
pub fn ask_again(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    again: &RequestId,
    seq: i64,
    now_ms: i64,
) -> Result<()> {
    // An intercom has one pending request at most.
    end(transaction, request_id, &State::Superseded, None, now_ms)?;
    transaction.execute(ASK_AGAIN, params![request_id.as_str(), again.as_str(), seq, now_ms])?;
    transaction.changed(Changed::Request(again.clone()));
    transaction.count(Counted::Asked);
    deliveries::add_request(transaction, again)
}

/// The door's board is offered the request although a known spare has the MAC address.
pub fn set_for_the_door(transaction: &Transaction<'_>, request_id: &RequestId) -> Result<()> {
    transaction.execute(FOR_THE_DOOR, [request_id.as_str()])?;
    transaction.changed(Changed::Request(request_id.clone()));
    Ok(())
}

/// When a request that was queued may be offered. The quiet hours are those of its group.
pub fn set_schedule(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    schedule: &Schedule,
) -> Result<()> {
    let Schedule { not_before_ms, expires_ms, quiet: _ } = schedule;
    transaction.execute(SET_SCHEDULE, params![request_id.as_str(), not_before_ms, expires_ms])?;
    Ok(())
}

/// What was said about when a request may be offered, without the quiet hours.
pub fn schedule(snapshot: &Snapshot<'_>, request_id: &RequestId) -> Result<Schedule> {
    snapshot.one(SCHEDULE, [request_id.as_str()], |row| {
        let (not_before_ms, expires_ms) = (row.get("not_before_ms")?, row.get("expires_ms")?);
        Ok(Schedule { not_before_ms, expires_ms, quiet: None })
    })
}

/// What a request passes through.
pub fn log_extra(snapshot: &Snapshot<'_>, request_id: &RequestId) -> Result<Option<Value>> {
    snapshot.one(LOG_EXTRA, [request_id.as_str()], |row| parsed_or_null(row, "log_extra"))
}

fn change(row: &Row<'_>) -> Result<IdentityRequest> {
    let state: String = row.get("state")?;
    Ok(IdentityRequest {
        request_id: parsed(row, "request_id")?,
        from: carried(row, "from")?,
        to: carried(row, "to")?,
        new_mac: parsed_or_null(row, "new_mac")?,
        new_serial_number: parsed_or_null(row, "new_serial_number")?,
        state: match state.as_str() {
            "pending" => State::Pending,
            "superseded" => State::Superseded,
            "withdrawn" => State::Withdrawn,
            "cancelled" => State::Cancelled,
            outcome => State::Ended {
                outcome: outcome.parse().unwrap_or(Outcome::Failed),
                board: parsed_or_null(row, "board")?,
            },
        },
    })
}

/// Ends a request, for the reason given where it has one.
pub fn end(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    state: &State,
    reason: Option<&str>,
    now_ms: i64,
) -> Result<()> {
    let (word, board) = match state {
        State::Pending => ("pending".to_owned(), None),
        State::Superseded => ("superseded".to_owned(), None),
        State::Withdrawn => ("withdrawn".to_owned(), None),
        State::Cancelled => ("cancelled".to_owned(), None),
        State::Ended { outcome, board } => (outcome.to_string(), board.as_ref()),
    };
    transaction.execute(
        END,
        params![request_id.as_str(), word, board.map(BoardName::as_str), reason, now_ms],
    )?;
    transaction.changed(Changed::Request(request_id.clone()));
    transaction.count(Counted::Ended(word));
    deliveries::add_request(transaction, request_id)
}
