//! The requests to the panels: the queue, and how each one ended.

use intercom_wire::{BoardName, NamedBy, Outcome, RequestId};
use rusqlite::{Result, Row, params};
use serde_json::Value;

use super::changes::Changed;
use super::column::{carried, parsed, parsed_or_null, text};
use super::statement::statements;
use super::{Snapshot, Transaction};
use crate::replacement::{IdentityRequest, State};

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
}

statements! {
    INSERT = "
        INSERT INTO requests (request_id, intercom_id, seq, named_id, named_mac, new_mac,
            new_serial_number, log_extra, from_mac, from_serial_number, from_model, to_mac,
            to_serial_number, to_model, state, asked_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 'pending', ?15)";
    NEWEST = "SELECT * FROM requests WHERE intercom_id = ?1 ORDER BY number DESC LIMIT 1";
    BY_ID = "SELECT * FROM requests WHERE request_id = ?1";
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
        ],
    )?;
    transaction.changed(Changed::Request(change.request_id.clone()));
    Ok(())
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
        State::Ended { outcome, board } => (outcome.to_string(), board.as_ref()),
    };
    transaction.execute(
        END,
        params![request_id.as_str(), word, board.map(BoardName::as_str), reason, now_ms],
    )?;
    transaction.changed(Changed::Request(request_id.clone()));
    Ok(())
}
