//! Every report that arrived, and its effect.

use intercom_wire::{BoardName, Mac, RequestId};

use super::column::text;
use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction};

/// How many reports are kept; the oldest make room, so a panel that repeats itself does not fill
/// the disk.
const KEPT: i64 = 10_000;

/// One report.
#[derive(Debug, Clone)]
pub struct Arrived<'a> {
    /// The request that it is about.
    pub request_id: Option<&'a RequestId>,
    /// The board that speaks.
    pub board: Option<&'a BoardName>,
    /// The MAC address that the board says it carries.
    pub mac: Option<Mac>,
    /// The outcome as it came.
    pub status: &'a str,
    /// The reason that the report gives.
    pub reason: Option<&'a str>,
    /// What the report changed.
    pub effect: &'a str,
    /// When it arrived, Unix time in milliseconds.
    pub arrived_ms: i64,
}

statements! {
    INSERT = "
        INSERT INTO reports (request_id, board, mac, status, reason, effect, arrived_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING number";
    WAS_READ = "
        SELECT EXISTS (SELECT 1 FROM reports
            WHERE request_id = ?1 AND board IS NOT DISTINCT FROM ?2
                AND mac IS NOT DISTINCT FROM ?3 AND status = ?4)";
    MAKE_ROOM = "DELETE FROM reports WHERE number <= CAST(?1 AS BIGINT) - ?2";
}

/// Whether the same was reported before. A rollback by hand has the ID of what it takes back.
pub fn was_read(snapshot: &Snapshot<'_>, report: &Arrived<'_>) -> Result<bool> {
    let (board, mac) = (text(report.board), text(report.mac.as_ref()));
    snapshot.one(WAS_READ, params![text(report.request_id), board, mac, report.status], |row| {
        row.get(0)
    })
}

/// Keeps a report.
pub fn add(transaction: &Transaction<'_>, report: &Arrived<'_>) -> Result<()> {
    let number = transaction.insert(
        INSERT,
        params![
            text(report.request_id),
            text(report.board),
            text(report.mac.as_ref()),
            report.status,
            report.reason,
            report.effect,
            report.arrived_ms
        ],
    )?;
    transaction.execute(MAKE_ROOM, [number, KEPT])?;
    Ok(())
}
