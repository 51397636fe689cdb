//! Whether a board is there, and when it was last seen.

use intercom_wire::{BoardName, Mac};

use super::engine::Row;
use super::statement::statements;
use super::{Result, Snapshot};

/// What is known of a board's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// It is there now.
    Online,
    /// It is not there, and was seen last at that time, Unix time in milliseconds.
    Last(i64),
    /// It was never seen.
    Never,
}

statements! {
    OF_A_BOARD = "
        SELECT (SELECT present_until_ms FROM boards WHERE board = ?1) AS until_ms,
            (SELECT max(seen_ms) FROM macs WHERE board = ?1) AS seen_ms";
    WITH_A_MAC = "
        SELECT (SELECT b.present_until_ms FROM boards b
                WHERE b.board = m.board AND b.mac = m.mac) AS until_ms, m.seen_ms
        FROM macs m WHERE m.mac = ?1";
}

/// Of a board, whatever it carries.
pub fn of_board(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Sighting> {
    let now_ms = snapshot.now_ms();
    snapshot.one(OF_A_BOARD, [board.as_str()], |row| sighting(row, now_ms))
}

/// Of the board whose a MAC address is, with that address.
pub fn with_mac(snapshot: &Snapshot<'_>, mac: Mac) -> Result<Sighting> {
    let now_ms = snapshot.now_ms();
    let found = snapshot.first(WITH_A_MAC, [mac.to_string()], |row| sighting(row, now_ms))?;
    Ok(found.unwrap_or(Sighting::Never))
}

fn sighting(row: &Row<'_>, now_ms: i64) -> Result<Sighting> {
    let until_ms: Option<i64> = row.get("until_ms")?;
    let seen_ms: Option<i64> = row.get("seen_ms")?;
    Ok(match until_ms.max(seen_ms) {
        _ if until_ms > Some(now_ms) => Sighting::Online,
        // A file of an older version knows of the board, and not when it was seen.
        None | Some(0) => Sighting::Never,
        Some(at_ms) => Sighting::Last(at_ms.min(now_ms)),
    })
}

impl Sighting {
    /// When it was there last, Unix time in milliseconds.
    pub fn at_ms(self, now_ms: i64) -> Option<i64> {
        match self {
            Sighting::Online => Some(now_ms),
            Sighting::Last(at_ms) => Some(at_ms),
            Sighting::Never => None,
        }
    }
}
