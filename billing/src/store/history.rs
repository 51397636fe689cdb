//! What became of each request, for people to look at.

use rusqlite::{Connection, Result, Row, named_params};
use serde::Serialize;

use super::column::carried;

/// One request with all that is known of it.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The request.
    pub request_id: String,
    /// The record's `seq` with this change.
    pub seq: i64,
    /// The intercom's ID.
    pub intercom_id: i64,
    /// The intercom's name.
    pub title: Option<String>,
    /// `pending`, `superseded`, `withdrawn`, or the outcome.
    pub state: String,
    /// Why the outcome is not `installed`.
    pub reason: Option<String>,
    /// The board that told the outcome.
    pub board: Option<String>,
    /// What was confirmed when it was asked for.
    pub from: Shown,
    /// What the panel shall carry.
    pub to: Shown,
    /// When it was asked for, RFC 3339 in UTC.
    pub asked_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// How long it has been pending, or how long it took, in seconds.
    pub age_seconds: i64,
    /// The topics on the broker that offer it now.
    pub offered_on: Vec<String>,
}

/// An identity and the model.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The MAC address.
    pub mac: String,
    /// The serial number.
    pub serial_number: Option<String>,
    /// The model.
    pub model: Option<String>,
}

/// The newest requests first, of one intercom or of all; at most `limit`.
pub fn list(
    connection: &Connection,
    intercom_id: Option<i64>,
    now_ms: i64,
    limit: i64,
) -> Result<Vec<Entry>> {
    connection
        .prepare_cached(
            "SELECT r.*, i.title,
                strftime('%Y-%m-%dT%H:%M:%SZ', r.asked_ms / 1000, 'unixepoch') AS asked_at,
                strftime('%Y-%m-%dT%H:%M:%SZ', r.ended_ms / 1000, 'unixepoch') AS ended_at,
                max(0, coalesce(r.ended_ms, :now) - r.asked_ms) / 1000 AS age_seconds,
                (SELECT group_concat(topic, char(10)) FROM offers o
                    WHERE o.request_id = r.request_id AND r.state = 'pending') AS topics
             FROM requests r JOIN intercoms i ON i.id = r.intercom_id
             WHERE :id IS NULL OR r.intercom_id = :id
             ORDER BY r.number DESC LIMIT :limit",
        )?
        .query_map(named_params! {":id": intercom_id, ":now": now_ms, ":limit": limit}, entry)?
        .collect()
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    let topics: Option<String> = row.get("topics")?;
    Ok(Entry {
        request_id: row.get("request_id")?,
        seq: row.get("seq")?,
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
        offered_on: topics.map_or_else(Vec::new, |all| all.lines().map(str::to_owned).collect()),
    })
}

fn shown(row: &Row<'_>, prefix: &str) -> Result<Shown> {
    let carried = carried(row, prefix)?;
    Ok(Shown {
        mac: carried.identity.mac.to_string(),
        serial_number: carried.identity.serial_number.map(|s| s.to_string()),
        model: carried.model,
    })
}
