//! What became of each request, for people to look at.

use intercom_wire::RequestId;
use serde::{Deserialize, Serialize};

use super::column::{carried, parsed, text};
use super::engine::{Row, named_params};
use super::statement::statements;
use super::{Result, Snapshot};
use crate::replacement::Carried;

/// One request with all that is known of it.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The request.
    pub request_id: RequestId,
    /// The record's `seq` with this change.
    pub seq: i64,
    /// Who asked for it; `None` in requests from before this was kept.
    pub asked_by: Option<String>,
    /// Why it was made: `asked`, `asked_again`, `forgotten`, `undo`.
    pub cause: String,
    /// The intercom's ID.
    pub intercom_id: i64,
    /// The intercom's name.
    pub title: Option<String>,
    /// `pending`, `superseded`, `withdrawn`, `cancelled`, or the outcome.
    pub state: String,
    /// Why the outcome is not `installed`.
    pub reason: Option<String>,
    /// The board that reported the outcome.
    pub board: Option<String>,
    /// The confirmed identity when the request was made.
    pub from: Shown,
    /// The identity that was asked for.
    pub to: Shown,
    /// When the request was made, RFC 3339 in UTC.
    pub asked_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// How long it has been pending, or how long it took, in seconds.
    pub age_seconds: i64,
    /// Whom it waits for, while it is pending.
    pub waits_for: Option<String>,
    /// The boards that are offered it now.
    pub offered_to: Vec<String>,
}

/// An identity and the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The MAC address.
    pub mac: String,
    /// The serial number.
    pub serial_number: Option<String>,
    /// The model.
    pub model: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.*, i.title,
                rfc_3339(r.asked_ms) AS asked_at,
                rfc_3339(r.ended_ms) AS ended_at,
                CASE WHEN coalesce(r.ended_ms, :now) > r.asked_ms
                    THEN (coalesce(r.ended_ms, :now) - r.asked_ms) / 1000 ELSE 0 END AS age_seconds,
                (SELECT string_agg(o.board, '\n' ORDER BY o.board) FROM offers o
                    WHERE o.request_id = r.request_id AND o.is_open = 1
                        AND r.state = 'pending') AS offered_to
             FROM requests r JOIN intercoms i ON i.id = r.intercom_id ",
            $rest
        )
    };
}

statements! {
    /// Every request has an intercom, so the limit bounds how many are read.
    NEWEST = select!("ORDER BY r.number DESC LIMIT :limit");
    BY_ID = select!("WHERE r.request_id = :id");
    NEWEST_OF_AN_INTERCOM =
        select!("WHERE r.intercom_id = :id ORDER BY r.number DESC LIMIT :limit");
}

/// One request.
pub fn by_id(
    snapshot: &Snapshot<'_>,
    request_id: &RequestId,
    now_ms: i64,
) -> Result<Option<Entry>> {
    let wanted = named_params! {":id": request_id.as_str(), ":now": now_ms};
    snapshot.first(BY_ID, wanted, entry)
}

/// The newest requests first, of one intercom or of all; at most `limit`.
pub fn list(
    snapshot: &Snapshot<'_>,
    intercom_id: Option<i64>,
    now_ms: i64,
    limit: i64,
) -> Result<Vec<Entry>> {
    match intercom_id {
        Some(id) => snapshot.all(
            NEWEST_OF_AN_INTERCOM,
            named_params! {":id": id, ":now": now_ms, ":limit": limit},
            entry,
        ),
        None => snapshot.all(NEWEST, named_params! {":now": now_ms, ":limit": limit}, entry),
    }
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    let boards: Option<String> = row.get("offered_to")?;
    Ok(Entry {
        request_id: parsed(row, "request_id")?,
        seq: row.get("seq")?,
        asked_by: row.get("asked_by")?,
        cause: row.get("cause")?,
        intercom_id: row.get("intercom_id")?,
        title: row.get("title")?,
        state: row.get("state")?,
        reason: row.get("reason")?,
        board: row.get("board")?,
        from: shown(row, "from")?,
        to: shown(row, "to")?,
        asked_at: row.get("asked_at")?,
        ended_at: row.get("ended_at")?,
        age_seconds: row.get("age_seconds")?,
        waits_for: None,
        offered_to: boards.map_or_else(Vec::new, |all| all.lines().map(str::to_owned).collect()),
    })
}

fn shown(row: &Row<'_>, prefix: &str) -> Result<Shown> {
    Ok(Shown::from(&carried(row, prefix)?))
}

impl From<&Carried> for Shown {
    fn from(carried: &Carried) -> Self {
        Shown {
            mac: carried.identity.mac.to_string(),
            serial_number: text(carried.identity.serial_number.as_ref()),
            model: carried.model.clone(),
        }
    }
}
