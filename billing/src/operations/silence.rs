//! A board that is there and leaves a request without an answer.

use intercom_wire::{BoardName, Outcome, RequestId};

use super::{Refusal, find, swap};
use crate::offer::ANSWER_MS;
use crate::replacement::State;
use crate::store::intercoms::{self, Name, RecordState};
use crate::store::offers::Offered;
use crate::store::{Snapshot, Transaction, boards, offers, requests};

/// The reason of a request that ends so.
const NO_ANSWER: &str = "no answer";

/// What a board's silence means for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It has ended the request.
    Ended,
    /// It ends the request at that time, Unix time in milliseconds, if the board stays.
    EndsAt(i64),
    /// Nothing yet: the board is not there, or has not been offered it.
    Nothing,
}

/// Ends a pending request if the board that is offered it has been there for too long without an
/// answer.
pub fn end_if_unanswered(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    board: &BoardName,
    now_ms: i64,
) -> Result<Silence, Refusal> {
    let Some(offered) = offers::to_board(transaction, request_id, board)? else {
        return Ok(Silence::Nothing);
    };
    let Some(until_ms) = answers_until(transaction, board, offered, now_ms)? else {
        return Ok(Silence::Nothing);
    };
    if now_ms < until_ms {
        return Ok(Silence::EndsAt(until_ms));
    }
    let Some((intercom_id, _)) = requests::by_id(transaction, request_id)? else {
        return Ok(Silence::Nothing);
    };
    let record = find(transaction, &Name::Id(intercom_id))?;
    let ended = State::Ended { outcome: Outcome::Rejected, board: None };
    requests::end(transaction, request_id, &ended, Some(NO_ANSWER), now_ms)?;
    intercoms::set_state(
        transaction,
        intercom_id,
        &RecordState {
            confirmed: &record.confirmed,
            desired: &record.confirmed,
            status: Outcome::Rejected.as_str(),
            source: record.shown.source.as_deref().unwrap_or_default(),
        },
    )?;
    swap::end_other(transaction, request_id)?;
    tracing::warn!("request {request_id}: board {board} has given no answer");
    Ok(Silence::Ended)
}

/// Until when a board that is there has to answer, Unix time in milliseconds; `None` if it is not
/// there.
pub(super) fn answers_until(
    snapshot: &Snapshot<'_>,
    board: &BoardName,
    offered: Offered,
    now_ms: i64,
) -> Result<Option<i64>, Refusal> {
    let since_ms = boards::there_since(snapshot, board, now_ms)?;
    Ok(since_ms.map(|since_ms| {
        let waits_since = offered.offered_ms.max(offered.deferred_until_ms).max(since_ms);
        waits_since.saturating_add(ANSWER_MS)
    }))
}
