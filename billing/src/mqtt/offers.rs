//! The retained messages that should be on the broker, against those that are.
//!
//! Only the requests that something has changed for are looked at, so the cost of a change does not
//! depend on how many requests are pending.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Result;
use intercom_wire::{Mac, RequestBody, RequestId, topics};

use crate::clock::now_ms;
use crate::offer::{Rule, UNTIL_FURTHER_NOTICE};
use crate::operations::Billing;
use crate::store::pending::{self, Pending};
use crate::store::{self, Changed, Transaction, offers};

/// What must be on the broker for some requests.
#[derive(Default)]
pub(super) struct Plan {
    /// The payload for each topic.
    wanted: BTreeMap<String, Vec<u8>>,
    /// The topics that have a message, or may have one, and must be cleared.
    obsolete: BTreeSet<String>,
    /// The requests that are offered to more boards later, and when, Unix time in milliseconds.
    pub(super) due: Vec<(i64, RequestId)>,
}

/// What must be on the broker for one pending request.
struct Offer {
    request: RequestBody,
    topics: BTreeSet<String>,
}

/// Reads from the database what must be on the broker for the requests that these changes affect.
/// The topics are recorded before this returns.
pub(super) async fn plan(billing: &Billing, changed: BTreeSet<Changed>) -> Result<Plan> {
    let rule = billing.rule;
    let (mut plan, offers) =
        billing.store.write(move |transaction| record(transaction, rule, &changed)).await?;
    for Offer { request, topics } in offers {
        let payload = billing.payload(&request)?;
        plan.wanted.extend(topics.into_iter().map(|topic| (topic, payload.clone())));
    }
    Ok(plan)
}

fn record(
    transaction: &Transaction<'_>,
    rule: Rule,
    changed: &BTreeSet<Changed>,
) -> store::Result<(Plan, Vec<Offer>)> {
    let (mut plan, mut wanted) = (Plan::default(), Vec::new());
    let mut affected = BTreeSet::new();
    for changed in changed {
        affected.extend(pending::affected_by(transaction, changed)?);
    }
    let now = now_ms();
    for request_id in affected {
        let recorded = offers::of_request(transaction, &request_id)?;
        let mut topics = BTreeSet::new();
        if let Some(request) = pending::by_id(transaction, &request_id)? {
            for mac in rule.offered_to(&request.waiting, now) {
                topics.extend(topics_for(&request, mac));
            }
            let turn = rule.named_board_is_offered_from(&request.waiting);
            if turn > now && turn != UNTIL_FURTHER_NOTICE {
                plan.due.push((turn, request_id.clone()));
            }
            wanted.push(Offer { request: request.body, topics: topics.clone() });
        }
        for topic in topics.difference(&recorded) {
            offers::add(transaction, topic, &request_id)?;
        }
        plan.obsolete.extend(recorded.difference(&topics).cloned());
    }
    Ok((plan, wanted))
}

fn topics_for(pending: &Pending, mac: Mac) -> Vec<String> {
    let request_id: &RequestId = &pending.body.request_id;
    let board = if mac == pending.waiting.confirmed_mac {
        &pending.named_board
    } else {
        &pending.replacing_board
    };
    let by_board = board.as_ref().map(|board| topics::patch_by_board(board, request_id));
    [topics::patch(mac, request_id)].into_iter().chain(by_board).collect()
}

/// One message to publish, retained; an empty payload clears the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
}

/// What has been published over one connection.
#[derive(Default)]
pub(super) struct Published {
    /// The newest payload for each topic, until its clearing was acknowledged.
    last: BTreeMap<String, Vec<u8>>,
    /// What is still to be published, in order.
    pub(super) queue: VecDeque<Message>,
}

impl Published {
    /// Queues whatever differs from the plan.
    pub(super) fn set_plan(&mut self, plan: Plan) {
        let cleared = plan.obsolete.into_iter().map(|topic| (topic, Vec::new()));
        for (topic, payload) in plan.wanted.into_iter().chain(cleared) {
            if self.last.get(&topic) != Some(&payload) {
                self.last.insert(topic.clone(), payload.clone());
                self.queue.push_back(Message { topic, payload });
            }
        }
    }

    /// Whether an acknowledged message has cleared its topic for good.
    pub(super) fn has_cleared(&mut self, message: &Message) -> bool {
        let cleared =
            message.payload.is_empty() && self.last.get(&message.topic).is_some_and(Vec::is_empty);
        if cleared {
            self.last.remove(&message.topic);
        }
        cleared
    }
}

#[cfg(test)]
mod tests;
