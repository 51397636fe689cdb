//! What the metrics say about the present. Read at each look, so it must cost little.

use super::statement::statements;
use super::{Result, Snapshot};

/// The present in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The requests that are pending.
    pub pending: i64,
    /// How long the oldest of them waits, in milliseconds; 0 without any.
    pub oldest_pending_ms: i64,
    /// The boards that count as there.
    pub boards_online: i64,
}

statements! {
    /// A request with a lower number was asked for earlier, and the index has the number.
    PENDING = "
        SELECT p.pending, r.asked_ms AS oldest_ms
        FROM (SELECT count(*) AS pending, min(number) AS oldest FROM requests
            WHERE state = 'pending') p
        LEFT JOIN requests r ON r.number = p.oldest";
    BOARDS_ONLINE = "SELECT count(*) FROM boards WHERE present_until_ms > ?1";
}

/// Reads the figures.
pub fn read(snapshot: &Snapshot<'_>) -> Result<Figures> {
    let now_ms = snapshot.now_ms();
    let (pending, oldest_ms): (i64, Option<i64>) =
        snapshot.one(PENDING, (), |row| Ok((row.get("pending")?, row.get("oldest_ms")?)))?;
    Ok(Figures {
        pending,
        oldest_pending_ms: oldest_ms.map_or(0, |asked_ms| now_ms.saturating_sub(asked_ms).max(0)),
        boards_online: snapshot.one(BOARDS_ONLINE, [now_ms], |row| row.get(0))?,
    })
}
