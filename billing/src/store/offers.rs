//! Which boards a request was offered to. Only their reports on it count, also when the offer has
//! been struck out or the request has ended.

use std::collections::BTreeSet;

use intercom_wire::{BoardName, RequestId};

use super::column::parsed;
use super::counters::Counted;
use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction};

/// When a board was offered a request, and when it answered last. Unix times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// When it was offered.
    pub offered_ms: i64,
    /// Until when its last answer holds: it has deferred the request until then.
    pub deferred_until_ms: i64,
}

statements! {
    /// What a new connection to the broker begins with. UNION ALL, since to leave doubles out
    /// SQLite reads every request in the order of the IDs.
    EVERY_OPEN_REQUEST = "
        SELECT request_id FROM requests WHERE state = 'pending'
        UNION ALL SELECT request_id FROM offers WHERE is_open = 1";
    OPEN = "SELECT board FROM offers WHERE request_id = ?1 AND is_open = 1";
    TO_A_BOARD = "
        SELECT offered_ms, deferred_until_ms FROM offers WHERE request_id = ?1 AND board = ?2";
    OFFER = "
        INSERT INTO offers (request_id, board, offered_ms, deferred_until_ms, is_open)
        VALUES (?1, ?2, ?3, 0, 1)
        ON CONFLICT (request_id, board) DO UPDATE SET
            offered_ms = excluded.offered_ms, is_open = 1
        WHERE offers.is_open = 0";
    STRIKE_OUT = "UPDATE offers SET is_open = 0 WHERE request_id = ?1 AND board = ?2";
    DEFER = "
        UPDATE offers SET deferred_until_ms = ?3, deferred_reason = ?4
        WHERE request_id = ?1 AND board = ?2";
    DEFERRED = "
        SELECT deferred_until_ms, deferred_reason FROM offers
        WHERE request_id = ?1 AND board = ?2 AND deferred_until_ms > ?3";
    ISSUER = "SELECT issuer FROM service";
    CLIENT_ID = "SELECT client_id FROM service";
}

/// Every request that is pending, or that a board is still offered.
pub fn every_open_request(snapshot: &Snapshot<'_>) -> Result<BTreeSet<RequestId>> {
    let all = snapshot.all(EVERY_OPEN_REQUEST, (), |row| parsed(row, "request_id"))?;
    Ok(all.into_iter().collect())
}

/// The boards that are offered a request now.
pub fn open(snapshot: &Snapshot<'_>, request_id: &RequestId) -> Result<BTreeSet<BoardName>> {
    let boards = snapshot.all(OPEN, [request_id.as_str()], |row| parsed(row, "board"))?;
    Ok(boards.into_iter().collect())
}

/// When a board was offered a request; `None` if it never was.
pub fn to_board(
    snapshot: &Snapshot<'_>,
    request_id: &RequestId,
    board: &BoardName,
) -> Result<Option<Offered>> {
    let params = [request_id.as_str(), board.as_str()];
    snapshot.first(TO_A_BOARD, params, |row| {
        Ok(Offered {
            offered_ms: row.get("offered_ms")?,
            deferred_until_ms: row.get("deferred_until_ms")?,
        })
    })
}

/// A board is offered a request from now on.
pub fn add(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    board: &BoardName,
    now_ms: i64,
) -> Result<()> {
    let params = params![request_id.as_str(), board.as_str(), now_ms];
    if transaction.execute(OFFER, params)? > 0 {
        transaction.count(Counted::Offered);
    }
    Ok(())
}

/// A board is not offered a request any more. What it has begun counts.
pub fn strike_out(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    board: &BoardName,
) -> Result<()> {
    transaction.execute(STRIKE_OUT, [request_id.as_str(), board.as_str()])?;
    Ok(())
}

/// A board has deferred its decision.
pub fn defer(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    board: &BoardName,
    until_ms: i64,
    reason: Option<&str>,
) -> Result<()> {
    transaction.execute(DEFER, params![request_id.as_str(), board.as_str(), until_ms, reason])?;
    Ok(())
}

/// Until when a board has deferred its decision, and why, if that is to come.
pub fn deferred(
    snapshot: &Snapshot<'_>,
    request_id: &RequestId,
    board: &BoardName,
    now_ms: i64,
) -> Result<Option<(i64, Option<String>)>> {
    let params = params![request_id.as_str(), board.as_str(), now_ms];
    snapshot.first(DEFERRED, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The issuer of this database's requests: stable, and different from any other's.
pub fn issuer(snapshot: &Snapshot<'_>) -> Result<String> {
    snapshot.one(ISSUER, (), |row| row.get(0))
}

/// The client ID of this database at a broker: stable, since the broker keeps a session for it, and
/// told to nobody but the broker.
pub fn client_id(snapshot: &Snapshot<'_>) -> Result<String> {
    snapshot.one(CLIENT_ID, (), |row| row.get(0))
}
