//! The boards that spoke: which one has a MAC address, and until when it counts as present.

use intercom_wire::{BoardName, Mac};
use rusqlite::{Result, params};

use super::changes::Changed;
use super::column::parsed;
use super::statement::statements;
use super::{Snapshot, Transaction};
use crate::offer::UNTIL_FURTHER_NOTICE;

/// A presence is written again only if it is prolonged by at least this, to spare the disk.
const WORTH_WRITING_MS: i64 = 30_000;

/// A board that has been gone for this long is forgotten. Its presence tells all of it again when it
/// comes back. (A grace time longer than this counts from the PATCH, and no more from when the board
/// left.)
const FORGOTTEN_AFTER_MS: i64 = 3_600_000;

/// Upper bound on the boards that are kept although no live intercom has their MAC address. Anybody
/// can make such boards up; one more is served and not remembered.
const MAX_STRANGERS: i64 = 10_000;

/// A board that shows itself.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The MAC address that it carries.
    pub mac: Mac,
    /// The board, if it gives its name.
    pub board: Option<BoardName>,
    /// It counts as present until then, Unix time in milliseconds.
    pub until_ms: i64,
}

statements! {
    AT_A_MAC = "
        SELECT present_until_ms, board IS coalesce(?2, board) AS same_board FROM boards
        WHERE mac = ?1";
    AT_OTHER_MACS = "SELECT mac FROM boards WHERE board = ?2 AND mac <> ?1";
    DELETE = "DELETE FROM boards WHERE mac = ?1";
    FORGET = "DELETE FROM boards WHERE present_until_ms < ?1";
    IS_OF_AN_INTERCOM = "
        SELECT EXISTS (SELECT 1 FROM intercoms WHERE deleted_ms IS NULL AND confirmed_mac = ?1)
            OR EXISTS (SELECT 1 FROM intercoms WHERE deleted_ms IS NULL AND desired_mac = ?1)";
    STRANGERS = "SELECT count(*) FROM boards WHERE stranger = 1";
    IS_NO_STRANGER = "UPDATE boards SET stranger = 0 WHERE mac = ?1 AND stranger = 1";
    KEEP = "
        INSERT INTO boards (mac, board, present_until_ms, stranger) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (mac) DO UPDATE SET
            board = coalesce(excluded.board, board),
            present_until_ms = CASE WHEN board IS coalesce(excluded.board, board)
                THEN max(excluded.present_until_ms, present_until_ms)
                ELSE excluded.present_until_ms END";
    INTERCOM_AT = "SELECT id FROM intercoms WHERE confirmed_mac = ?1 AND deleted_ms IS NULL";
    OTHER_INTERCOMS_OF = "
        SELECT id FROM intercoms WHERE deleted_ms IS NULL AND board = ?1 AND id <> ?2";
    SET_BOARD = "UPDATE intercoms SET board = ?2 WHERE id = ?1 AND board IS NOT ?2";
    GONE = "
        UPDATE boards SET present_until_ms = ?3
        WHERE mac = ?1 AND present_until_ms > ?3 AND (?2 IS NULL OR board IS ?2)";
    LINGER = "UPDATE boards SET present_until_ms = ?1 WHERE present_until_ms = ?2";
}

/// What is known of a MAC address, compared with a board that shows itself there.
struct Known {
    until_ms: i64,
    same_board: bool,
}

impl Known {
    /// The board that shows itself is known to be there.
    fn is_present(&self, now_ms: i64) -> bool {
        self.same_board && self.until_ms >= now_ms
    }

    fn is_worth_writing(&self, seen: &Seen, now_ms: i64) -> bool {
        !self.is_present(now_ms) || self.until_ms.saturating_add(WORTH_WRITING_MS) <= seen.until_ms
    }
}

fn known(snapshot: &Snapshot<'_>, seen: &Seen) -> Result<Option<Known>> {
    let params = params![seen.mac.to_string(), seen.board.as_ref().map(BoardName::as_str)];
    snapshot.first(AT_A_MAC, params, |row| {
        Ok(Known { until_ms: row.get("present_until_ms")?, same_board: row.get("same_board")? })
    })
}

