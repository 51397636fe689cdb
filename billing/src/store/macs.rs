//! Whose a MAC address is: the board's that was first seen with it, until a request or an operator
//! gives it to another one.

use intercom_wire::{BoardName, Mac};

use super::changes::Changed;
use super::column::parsed;
use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction, boards};

/// Upper bound on the MAC addresses that are kept although their board never was a door's. One more
/// that is no intercom's is not kept until an old one is forgotten.
const MAX_SPARES: i64 = 10_000;
/// Upper bound on the MAC addresses that a board holds because it was the first with them, unasked,
/// besides those that an operator or an intercom has. A board has one at a time.
const MAX_CLAIMS: i64 = 4;
/// Such a MAC address is forgotten when its board has not been seen for this long.
const FORGOTTEN_AFTER_MS: i64 = 90 * 24 * 3_600_000;

/// Whose claims count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Believed {
    /// Anybody's who was first.
    #[default]
    FirstSight,
    /// Only those of the boards that an operator has enrolled with their MAC address.
    Known,
}

statements! {
    OWNER = "SELECT board, enrolled FROM macs WHERE mac = ?1";
    SEEN = "
        INSERT INTO macs (mac, board, of_a_door, poll_ms, seen_ms)
        VALUES (?1, ?2, CAST(EXISTS (SELECT 1 FROM macs WHERE board = ?2 AND of_a_door = 1) AS INTEGER), ?3, ?4)
        ON CONFLICT (mac) DO UPDATE SET
            poll_ms = coalesce(excluded.poll_ms, macs.poll_ms), seen_ms = excluded.seen_ms";
    GIVEN_BACK = "
        SELECT mac FROM macs m WHERE board = ?1 AND enrolled = 0
            AND NOT EXISTS (SELECT 1 FROM intercoms
                WHERE deleted_ms IS NULL AND confirmed_mac = m.mac)
            AND NOT EXISTS (SELECT 1 FROM intercoms
                WHERE deleted_ms IS NULL AND desired_mac = m.mac)
        ORDER BY mac = ?2 DESC, seen_ms DESC, mac LIMIT 9223372036854775807 OFFSET ?3";
    GIVE_BACK = "DELETE FROM macs WHERE mac = ?1";
    SEEN_UNTIL = "UPDATE macs SET seen_ms = ?3
        WHERE mac = ?1 AND board = ?2 AND seen_ms < ?3";
    SEEN_MS = "SELECT seen_ms FROM macs WHERE mac = ?1";
    SPARES = "SELECT count(*) FROM macs WHERE of_a_door = 0";
    FORGET = "
        DELETE FROM macs WHERE of_a_door = 0 AND enrolled = 0 AND seen_ms < ?1 RETURNING mac";
    GIVE = "
        INSERT INTO macs (mac, board, of_a_door, poll_ms, seen_ms) VALUES (?1, ?2, 1, NULL, ?3)
        ON CONFLICT (mac) DO UPDATE SET board = excluded.board, of_a_door = 1";
    IS_OF_A_DOOR = "
        UPDATE macs SET of_a_door = 1 WHERE board = ?1 AND of_a_door = 0 RETURNING mac";
    ENROL = "
        INSERT INTO macs (mac, board, of_a_door, poll_ms, seen_ms, enrolled)
        VALUES (?1, ?2, CAST(EXISTS (SELECT 1 FROM macs WHERE board = ?2 AND of_a_door = 1) AS INTEGER), NULL, ?3, 1)
        ON CONFLICT (mac) DO UPDATE SET
            board = excluded.board, of_a_door = excluded.of_a_door, enrolled = 1";
}

/// The board whose a MAC address is, and whether an operator has said so.
pub fn owner(snapshot: &Snapshot<'_>, mac: Mac) -> Result<Option<(BoardName, bool)>> {
    snapshot
        .first(OWNER, [mac.to_string()], |row| Ok((parsed(row, "board")?, row.get("enrolled")?)))
}

/// A board was seen with a MAC address that is its own, or nobody's yet.
pub(super) fn seen(
    transaction: &Transaction<'_>,
    mac: Mac,
    board: &BoardName,
    poll_ms: Option<i64>,
    is_an_intercoms: bool,
    now_ms: i64,
) -> Result<()> {
    let is_new = owner(transaction, mac)?.is_none();
    if is_new && !is_an_intercoms && spares(transaction)? >= MAX_SPARES {
        let forgotten =
            transaction.all(FORGET, [now_ms.saturating_sub(FORGOTTEN_AFTER_MS)], |row| {
                parsed(row, "mac")
            })?;
        are_no_spares(transaction, forgotten);
        if spares(transaction)? >= MAX_SPARES {
            return Ok(());
        }
    }
    transaction.execute(SEEN, params![mac.to_string(), board.as_str(), poll_ms, now_ms])?;
    Ok(())
}

/// A board that nobody asked to take this MAC address, which it has now, gives back all but the newest
/// that it was the first with. Returns how many.
pub fn give_back(transaction: &Transaction<'_>, mac: Mac, board: &BoardName) -> Result<usize> {
    let params = params![board.as_str(), mac.to_string(), MAX_CLAIMS];
    let older: Vec<Mac> = transaction.all(GIVEN_BACK, params, |row| parsed(row, "mac"))?;
    for mac in &older {
        transaction.execute(GIVE_BACK, [mac.to_string()])?;
        boards::is_free(transaction, *mac, board)?;
    }
    Ok(older.len())
}

/// A board was there with its MAC address until then.
pub(super) fn seen_until(
    transaction: &Transaction<'_>,
    mac: Mac,
    board: &BoardName,
    until_ms: i64,
) -> Result<()> {
    transaction.execute(SEEN_UNTIL, params![mac.to_string(), board.as_str(), until_ms])?;
    Ok(())
}

/// When the board whose a MAC address is was last seen with it, Unix time in milliseconds.
pub fn seen_ms(snapshot: &Snapshot<'_>, mac: Mac) -> Result<Option<i64>> {
    snapshot.first(SEEN_MS, [mac.to_string()], |row| row.get("seen_ms"))
}

fn spares(snapshot: &Snapshot<'_>) -> Result<i64> {
    snapshot.one(SPARES, (), |row| row.get(0))
}

/// A door's board has this MAC address now, whoever was seen with it before.
pub(super) fn give(
    transaction: &Transaction<'_>,
    mac: Mac,
    board: &BoardName,
    now_ms: i64,
) -> Result<()> {
    transaction.execute(GIVE, params![mac.to_string(), board.as_str(), now_ms])?;
    boards::believe(transaction, mac, board)
}

/// A board is a door's: none of its MAC addresses is a spare's any more.
pub(super) fn is_of_a_door(transaction: &Transaction<'_>, board: &BoardName) -> Result<()> {
    let own = transaction.all(IS_OF_A_DOOR, [board.as_str()], |row| parsed(row, "mac"))?;
    are_no_spares(transaction, own);
    Ok(())
}

/// Requests for these MAC addresses do not wait for a spare any more.
fn are_no_spares(transaction: &Transaction<'_>, macs: Vec<Mac>) {
    macs.into_iter().for_each(|mac| transaction.changed(Changed::Mac(mac)));
}

/// An operator says whose a MAC address is.
pub fn enrol(
    transaction: &Transaction<'_>,
    mac: Mac,
    board: &BoardName,
    now_ms: i64,
) -> Result<()> {
    transaction.execute(ENROL, params![mac.to_string(), board.as_str(), now_ms])?;
    boards::believe(transaction, mac, board)
}
