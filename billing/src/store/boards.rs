//! The boards that spoke: what each one claims to carry, whether that is believed, and until when it
//! counts as there. What they say comes in by [`presence`](super::presence).

use std::fmt;

use intercom_wire::{BoardName, Identity, Mac, Nonce};

use super::changes::Changed;
use super::column::{parsed, parsed_or_null};
use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction};
use crate::offer::{Claimant, UNTIL_FURTHER_NOTICE};

/// When a board was there. Unix times in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Presence {
    /// Since when.
    pub since_ms: i64,
    /// Until when it counts as there; in the past, when it was seen last.
    pub until_ms: i64,
}

/// Why a claim is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// The MAC address is another board's.
    OfAnother(BoardName),
    /// It is a door's board, and nobody asked it to take this MAC address.
    Unasked(Mac),
    /// No operator has enrolled the board with this MAC address.
    NotEnrolled,
}

statements! {
    CLAIM = "SELECT mac, serial_number FROM boards WHERE board = ?1 AND mac IS NOT NULL";
    CLAIMING = "
        SELECT b.*, EXISTS (SELECT 1 FROM intercoms o WHERE o.deleted_ms IS NULL
            AND o.board = b.board AND o.status <> 'empty' AND o.id <> ?2) AS of_another_door
        FROM boards b WHERE b.mac = ?1 ORDER BY b.board";
    THERE_SINCE = "
        SELECT present_since_ms FROM boards WHERE board = ?1 AND present_until_ms > ?2";
    PRESENCE = "SELECT present_since_ms, present_until_ms FROM boards WHERE board = ?1";
    NONCE = "SELECT nonce FROM boards WHERE board = ?1 AND nonce IS NOT NULL";
    TWINS = "SELECT twins_until_ms FROM boards WHERE board = ?1 AND twins_until_ms IS NOT NULL";
    IS_CHANGING = "SELECT EXISTS (SELECT 1 FROM boards WHERE board = ?1 AND changing = 1)";
    SET_STRANGER = "UPDATE boards SET stranger = ?2 WHERE board = ?1 AND stranger <> ?2";
    BELIEVE = "
        UPDATE boards SET conflict = CASE WHEN board = ?2 THEN NULL ELSE ?3 END WHERE mac = ?1";
    IS_FREE = "UPDATE boards SET conflict = NULL WHERE mac = ?1 AND conflict = ?2";
    SET_CONFLICT = "UPDATE boards SET conflict = ?2 WHERE board = ?1 AND conflict IS DISTINCT FROM ?2";
    ASKED_MS = "SELECT asked_ms FROM boards WHERE board = ?1";
    ASK = "
        UPDATE boards SET asked_ms = ?2, present_until_ms = ?3
        WHERE board = ?1 AND present_until_ms = ?4";
    SINCE = "SELECT since_ms FROM service";
    SET_SINCE = "UPDATE service SET since_ms = ?1";
    LINGER = "
        UPDATE boards SET present_until_ms = ?1, nonce = NULL WHERE present_until_ms = ?2";
}

