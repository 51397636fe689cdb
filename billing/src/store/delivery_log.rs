//! The log of deliveries: what each webhook was told or is to be told, and what the last attempt has
//! come to. It outlives the deliveries themselves, and has no bodies.

use serde::Serialize;

use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction, paging};

/// How many old entries are deleted in one transaction: other writes wait for each.
const BATCH: usize = 500;

/// One delivery, as people see it. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number.
    #[serde(skip)]
    pub number: i64,
    /// The type of the event.
    pub event: String,
    /// The intercom that it is about.
    pub intercom_id: Option<i64>,
    /// When it happened.
    pub at: String,
    /// How many attempts were made.
    pub attempts: i64,
    /// When the last one was made.
    pub attempted_at: Option<String>,
    /// The status that the receiver answered that one with.
    pub status: Option<u16>,
    /// Why that one failed.
    pub trouble: Option<String>,
    /// When the receiver took it.
    pub delivered_at: Option<String>,
    /// When the next attempt is made; `None`: it was delivered, or an earlier one of the same intercom
    /// waits.
    pub next_attempt_at: Option<String>,
}

/// What an attempt has come to.
pub struct Attempted<'a> {
    /// The status that the receiver answered with.
    pub status: Option<u16>,
    /// Why it failed; `None`: it did not.
    pub trouble: Option<&'a str>,
}

statements! {
    ADD = "
        INSERT INTO delivery_log (number, webhook, intercom_id, event, at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    ATTEMPTED = "
        UPDATE delivery_log SET attempts = attempts + 1, attempted_ms = ?2, status = ?3,
            trouble = ?4, delivered_ms = CASE WHEN CAST(?4 AS TEXT) IS NULL THEN CAST(?2 AS BIGINT) END
        WHERE number = ?1";
    PAGE = "
        SELECT l.number, l.event, l.intercom_id, l.attempts, l.status, l.trouble,
            rfc_3339(l.at_ms) AS at,
            rfc_3339(l.attempted_ms) AS attempted_at,
            rfc_3339(l.delivered_ms) AS delivered_at,
            (SELECT rfc_3339(CASE WHEN d.due_ms > w.rests_until_ms
                    THEN d.due_ms ELSE w.rests_until_ms END)
                FROM deliveries d JOIN webhooks w ON w.id = d.webhook
                WHERE d.number = l.number AND d.is_first = 1) AS next_attempt_at
        FROM delivery_log l
        WHERE l.webhook = ?1 AND l.number < ?2 ORDER BY l.number DESC LIMIT ?3";
    DELETE_OLD = "
        DELETE FROM delivery_log WHERE number IN (SELECT number FROM delivery_log l
            WHERE at_ms < ?1
                AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.number = l.number)
            ORDER BY at_ms LIMIT ?2)";
}

/// A delivery waits from now on.
pub(super) fn add(
    transaction: &Transaction<'_>,
    number: i64,
    webhook: i64,
    intercom_id: Option<i64>,
    event: &str,
) -> Result<()> {
    let at_ms = transaction.now_ms();
    transaction.execute(ADD, params![number, webhook, intercom_id, event, at_ms])?;
    Ok(())
}

/// An attempt was made.
pub fn attempted(transaction: &Transaction<'_>, number: i64, came: &Attempted<'_>) -> Result<()> {
    let Attempted { status, trouble } = came;
    transaction.execute(ATTEMPTED, params![number, transaction.now_ms(), status, trouble])?;
    Ok(())
}

/// The deliveries of a webhook below this number, the newest first; and from below which number the
/// next page goes on.
pub fn page(
    snapshot: &Snapshot<'_>,
    webhook: i64,
    before: Option<i64>,
    limit: usize,
) -> Result<(Vec<Entry>, Option<i64>)> {
    let (before, one_more) = (before.unwrap_or(i64::MAX), limit as i64 + 1);
    let read = snapshot.all(PAGE, params![webhook, before, one_more], |row| {
        Ok(Entry {
            number: row.get("number")?,
            event: row.get("event")?,
            intercom_id: row.get("intercom_id")?,
            at: row.get("at")?,
            attempts: row.get("attempts")?,
            attempted_at: row.get("attempted_at")?,
            status: row.get("status")?,
            trouble: row.get("trouble")?,
            delivered_at: row.get("delivered_at")?,
            next_attempt_at: row.get("next_attempt_at")?,
        })
    })?;
    Ok(paging::cut(read, |entry| entry.number, |_| true, false, limit))
}

/// Deletes the entries of what happened before this time and does not wait any more, those of removed
/// webhooks among them; a batch of it. Whether there may be more.
pub fn delete_old(transaction: &Transaction<'_>, before_ms: i64) -> Result<bool> {
    Ok(transaction.execute(DELETE_OLD, params![before_ms, BATCH as i64])? == BATCH)
}
