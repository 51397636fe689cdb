//! What has to be said to the boards on the broker, against what was said over this connection.
//!
//! Nothing is retained: a board that connects says so, and is answered. Only the requests that
//! something has changed for are looked at, so the cost of a change does not depend on how many
//! requests are pending.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use intercom_wire::topics::{self, ToPanel};
use intercom_wire::{BoardName, RequestBody, RequestId};

use super::silence::Awaited;
use crate::offer::{ANSWERS_WITHIN_MS, ASKED_EVERY_MS, Rule, Turn, UNTIL_FURTHER_NOTICE, Waiting};
use crate::operations::{Billing, Refusal, Silence, end_if_unanswered, expire};
use crate::store::{Changed, Transaction, boards, macs, offers, pending};

/// How often a panel tells that a request is still deferred, in milliseconds.
const DEFERRED_TOLD_EVERY_MS: i64 = 600_000;

/// What has to be said for some requests.
#[derive(Default)]
pub(super) struct Plan {
    /// The payload for each topic of a request.
    wanted: BTreeMap<String, Vec<u8>>,
    /// The topics of requests that a board was offered and is not any more.
    over: BTreeSet<String>,
    /// The boards that have not shown themselves, and that a request waits for.
    ask: BTreeSet<BoardName>,
    /// The boards that keep a request waiting, and may have gone.
    ask_again: BTreeSet<BoardName>,
    /// Each request that was planned for, and the board that it waits for.
    pub(super) awaited: BTreeMap<RequestId, Option<Awaited>>,
    /// The requests that are planned for again, and when, Unix time in milliseconds.
    pub(super) due: Vec<(i64, RequestId)>,
}

/// A request for one board.
struct Offer {
    board: BoardName,
    request: RequestBody,
}

/// Reads from the database what has to be said for the requests that these changes affect. Who is
/// offered one is recorded before this returns.
pub(super) async fn plan(billing: &Billing, changed: BTreeSet<Changed>) -> Result<Plan, Refusal> {
    let rule = billing.rule();
    let (mut plan, offers) =
        billing.store.write(move |transaction| record(transaction, rule, &changed)).await?;
    for Offer { board, request } in offers {
        let payload = billing.payload(&request)?;
        plan.wanted.insert(topics::patch_by_board(&board, &request.request_id), payload);
    }
    Ok(plan)
}

fn record(
    transaction: &Transaction<'_>,
    rule: Rule,
    changed: &BTreeSet<Changed>,
) -> Result<(Plan, Vec<Offer>), Refusal> {
    let (mut plan, mut wanted) = (Plan::default(), Vec::new());
    let mut affected = BTreeSet::new();
    for changed in changed {
        affected.extend(pending::affected_by(transaction, changed)?);
    }
    for request_id in affected {
        wanted.extend(record_one(transaction, rule, &request_id, &mut plan)?);
    }
    Ok((plan, wanted))
}

fn record_one(
    transaction: &Transaction<'_>,
    rule: Rule,
    request_id: &RequestId,
    plan: &mut Plan,
) -> Result<Option<Offer>, Refusal> {
    let now = transaction.now_ms();
    plan.awaited.insert(request_id.clone(), None);
    let mut pending = pending::by_id(transaction, request_id)?;
    if pending.as_ref().is_some_and(|pending| pending.waiting.schedule.is_over(now)) {
        expire(transaction, request_id)?;
        pending = None;
    }
    let turn = pending.as_ref().map(|pending| rule.turn(&pending.waiting, now));
    let open = offers::open(transaction, request_id)?;
    // Where no board is known for a door, one that polls with its ID may have been offered it.
    let by_id = turn == Some(Turn::Door(None));
    let whose = turn.as_ref().and_then(Turn::board);
    for board in open.iter().filter(|board| !by_id && Some(*board) != whose) {
        offers::strike_out(transaction, request_id, board)?;
        if boards::nonce(transaction, board)?.is_some() {
            plan.over.insert(topics::patch_by_board(board, request_id));
        }
    }
    let Some(pending) = pending else { return Ok(None) };
    let next = rule.next_turn(&pending.waiting, now);
    plan.due.extend(next.map(|at_ms| (at_ms, request_id.clone())));
    if let Some(Turn::Conflict(board)) = &turn {
        let next = ask_again(transaction, board, now, plan)?;
        plan.due.extend(next.map(|at_ms| (at_ms, request_id.clone())));
    }
    let Some(board) = whose else {
        let missed = match &turn {
            Some(turn) => missed(transaction, turn, &pending.waiting, now)?,
            None => None,
        };
        let at_once = matches!(turn, Some(Turn::Grace(_)));
        let awaited = missed.map(|board| Awaited { board, heard_ms: 0, at_once });
        plan.awaited.insert(request_id.clone(), awaited);
        return Ok(None);
    };
    let heard_ms = heard_ms(transaction, request_id, board, now)?;
    let awaited = Awaited { board: board.clone(), heard_ms, at_once: false };
    plan.awaited.insert(request_id.clone(), Some(awaited));
    // It says so when its change has ended, and is answered then.
    let nonce = match boards::is_changing(transaction, board)? {
        true => return Ok(None),
        false => boards::nonce(transaction, board)?,
    };
    match nonce.is_some() {
        true => offers::add(transaction, request_id, board, now)?,
        false => drop(plan.ask.insert(board.clone())),
    }
    match end_if_unanswered(transaction, request_id, board, now)? {
        Silence::Ended => {
            plan.awaited.insert(request_id.clone(), None);
            return Ok(None);
        }
        Silence::EndsAt(at_ms) => plan.due.push((at_ms, request_id.clone())),
        Silence::Nothing => {}
    }
    Ok(nonce.map(|nonce| Offer {
        board: board.clone(),
        request: RequestBody { nonce: Some(nonce), ..pending.body },
    }))
}

