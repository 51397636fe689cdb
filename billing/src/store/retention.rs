//! How long ended requests are kept, and the end of those that are older.
//!
//! Kept for ever are the newest request of each intercom, which says how it stands with that, and those
//! that were installed: they say which hardware was there.

use intercom_wire::RequestId;

use super::column::parsed;
use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction};

/// How many requests are looked at in one transaction: other writes wait for each.
const BATCH: i64 = 500;

/// Up to where requests were looked at, in the order of their ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    ended_ms: i64,
    number: i64,
}

statements! {
    DAYS = "SELECT ended_requests_days FROM service";
    SET_DAYS = "UPDATE service SET ended_requests_days = ?1";
    ENDED = "
        SELECT number, ended_ms, request_id,
            EXISTS (SELECT 1 FROM requests n
                WHERE n.intercom_id = r.intercom_id AND n.number > r.number) AS is_followed
        FROM requests r
        WHERE state NOT IN ('pending', 'installed') AND ended_ms < ?3
            AND (ended_ms, number) > (?1, ?2)
        ORDER BY ended_ms, number LIMIT ?4";
    DELETE_OFFERS = "DELETE FROM offers WHERE request_id = ?1";
    DELETE = "DELETE FROM requests WHERE number = ?1";
}

/// For how many days ended requests are kept.
pub fn days(snapshot: &Snapshot<'_>) -> Result<i64> {
    snapshot.one(DAYS, (), |row| row.get(0))
}

/// Sets it.
pub fn set_days(transaction: &Transaction<'_>, days: i64) -> Result<()> {
    transaction.execute(SET_DAYS, [days])?;
    Ok(())
}

/// Deletes the requests that ended before this time, beginning after the mark; a batch of them. Returns
/// how far it has come, or `None` where that was the last batch.
pub fn delete_ended(
    transaction: &Transaction<'_>,
    after: Mark,
    before_ms: i64,
) -> Result<Option<Mark>> {
    let Mark { ended_ms, number } = after;
    let ended = transaction.all(ENDED, params![ended_ms, number, before_ms, BATCH], |row| {
        let mark = Mark { ended_ms: row.get("ended_ms")?, number: row.get("number")? };
        let request_id: RequestId = parsed(row, "request_id")?;
        Ok((mark, request_id, row.get::<_, bool>("is_followed")?))
    })?;
    for (mark, request_id, is_followed) in &ended {
        if *is_followed {
            transaction.execute(DELETE_OFFERS, [request_id.as_str()])?;
            transaction.execute(DELETE, [mark.number])?;
        }
    }
    let last = ended.last().map(|(mark, ..)| *mark);
    Ok(last.filter(|_| ended.len() as i64 == BATCH))
}
