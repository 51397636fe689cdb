//! A request that its panel takes for an older one than it has decided: it is asked for again.

use super::subject::Subject;
use crate::operations::{self, Refusal, next_seq};
use crate::replacement::State;
use crate::store::{Transaction, intercoms, requests, swaps};

/// How far above this database's own numbers a panel's mark may be, in seconds: those numbers begin
/// at the Unix time. A mark beyond it comes from somebody else's mistake, and is not followed.
const MARK_WITHIN_SECONDS: i64 = 366 * 24 * 3600;

/// The panel has decided a higher `seq`: the same is asked for again, above it. Not where the
/// mark is beyond what this database can have given, and not without end.
pub(super) fn ask_again(
    transaction: &Transaction<'_>,
    subject: &Subject,
    mark: u64,
) -> Result<bool, Refusal> {
    let is_pending = subject.newest.state == State::Pending
        && subject.newest.request_id == subject.reported.request_id;
    let bound = next_seq(transaction, subject.record.seq).saturating_add(MARK_WITHIN_SECONDS);
    let mark = i64::try_from(mark).unwrap_or(i64::MAX);
    if !is_pending
        || mark > bound
        || requests::are_many(transaction, subject.record.id, transaction.now_ms())?
    {
        return Ok(false);
    }
    let seq = next_seq(transaction, mark.max(subject.record.seq));
    let again = operations::fresh_request_id(transaction)?;
    let (now_ms, request_id) = (transaction.now_ms(), &subject.reported.request_id);
    requests::ask_again(transaction, request_id, &again, seq, now_ms)?;
    if let Some(half) = swaps::of(transaction, request_id)? {
        swaps::add(transaction, &again, half.with)?;
    }
    intercoms::set_seq(transaction, subject.record.id, seq)?;
    Ok(true)
}