/// The board that a request at nobody's turn waits for, or would: it may be there, and what it said is lost.
fn missed(
    transaction: &Transaction<'_>,
    turn: &Turn,
    waiting: &Waiting,
    now_ms: i64,
) -> Result<Option<BoardName>, Refusal> {
    let owner = || {
        let owner = waiting.new_mac.map(|mac| macs::owner(transaction, mac)).transpose()?;
        Ok::<_, Refusal>(owner.flatten().map(|(board, _)| board))
    };
    Ok(match turn {
        Turn::Spare => owner()?,
        // The door's board may have had it before.
        Turn::Grace(_) | Turn::Quiet(_) => {
            owner()?.filter(|board| waiting.door.as_ref() != Some(board))
        }
        Turn::Exchanged(board) => board.clone(),
        // It is asked whether it is still there, and counts as gone without an answer.
        Turn::Conflict(board) => {
            let presence = boards::presence(transaction, board)?;
            let until_ms = presence.map_or(0, |presence| presence.until_ms);
            let is_asked = until_ms > now_ms && until_ms != UNTIL_FURTHER_NOTICE;
            // Who polls is asked in vain.
            (is_asked && boards::nonce(transaction, board)?.is_some()).then(|| board.clone())
        }
        Turn::Replacement(_)
        | Turn::Door(_)
        | Turn::Twins(_)
        | Turn::OtherHalf
        | Turn::NotBefore(_)
        | Turn::Expired => None,
    })
}

/// Asks a board that keeps a request waiting whether it is still there, now and then. Nobody has to
/// answer but that board, so what is said does not depend on how many there are. Returns when the
/// request is to be looked at again, if that depends on it.
fn ask_again(
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

/// When a board was heard last about a request, or has shown itself: it is offered the request from then on.
/// What it has deferred it tells about now and then.
fn heard_ms(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    board: &BoardName,
    now_ms: i64,
) -> Result<i64, Refusal> {
    let deferred_ms = offers::to_board(transaction, request_id, board)?
        .map(|offered| offered.deferred_until_ms)
        .filter(|until_ms| *until_ms > 0)
        .map(|until_ms| until_ms.saturating_add(DEFERRED_TOLD_EVERY_MS));
    let there_ms = boards::there_since(transaction, board, now_ms)?;
    Ok(deferred_ms.max(there_ms).unwrap_or(0))
}

/// One message to publish. It is not retained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// What has been said over one connection.
#[derive(Default)]
pub(super) struct Said {
    /// The newest payload for each topic, until it says that a request is over and that was
    /// acknowledged.
    last: BTreeMap<String, Vec<u8>>,
    /// What is still to be published, in order.
    pub(super) queue: VecDeque<Message>,
}

impl Said {
    /// Queues what the plan wants and was not said yet.
    pub(super) fn set_plan(&mut self, plan: Plan) {
        plan.ask_again.iter().for_each(|board| self.ask(board));
        let over = plan.over.into_iter().map(|topic| (topic, Vec::new()));
        let ask = plan.ask.iter().map(|board| (topics::who(board), Vec::new()));
        for (topic, payload) in plan.wanted.into_iter().chain(over).chain(ask) {
            if self.last.get(&topic) != Some(&payload) {
                self.say(topic, payload);
            }
        }
    }

    /// Everybody is to say who is there.
    pub(super) fn ask_everybody(&mut self) {
        self.say(topics::EVERYBODY_WHO.to_owned(), Vec::new());
    }

    /// A board is to say that it is there, whatever was said to it before.
    pub(super) fn ask(&mut self, board: &BoardName) {
        self.say(topics::who(board), Vec::new());
    }

    /// A report of a board has been read.
    pub(super) fn over(&mut self, board: &BoardName, request_id: &RequestId) {
        self.say(topics::patch_by_board(board, request_id), Vec::new());
    }

    /// A board shows itself anew, and has to be told everything again.
    pub(super) fn forget(&mut self, board: &BoardName) {
        let below = topics::BOARD_PATCH.replace("{board}", board.as_str()) + "/";
        let told = self.last.range(below.clone()..).map(|(topic, _)| topic);
        let told: Vec<String> =
            told.take_while(|topic| topic.starts_with(&below)).cloned().collect();
        for topic in told {
            self.last.remove(&topic);
        }
    }

    /// A message was acknowledged.
    pub(super) fn acknowledged(&mut self, message: &Message) {
        let is_last = self.last.get(&message.topic) == Some(&message.payload);
        if is_last && ToPanel::read(&message.topic).is_some() && message.payload.is_empty() {
            self.last.remove(&message.topic);
        }
    }

    fn say(&mut self, topic: String, payload: Vec<u8>) {
        self.last.insert(topic.clone(), payload.clone());
        self.queue.push_back(Message { topic, payload });
    }
}

#[cfg(test)]
mod tests;