/// Whether a board is known to be there for about as long, so that [`present`] would change
/// nothing.
pub fn is_known(snapshot: &Snapshot<'_>, seen: &Seen, now_ms: i64) -> Result<bool> {
    Ok(known(snapshot, seen)?.is_some_and(|known| !known.is_worth_writing(seen, now_ms)))
}

/// A board is present at least until then.
pub fn present(transaction: &Transaction<'_>, seen: &Seen, now_ms: i64) -> Result<()> {
    let known = known(transaction, seen)?;
    if known.as_ref().is_some_and(|known| !known.is_worth_writing(seen, now_ms)) {
        return Ok(());
    }
    let mac = seen.mac.to_string();
    if let Some(board) = &seen.board {
        leave_other_macs(transaction, &mac, board)?;
    }
    let stranger = known.is_none() && !is_of_an_intercom(transaction, &mac)?;
    if known.is_none() {
        transaction.execute(FORGET, [now_ms.saturating_sub(FORGOTTEN_AFTER_MS)])?;
        if stranger && strangers(transaction)? >= MAX_STRANGERS {
            return Ok(());
        }
    }
    let board = seen.board.as_ref();
    transaction
        .execute(KEEP, params![mac, board.map(BoardName::as_str), seen.until_ms, stranger])?;
    if !known.is_some_and(|known| known.is_present(now_ms)) {
        transaction.changed(Changed::Board(seen.mac));
    }
    if let Some(intercom_id) = transaction.first(INTERCOM_AT, [&mac], |row| row.get(0))?
        && let Some(board) = board
    {
        belongs_to(transaction, board, intercom_id)?;
    }
    Ok(())
}

/// A board has one MAC address at a time.
fn leave_other_macs(transaction: &Transaction<'_>, mac: &str, board: &BoardName) -> Result<()> {
    let others: Vec<Mac> =
        transaction.all(AT_OTHER_MACS, [mac, board.as_str()], |row| parsed(row, "mac"))?;
    for other in others {
        transaction.execute(DELETE, [other.to_string()])?;
        transaction.changed(Changed::Board(other));
    }
    Ok(())
}

/// Whether a live intercom has this MAC address or is promised it.
fn is_of_an_intercom(snapshot: &Snapshot<'_>, mac: &str) -> Result<bool> {
    snapshot.one(IS_OF_AN_INTERCOM, [mac], |row| row.get(0))
}

fn strangers(snapshot: &Snapshot<'_>) -> Result<i64> {
    snapshot.one(STRANGERS, [], |row| row.get(0))
}

/// An intercom has this MAC address now, or is promised it: its board is no stranger.
pub fn is_no_stranger(transaction: &Transaction<'_>, mac: Mac) -> Result<()> {
    transaction.execute(IS_NO_STRANGER, [mac.to_string()])?;
    Ok(())
}

/// A board is this intercom's panel and no other's. It stays so when it loses its MAC address.
pub fn belongs_to(
    transaction: &Transaction<'_>,
    board: &BoardName,
    intercom_id: i64,
) -> Result<()> {
    let others: Vec<i64> =
        transaction
            .all(OTHER_INTERCOMS_OF, params![board.as_str(), intercom_id], |row| row.get(0))?;
    let none = others.into_iter().map(|id| (id, None));
    for (id, board) in none.chain([(intercom_id, Some(board.as_str()))]) {
        if transaction.execute(SET_BOARD, params![id, board])? > 0 {
            transaction.changed(Changed::Intercom(id));
        }
    }
    Ok(())
}

/// A board has gone from this MAC address, unless another one is known there.
pub fn gone(
    transaction: &Transaction<'_>,
    mac: Mac,
    board: Option<&BoardName>,
    now_ms: i64,
) -> Result<()> {
    let changed = transaction
        .execute(GONE, params![mac.to_string(), board.map(BoardName::as_str), now_ms])?;
    if changed > 0 {
        transaction.changed(Changed::Board(mac));
    }
    Ok(())
}

/// Boards that were connected when the service stopped count as present until then.
pub fn linger(transaction: &Transaction<'_>, until_ms: i64) -> Result<()> {
    transaction.execute(LINGER, [until_ms, UNTIL_FURTHER_NOTICE])?;
    Ok(())
}
