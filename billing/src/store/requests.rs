//! The requests to the panels: the queue, and what became of each.

use intercom_agent::contract::{BoardName, Mac, NamedBy, Outcome, RequestId, SerialNumber};
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};
use serde::Serialize;
use serde_json::Value;

use super::column::{carried, parsed, parsed_or_null, text};
use crate::offer::Waiting;
use crate::replacement::{Change, State};

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
    pub change: &'a Change,
    /// To be passed through.
    pub log_extra: Option<&'a Value>,
    /// When, Unix time in milliseconds.
    pub asked_ms: i64,
}

/// A pending request with what tells who hears it.
#[derive(Debug, Clone)]
pub struct Pending {
    /// What goes over the wire.
    pub body: Body,
    /// What the rule of `offer` must know.
    pub waiting: Waiting,
    /// The board that is the intercom's panel, where it is known.
    pub named_board: Option<BoardName>,
    /// The board behind `new_mac`, where it is known.
    pub replacing_board: Option<BoardName>,
}

/// A request on a route: the PATCH body reduced to what a panel needs, and what this service adds.
#[derive(Debug, Clone, Serialize)]
pub struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<Mac>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_mac: Option<Mac>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_serial_number: Option<SerialNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_extra: Option<Value>,
    /// The request's own name.
    pub request_id: RequestId,
    seq: i64,
    /// The intercom, by its ID and its confirmed MAC address.
    pub target: Target,
}

/// The intercom that a request is for, as this service knows it.
#[derive(Debug, Clone, Serialize)]
pub struct Target {
    /// Its ID.
    pub id: i64,
    /// Its confirmed MAC address.
    pub mac: Mac,
}

/// Queues a request.
pub fn queue(connection: &Connection, queued: &Queued<'_>) -> Result<()> {
    let change = queued.change;
    let (named_id, named_mac) = match queued.named_by {
        NamedBy::Id(id) => (Some(id), None),
        NamedBy::Mac(mac) => (None, Some(mac.to_string())),
    };
    connection.execute(
        "INSERT INTO requests (request_id, intercom_id, seq, named_id, named_mac, new_mac,
             new_serial_number, log_extra, from_mac, from_serial_number, from_model, to_mac,
             to_serial_number, to_model, state, asked_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 'pending', ?15)",
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
    Ok(())
}

/// The intercom's newest request.
pub fn newest(connection: &Connection, intercom_id: i64) -> Result<Option<Change>> {
    connection
        .prepare_cached(
            "SELECT * FROM requests WHERE intercom_id = ?1 ORDER BY number DESC LIMIT 1",
        )?
        .query_row([intercom_id], change)
        .optional()
}

/// A request and the ID of its intercom.
pub fn by_id(connection: &Connection, request_id: &RequestId) -> Result<Option<(i64, Change)>> {
    connection
        .prepare_cached("SELECT * FROM requests WHERE request_id = ?1")?
        .query_row([request_id.as_str()], |row| Ok((row.get("intercom_id")?, change(row)?)))
        .optional()
}

/// What a request passes through.
pub fn log_extra(connection: &Connection, request_id: &RequestId) -> Result<Option<Value>> {
    connection.query_row(
        "SELECT log_extra FROM requests WHERE request_id = ?1",
        [request_id.as_str()],
        |row| json(row, "log_extra"),
    )
}

fn change(row: &Row<'_>) -> Result<Change> {
    let state: String = row.get("state")?;
    Ok(Change {
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
                outcome: outcome_named(outcome),
                board: parsed_or_null(row, "board")?,
            },
        },
    })
}

fn outcome_named(word: &str) -> Outcome {
    [Outcome::Installed, Outcome::Rejected, Outcome::RolledBack]
        .into_iter()
        .find(|outcome| outcome.to_string() == word)
        .unwrap_or(Outcome::Failed)
}

/// A request has ended, for the reason given where it has one.
pub fn end(
    connection: &Connection,
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
    connection.execute(
        "UPDATE requests SET state = ?2, board = ?3, reason = ?4, ended_ms = ?5
         WHERE request_id = ?1",
        params![request_id.as_str(), word, board.map(BoardName::as_str), reason, now_ms],
    )?;
    Ok(())
}

