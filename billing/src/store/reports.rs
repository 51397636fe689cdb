//! Every report that arrived, and what came of it.

use intercom_wire::{Mac, RequestId};
use rusqlite::{Connection, Result, params};

use super::column::text;

/// So many reports are kept: a panel that repeats itself for ever does not fill the disk.
const KEPT: i64 = 10_000;

/// One report.
#[derive(Debug, Clone)]
pub struct Arrived<'a> {
    /// The request that it is about.
    pub request_id: Option<&'a RequestId>,
    /// The board that speaks.
    pub board: Option<&'a str>,
    /// The MAC address that it says it carries.
    pub mac: Option<Mac>,
    /// The outcome as it came.
    pub status: &'a str,
    /// Why, where it says so.
    pub reason: Option<&'a str>,
    /// What came of it.
    pub effect: &'a str,
    /// When it arrived, Unix time in milliseconds.
    pub arrived_ms: i64,
}

/// Keeps a report.
pub fn add(connection: &Connection, report: &Arrived<'_>) -> Result<()> {
    connection.execute(
        "INSERT INTO reports (request_id, board, mac, status, reason, effect, arrived_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            text(report.request_id),
            report.board,
            text(report.mac.as_ref()),
            report.status,
            report.reason,
            report.effect,
            report.arrived_ms
        ],
    )?;
    connection.execute(
        "DELETE FROM reports WHERE number <= ?1 - ?2",
        [connection.last_insert_rowid(), KEPT],
    )?;
    Ok(())
}