/// What a board said last that it carries; in mid-change, what it carried before.
pub fn claim(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<Identity>> {
    snapshot.first(CLAIM, [board.as_str()], |row| {
        Ok(Identity {
            mac: parsed(row, "mac")?,
            serial_number: parsed_or_null(row, "serial_number")?,
        })
    })
}

/// Since when a board has been there; `None` if it is not.
pub fn there_since(snapshot: &Snapshot<'_>, board: &BoardName, now_ms: i64) -> Result<Option<i64>> {
    snapshot.first(THERE_SINCE, params![board.as_str(), now_ms], |row| row.get(0))
}

/// When a board was there last; `None` if it is not remembered.
pub fn presence(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<Presence>> {
    snapshot.first(PRESENCE, [board.as_str()], |row| {
        Ok(Presence { since_ms: row.get(0)?, until_ms: row.get(1)? })
    })
}

/// Whether a board has said that it is in the middle of a change.
pub fn is_changing(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<bool> {
    snapshot.one(IS_CHANGING, [board.as_str()], |row| row.get(0))
}

/// Until when two boards count as having this name, if they ever had.
pub fn twins_until(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<i64>> {
    snapshot.first(TWINS, [board.as_str()], |row| row.get("twins_until_ms"))
}

/// The nonce of a board's presence on the broker; `None` if it has not shown itself there.
pub fn nonce(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<Nonce>> {
    snapshot.first(NONCE, [board.as_str()], |row| parsed(row, "nonce"))
}

/// A board is a door's now, or is one no more.
pub(super) fn set_stranger(
    transaction: &Transaction<'_>,
    board: &BoardName,
    stranger: bool,
) -> Result<()> {
    transaction.execute(SET_STRANGER, params![board.as_str(), stranger])?;
    Ok(())
}

/// Whether a board's claim is believed. Returns whether that has changed.
pub(super) fn set_conflict(
    transaction: &Transaction<'_>,
    board: &BoardName,
    conflict: Option<&Conflict>,
) -> Result<bool> {
    let conflict = conflict.map(Conflict::to_string);
    Ok(transaction.execute(SET_CONFLICT, params![board.as_str(), conflict])? > 0)
}

/// A MAC address is this board's now: its claim is believed, and no other's.
pub(super) fn believe(transaction: &Transaction<'_>, mac: Mac, board: &BoardName) -> Result<()> {
    let of_another = Conflict::OfAnother(board.clone()).to_string();
    transaction.execute(BELIEVE, params![mac.to_string(), board.as_str(), of_another])?;
    transaction.changed(Changed::Mac(mac));
    Ok(())
}

/// A MAC address is this board's no more: whoever claims it counts again.
pub(super) fn is_free(transaction: &Transaction<'_>, mac: Mac, board: &BoardName) -> Result<()> {
    let of_another = Conflict::OfAnother(board.clone()).to_string();
    transaction.execute(IS_FREE, params![mac.to_string(), of_another])?;
    transaction.changed(Changed::Mac(mac));
    Ok(())
}

/// When a board was last asked whether it is still there, Unix time in milliseconds.
pub fn asked_ms(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<i64> {
    Ok(snapshot.first(ASKED_MS, [board.as_str()], |row| row.get(0))?.unwrap_or(0))
}

/// A board that is connected to the broker is asked whether it is still there: its presence may be an
/// old one that the broker has brought back. It counts as there until then unless it shows itself
/// again. False if it is not connected to the broker, or is asked already.
pub fn ask(
    transaction: &Transaction<'_>,
    board: &BoardName,
    now_ms: i64,
    until_ms: i64,
) -> Result<bool> {
    let asked = params![board.as_str(), now_ms, until_ms, UNTIL_FURTHER_NOTICE];
    Ok(transaction.execute(ASK, asked)? > 0)
}

/// Boards that were connected to the broker count as there until then, and must show themselves
/// anew.
pub fn linger(transaction: &Transaction<'_>, until_ms: i64) -> Result<()> {
    transaction.execute(LINGER, [until_ms, UNTIL_FURTHER_NOTICE])?;
    Ok(())
}

/// Since when boards can show themselves, Unix time in milliseconds.
pub fn since(snapshot: &Snapshot<'_>) -> Result<i64> {
    snapshot.one(SINCE, (), |row| row.get(0))
}

/// Boards can show themselves since then, which is when the grace times begin.
pub fn set_since(transaction: &Transaction<'_>, since_ms: i64) -> Result<()> {
    transaction.execute(SET_SINCE, [since_ms])?;
    Ok(())
}

/// The boards that claim a MAC address, seen from this intercom.
pub fn claiming(snapshot: &Snapshot<'_>, mac: Mac, intercom_id: i64) -> Result<Vec<Claimant>> {
    snapshot.all(CLAIMING, params![mac.to_string(), intercom_id], |row| {
        Ok(Claimant {
            board: parsed(row, "board")?,
            serial_number: parsed_or_null(row, "serial_number")?,
            until_ms: row.get("present_until_ms")?,
            is_believed: row.get::<_, Option<String>>("conflict")?.is_none(),
            is_of_another_door: row.get("of_another_door")?,
        })
    })
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Conflict::OfAnother(board) => {
                write!(f, "this MAC address was first seen on board {board}")
            }
            Conflict::Unasked(confirmed) => {
                write!(f, "it is the board of a door at {confirmed}, and nobody asked for this")
            }
            Conflict::NotEnrolled => f.write_str("it is not enrolled with this MAC address"),
        }
    }
}