const SELECT_PENDING: &str = "
    SELECT r.*, i.confirmed_mac, i.board AS named_board, replacing.board AS replacing_board,
           replacing.present_until_ms
    FROM requests r
    JOIN intercoms i ON i.id = r.intercom_id AND i.deleted_ms IS NULL
    LEFT JOIN boards replacing ON replacing.mac = r.new_mac
    WHERE r.state = 'pending'";

/// Every pending request, the oldest first.
pub fn pending(connection: &Connection) -> Result<Vec<Pending>> {
    connection
        .prepare_cached(&format!("{SELECT_PENDING} ORDER BY r.number"))?
        .query_map([], pending_row)?
        .collect()
}

/// One pending request.
pub fn pending_by_id(connection: &Connection, request_id: &RequestId) -> Result<Pending> {
    connection
        .prepare_cached(&format!("{SELECT_PENDING} AND r.request_id = ?1"))?
        .query_row([request_id.as_str()], pending_row)
}

/// Whoever polls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The MAC address that it carries.
    pub mac: Mac,
    /// The board that it is.
    pub board: Option<BoardName>,
    /// The intercom that it believes to be.
    pub id: Option<i64>,
}

/// The pending requests that may be for a caller, by its MAC address, its board or its ID; its ID
/// counts only while nothing speaks against it: no other live intercom has its MAC address, and no
/// other board is known for that intercom.
pub fn pending_for(connection: &Connection, caller: &Caller) -> Result<Vec<Pending>> {
    connection
        .prepare_cached(&format!(
            "{SELECT_PENDING} AND r.number IN (
                SELECT number FROM requests WHERE state = 'pending' AND new_mac = :mac
                UNION SELECT r.number FROM requests r JOIN intercoms i ON i.id = r.intercom_id
                    WHERE r.state = 'pending' AND i.confirmed_mac = :mac AND i.deleted_ms IS NULL
                UNION SELECT r.number FROM requests r JOIN intercoms i ON i.id = r.intercom_id
                    WHERE r.state = 'pending' AND i.board = :board AND i.deleted_ms IS NULL
                UNION SELECT r.number FROM requests r JOIN intercoms i ON i.id = r.intercom_id
                    WHERE r.intercom_id = :id AND r.state = 'pending'
                    AND NOT EXISTS (SELECT 1 FROM intercoms o WHERE o.deleted_ms IS NULL
                        AND o.id <> i.id AND :mac IN (o.confirmed_mac, o.desired_mac))
                    AND coalesce(i.board = :board, 1))
             ORDER BY r.number"
        ))?
        .query_map(
            named_params! {
                ":mac": caller.mac.to_string(),
                ":board": caller.board.as_ref().map(BoardName::as_str),
                ":id": caller.id,
            },
            pending_row,
        )?
        .collect()
}

fn pending_row(row: &Row<'_>) -> Result<Pending> {
    let new_mac = parsed_or_null(row, "new_mac")?;
    let confirmed_mac = parsed(row, "confirmed_mac")?;
    Ok(Pending {
        body: Body {
            id: row.get("named_id")?,
            mac: parsed_or_null(row, "named_mac")?,
            new_mac,
            new_serial_number: parsed_or_null(row, "new_serial_number")?,
            model: row.get("to_model")?,
            log_extra: json(row, "log_extra")?,
            request_id: parsed(row, "request_id")?,
            seq: row.get("seq")?,
            target: Target { id: row.get("intercom_id")?, mac: confirmed_mac },
        },
        waiting: Waiting {
            new_mac,
            confirmed_mac,
            asked_ms: row.get("asked_ms")?,
            present_until_ms: row.get("present_until_ms")?,
        },
        named_board: parsed_or_null(row, "named_board")?,
        replacing_board: parsed_or_null(row, "replacing_board")?,
    })
}

fn json(row: &Row<'_>, column: &str) -> Result<Option<Value>> {
    parsed_or_null(row, column)
}
