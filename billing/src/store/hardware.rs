//! Which hardware an intercom has and had: one row for each identity on one board, from when to when.

use std::fmt;

use intercom_wire::{BoardName, RequestId};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::column::{carried, parsed_or_null};
use super::engine::{Row, params};
use super::history::Shown;
use super::statement::statements;
use super::{Result, Snapshot, Transaction};
use crate::replacement::Carried;

/// Hardware that an intercom has or had. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Serialize)]
pub struct Hardware {
    /// The identity and the model.
    #[serde(flatten)]
    pub carried: Shown,
    /// The board, where it is known.
    pub board: Option<BoardName>,
    /// Since when it was in place; `None` if it came before this was kept.
    pub from: Option<String>,
    /// Until when; `None` while it is in place.
    pub to: Option<String>,
    /// The request that put it in place. `None`: it came with the record, or was changed by hand.
    pub request_id: Option<RequestId>,
    /// Who made that request.
    pub asked_by: Option<String>,
    /// Why it was made.
    pub cause: Option<String>,
    /// What its maker said besides.
    pub log_extra: Option<Value>,
    /// How it ended, unless it is in place.
    #[serde(serialize_with = "in_words")]
    pub ended: Option<Ended>,
}

/// How hardware has left its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// A request was installed.
    Replaced(RequestId),
    /// Its board reported something else without a request, or after it.
    ByHand,
    /// The intercom was deleted.
    Deleted,
}

/// Whose hardware it is.
#[derive(Debug, Clone)]
pub struct Place {
    /// The intercom's name.
    pub title: Option<String>,
    /// When it was deleted, if it was.
    pub deleted_at: Option<String>,
}

statements! {
    /// Another board with the same identity counts too. Its name follows in the transaction that has
    /// set the identity, and is then no other hardware.
    LEAVES = "
        UPDATE hardware SET until_ms = ?2
        WHERE intercom_id = ?1 AND until_ms IS NULL AND EXISTS (
            SELECT 1 FROM intercoms i WHERE i.id = ?1
                AND (i.confirmed_mac <> hardware.mac
                    OR i.confirmed_serial_number IS DISTINCT FROM hardware.serial_number
                    OR (i.board <> hardware.board AND hardware.since_ms IS DISTINCT FROM ?2)))";
    COMES = "
        INSERT INTO hardware (intercom_id, mac, serial_number, model, board, since_ms)
        SELECT id, confirmed_mac, confirmed_serial_number, confirmed_model, board, ?2
        FROM intercoms WHERE id = ?1 AND NOT EXISTS (
            SELECT 1 FROM hardware WHERE intercom_id = ?1 AND until_ms IS NULL)";
    IS_KNOWN_AS = "
        UPDATE hardware SET model = i.confirmed_model, board = coalesce(i.board, hardware.board)
        FROM intercoms i
        WHERE hardware.intercom_id = ?1 AND hardware.until_ms IS NULL AND i.id = ?1
            AND (i.confirmed_model IS DISTINCT FROM hardware.model OR i.board <> hardware.board
                OR (i.board IS NOT NULL AND hardware.board IS NULL))";
    PUT_IN_PLACE = "
        UPDATE hardware SET request_id = ?2
        WHERE intercom_id = ?1 AND until_ms IS NULL AND since_ms = ?3";
    PLACE = "
        SELECT title, rfc_3339(deleted_ms) AS deleted_at
        FROM intercoms WHERE id = ?1";
    OF_AN_INTERCOM = "
        SELECT h.*, r.asked_by, r.cause, r.log_extra,
            rfc_3339(h.since_ms) AS since,
            rfc_3339(h.until_ms) AS until,
            n.number IS NULL AS is_last, n.request_id AS replaced_by
        FROM hardware h
        LEFT JOIN requests r ON r.request_id = h.request_id
        LEFT JOIN hardware n ON n.number = (SELECT min(number) FROM hardware
            WHERE intercom_id = ?1 AND number > h.number)
        WHERE h.intercom_id = ?1 ORDER BY h.number DESC LIMIT ?2";
    BEFORE = "
        SELECT h.mac AS former_mac, h.serial_number AS former_serial_number,
            h.model AS former_model
        FROM hardware h CROSS JOIN intercoms i
        WHERE i.id = h.intercom_id AND h.intercom_id = ?1 AND h.until_ms IS NOT NULL
            AND (h.mac <> i.confirmed_mac OR h.serial_number IS DISTINCT FROM i.confirmed_serial_number)
        ORDER BY h.number DESC LIMIT 1";
    IS_GONE = "UPDATE hardware SET until_ms = ?2 WHERE intercom_id = ?1 AND until_ms IS NULL";
}

