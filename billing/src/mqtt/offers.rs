//! The retained messages that there should be, against those that there are.

use std::collections::{BTreeMap, VecDeque};

use anyhow::Result;
use intercom_wire::{Mac, RequestId, topics};

use crate::clock::now_ms;
use crate::operations::Billing;
use crate::store::offers;
use crate::store::pending::{self, Pending};

/// What must be on the broker now.
pub(super) struct Plan {
    /// The payload for each topic.
    wanted: BTreeMap<String, Vec<u8>>,
    /// What is still there, or may be, and must go.
    obsolete: Vec<String>,
    /// When somebody more may hear of a request, Unix time in milliseconds.
    pub(super) next_ms: Option<i64>,
}

/// Reads from the database what must be on the broker, and writes down the topics that will be.
pub(super) async fn plan(billing: &Billing) -> Result<Plan> {
    let (rule, signer) = (billing.rule, billing.clone());
    billing
        .store
        .run(move |tx| {
            let now = now_ms();
            let written_down = offers::all(tx)?;
            let mut plan = Plan { wanted: BTreeMap::new(), obsolete: Vec::new(), next_ms: None };
            for request in pending::all(tx)? {
                let payload = signer.payload(&request.body)?;
                for mac in rule.hearers(&request.waiting, now) {
                    for topic in topics_for(&request, mac) {
                        if !written_down.contains_key(&topic) {
                            offers::add(tx, &topic, &request.body.request_id)?;
                        }
                        plan.wanted.insert(topic, payload.clone());
                    }
                }
                let turn = rule.named_board_hears_from(&request.waiting);
                if turn > now {
                    plan.next_ms = Some(plan.next_ms.map_or(turn, |next: i64| next.min(turn)));
                }
            }
            plan.obsolete =
                written_down.into_keys().filter(|topic| !plan.wanted.contains_key(topic)).collect();
            Ok::<_, anyhow::Error>(plan)
        })
        .await
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

/// What has been handed to the broker over one connection.
#[derive(Default)]
pub(super) struct Published {
    last: BTreeMap<String, Vec<u8>>,
    /// What is still to be handed over, in order.
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
mod tests {
    use super::*;

    fn plan(wanted: &[(&str, &str)], obsolete: &[&str]) -> Plan {
        Plan {
            wanted: wanted
                .iter()
                .map(|(topic, payload)| ((*topic).to_owned(), payload.as_bytes().to_vec()))
                .collect(),
            obsolete: obsolete.iter().map(|topic| (*topic).to_owned()).collect(),
            next_ms: None,
        }
    }

    fn queued(published: &mut Published) -> Vec<(String, String)> {
        let text = |payload: Vec<u8>| String::from_utf8(payload).expect("text");
        published.queue.drain(..).map(|m| (m.topic, text(m.payload))).collect()
    }

    #[test]
    fn only_what_differs_is_published() {
        let mut published = Published::default();
        published.set_plan(plan(&[("a", "1")], &["left over"]));
        assert_eq!(
            queued(&mut published),
            [("a".into(), "1".into()), ("left over".into(), String::new())]
        );
        published.set_plan(plan(&[("a", "1")], &["left over"]));
        assert_eq!(queued(&mut published), []);
        published.set_plan(plan(&[("a", "2")], &[]));
        assert_eq!(queued(&mut published), [("a".into(), "2".into())]);
    }

    #[test]
    fn a_topic_that_is_wanted_again_before_its_clearing_was_acknowledged_stays_written_down() {
        let mut published = Published::default();
        let clearing = Message { topic: "a".into(), payload: Vec::new() };
        published.set_plan(plan(&[], &["a"]));
        published.set_plan(plan(&[("a", "1")], &[]));
        assert!(!published.has_cleared(&clearing));
        published.set_plan(plan(&[], &["a"]));
        assert!(published.has_cleared(&clearing));
    }
}
