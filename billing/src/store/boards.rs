//! The boards that spoke: which is behind a MAC address, and until when it counts as present.

use intercom_wire::{BoardName, Mac};
use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::offer::UNTIL_FURTHER_NOTICE;

/// A presence is written again only if it is prolonged by at least this, to spare the disk.
const WORTH_WRITING_MS: i64 = 30_000;

/// A board that has been gone for this long is forgotten. The grace time is shorter, so no rule
/// depends on it any more, and a board that comes back says again all that was known of it.
const FORGOTTEN_AFTER_MS: i64 = 3_600_000;

/// Upper bound on the boards that are kept although no live intercom has their MAC address. Anybody
/// can make such boards up; one more is served and not remembered.
const MAX_STRANGERS: i64 = 10_000;

/// A board with this MAC address is present at least until then. True if that is news: another
/// board, or one that had been gone.
pub fn present(
    connection: &Connection,
    mac: Mac,
    board: Option<&BoardName>,
    until_ms: i64,
    now_ms: i64,
) -> Result<bool> {
    let (mac, name) = (mac.to_string(), board.map(BoardName::as_str));
    let known = connection
        .query_row(
            "SELECT present_until_ms >= ?3, present_until_ms, board IS coalesce(?2, board)
             FROM boards WHERE mac = ?1",
            params![mac, name, now_ms],
            |row| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?)),
        )
        .optional()?;
    let (was_present, until_then, same_board) = known.unwrap_or((false, 0, false));
    let news = !was_present || !same_board;
    if !news && until_then.saturating_add(WORTH_WRITING_MS) > until_ms {
        return Ok(false);
    }
    connection.execute("DELETE FROM boards WHERE board = ?2 AND mac <> ?1", params![mac, name])?;
    let stranger = known.is_none() && !is_of_an_intercom(connection, &mac)?;
    if known.is_none() {
        forget(connection, now_ms.saturating_sub(FORGOTTEN_AFTER_MS))?;
        if stranger && strangers(connection)? >= MAX_STRANGERS {
            return Ok(false);
        }
    }
    connection.execute(
        "INSERT INTO boards (mac, board, present_until_ms, stranger) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (mac) DO UPDATE SET
             board = coalesce(excluded.board, board),
             present_until_ms = CASE WHEN board IS coalesce(excluded.board, board)
                 THEN max(excluded.present_until_ms, present_until_ms)
                 ELSE excluded.present_until_ms END",
        params![mac, name, until_ms, stranger],
    )?;
    if let Some(intercom_id) = intercom_at(connection, &mac)?
        && let Some(board) = board
    {
        belongs_to(connection, board, intercom_id)?;
    }
    Ok(news)
}

fn forget(connection: &Connection, gone_before_ms: i64) -> Result<()> {
    connection.execute("DELETE FROM boards WHERE present_until_ms < ?1", [gone_before_ms])?;
    Ok(())
}

/// Whether a live intercom has this MAC address or is promised it.
fn is_of_an_intercom(connection: &Connection, mac: &str) -> Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM intercoms WHERE deleted_ms IS NULL AND confirmed_mac = ?1)
             OR EXISTS (SELECT 1 FROM intercoms WHERE deleted_ms IS NULL AND desired_mac = ?1)",
        [mac],
        |row| row.get(0),
    )
}

fn strangers(connection: &Connection) -> Result<i64> {
    connection.query_row("SELECT count(*) FROM boards WHERE stranger = 1", [], |row| row.get(0))
}

/// An intercom has this MAC address now, or is promised it: its board is no stranger.
pub fn is_no_stranger(connection: &Connection, mac: Mac) -> Result<()> {
    connection.execute(
        "UPDATE boards SET stranger = 0 WHERE mac = ?1 AND stranger = 1",
        [mac.to_string()],
    )?;
    Ok(())
}

fn intercom_at(connection: &Connection, mac: &str) -> Result<Option<i64>> {
    connection
        .query_row(
            "SELECT id FROM intercoms WHERE confirmed_mac = ?1 AND deleted_ms IS NULL",
            [mac],
            |row| row.get(0),
        )
        .optional()
}

/// A board is an intercom's panel, and no other's: it stays so if it loses its MAC address.
pub fn belongs_to(connection: &Connection, board: &BoardName, intercom_id: i64) -> Result<()> {
    // Two statements: with an OR in one, SQLite reads all intercoms.
    connection.execute(
        "UPDATE intercoms SET board = NULL WHERE deleted_ms IS NULL AND board = ?1 AND id <> ?2",
        params![board.as_str(), intercom_id],
    )?;
    connection.execute(
        "UPDATE intercoms SET board = ?1 WHERE deleted_ms IS NULL AND id = ?2",
        params![board.as_str(), intercom_id],
    )?;
    Ok(())
}

/// A board has gone from this MAC address, unless it was another one than is known there.
pub fn gone(
    connection: &Connection,
    mac: Mac,
    board: Option<&BoardName>,
    now_ms: i64,
) -> Result<bool> {
    let changed = connection.execute(
        "UPDATE boards SET present_until_ms = ?3
         WHERE mac = ?1 AND present_until_ms > ?3 AND (?2 IS NULL OR board IS ?2)",
        params![mac.to_string(), board.map(BoardName::as_str), now_ms],
    )?;
    Ok(changed > 0)
}

/// Whoever was connected when the service stopped has until then to come back.
pub fn linger(connection: &Connection, until_ms: i64) -> Result<()> {
    connection.execute(
        "UPDATE boards SET present_until_ms = ?1 WHERE present_until_ms = ?2",
        [until_ms, UNTIL_FURTHER_NOTICE],
    )?;
    Ok(())
}