/// The place of an intercom, also of a deleted one.
pub fn place(snapshot: &Snapshot<'_>, intercom_id: i64) -> Result<Option<Place>> {
    snapshot.first(PLACE, [intercom_id], |row| {
        Ok(Place { title: row.get("title")?, deleted_at: row.get("deleted_at")? })
    })
}

/// The newest hardware of an intercom first; at most `limit`.
pub fn of_an_intercom(
    snapshot: &Snapshot<'_>,
    intercom_id: i64,
    limit: i64,
) -> Result<Vec<Hardware>> {
    snapshot.all(OF_AN_INTERCOM, [intercom_id, limit], hardware)
}

/// What was in place before what the record confirms.
pub fn before(snapshot: &Snapshot<'_>, intercom_id: i64) -> Result<Option<Carried>> {
    snapshot.first(BEFORE, [intercom_id], |row| carried(row, "former"))
}

fn hardware(row: &Row<'_>) -> Result<Hardware> {
    let to: Option<String> = row.get("until")?;
    let replaced_by = parsed_or_null(row, "replaced_by")?;
    let ended = match (row.get("is_last")?, replaced_by) {
        (true, _) => Ended::Deleted,
        (false, Some(request_id)) => Ended::Replaced(request_id),
        (false, None) => Ended::ByHand,
    };
    Ok(Hardware {
        carried: Shown {
            mac: row.get("mac")?,
            serial_number: row.get("serial_number")?,
            model: row.get("model")?,
        },
        board: parsed_or_null(row, "board")?,
        from: row.get("since")?,
        ended: to.is_some().then_some(ended),
        to,
        request_id: parsed_or_null(row, "request_id")?,
        asked_by: row.get("asked_by")?,
        cause: row.get("cause")?,
        log_extra: parsed_or_null(row, "log_extra")?,
    })
}

fn in_words<S: Serializer>(
    ended: &Option<Ended>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    match ended {
        Some(ended) => serializer.collect_str(ended),
        None => serializer.serialize_none(),
    }
}

/// Follows what an intercom's record confirms now.
pub(super) fn follow(transaction: &Transaction<'_>, intercom_id: i64) -> Result<()> {
    let now_ms = transaction.now_ms();
    transaction.execute(LEAVES, [intercom_id, now_ms])?;
    if transaction.execute(COMES, [intercom_id, now_ms])? == 0 {
        transaction.execute(IS_KNOWN_AS, [intercom_id])?;
    }
    Ok(())
}

/// This request has put in place what the record confirms since now.
pub fn put_in_place(
    transaction: &Transaction<'_>,
    intercom_id: i64,
    request_id: &RequestId,
) -> Result<()> {
    let now_ms = transaction.now_ms();
    transaction.execute(PUT_IN_PLACE, params![intercom_id, request_id.as_str(), now_ms])?;
    Ok(())
}

/// The intercom was deleted, and its hardware has no place any more.
pub(super) fn is_gone(transaction: &Transaction<'_>, intercom_id: i64, now_ms: i64) -> Result<()> {
    transaction.execute(IS_GONE, [intercom_id, now_ms])?;
    Ok(())
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Replaced(request_id) => write!(f, "replaced by request {request_id}"),
            Ended::ByHand => f.write_str("changed by hand"),
            Ended::Deleted => f.write_str("the intercom was deleted"),
        }
    }
}
