//! Which boards are asked by name whether they are there, and when: those that keep a request waiting.

use intercom_wire::{BoardName, RequestId};

use super::Plan;
use crate::offer::{ANSWERS_WITHIN_MS, ASKED_EVERY_MS, SILENT_MS};
use crate::operations::Refusal;
use crate::store::{Transaction, boards, offers};

/// Asks a board that must not have a request, and keeps it waiting, now and then. Nobody has to answer
/// but that board, so what is said does not depend on how many there are. Returns when the request is to
/// be looked at again, if that depends on it.
pub(super) fn ask_who_is_in_the_way(
    transaction: &Transaction<'_>,
    board: &BoardName,
    now_ms: i64,
    plan: &mut Plan,
) -> Result<Option<i64>, Refusal> {
    let asked_again_ms = boards::asked_ms(transaction, board)?.saturating_add(ASKED_EVERY_MS);
    if now_ms < asked_again_ms {
        return Ok(Some(asked_again_ms));
    }
    let until_ms = now_ms.saturating_add(ANSWERS_WITHIN_MS);
    let asks = boards::ask(transaction, board, now_ms, until_ms)?;
    plan.ask_again.extend(asks.then(|| board.clone()));
    Ok(asks.then_some(until_ms))
}

/// Since when nothing was heard of a board about a request whose turn it is: since it was asked for, the
/// board was offered it or has deferred it, or has shown itself. Unix time in milliseconds.
pub(super) fn silent_since(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    board: &BoardName,
    asked_ms: i64,
) -> Result<i64, Refusal> {
    let offered = offers::to_board(transaction, request_id, board)?;
    let answered_ms = offered.map(|offered| offered.offered_ms.max(offered.deferred_until_ms));
    let there_ms = boards::there_since(transaction, board, transaction.now_ms())?;
    Ok([answered_ms, there_ms].into_iter().flatten().fold(asked_ms, i64::max))
}

/// Asks a board that leaves a request without an answer after half a minute, and each time after twice
/// as long as before. A broker loses messages on a living connection too: the request, or the presence
/// that it would be the answer to. The board's presence brings the request again. Returns when it is asked
/// next, Unix time in milliseconds.
pub(super) fn ask_who_is_silent(
    transaction: &Transaction<'_>,
    board: &BoardName,
    silent_since_ms: i64,
    plan: &mut Plan,
) -> Result<i64, Refusal> {
    let now_ms = transaction.now_ms();
    let next_ms = |asked_ms: i64| {
        let silent_ms = asked_ms.saturating_sub(silent_since_ms);
        silent_since_ms.saturating_add(silent_ms.saturating_mul(2).max(SILENT_MS))
    };
    let due_ms = next_ms(boards::asked_ms(transaction, board)?);
    if now_ms < due_ms {
        return Ok(due_ms);
    }
    boards::set_asked(transaction, board, now_ms)?;
    plan.ask_again.insert(board.clone());
    Ok(next_ms(now_ms))
}
