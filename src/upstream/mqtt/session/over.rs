//! The requests that are over on one connection. What answers a presence of before is worth nothing
//! any more: somebody has kept it and brings it back. An issuer that offers one again does so in answer
//! to a later presence.

use std::collections::VecDeque;

use intercom_wire::RequestId;

/// How many are remembered one by one.
const MOST: usize = 64;

/// Which presences count for which request. Those of a connection are numbered in their order.
#[derive(Debug, Default)]
pub(super) struct OverRequests {
    /// Each with the presence that was the last one when it was over, oldest first.
    requests: VecDeque<(RequestId, u64)>,
    /// The same for all requests, in place of those that are not remembered any more.
    all: u64,
    /// A request has come that needs a later presence than the last one.
    wants_presence: bool,
}

impl OverRequests {
    /// A request is over. `last` is the number of the last presence.
    pub(super) fn add(&mut self, request_id: RequestId, last: u64) {
        self.requests.retain(|(over, _)| *over != request_id);
        self.requests.push_back((request_id, last));
        if self.requests.len() > MOST
            && let Some((_, last)) = self.requests.pop_front()
        {
            self.all = last;
        }
    }

    /// Whether a request counts that answers the presence of this number.
    pub(super) fn counts(&mut self, request_id: Option<&RequestId>, presence: u64) -> bool {
        let own = self.requests.iter().find(|(over, _)| Some(over) == request_id);
        let counts = presence > own.map_or(self.all, |(_, last)| *last);
        self.wants_presence |= !counts;
        counts
    }

    /// Whether the next presence is to be a new one; once.
    pub(super) fn take_wants_presence(&mut self) -> bool {
        std::mem::take(&mut self.wants_presence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> RequestId {
        format!("r-{number}").parse().expect("an ID")
    }

    #[test]
    fn what_is_over_counts_again_in_answer_to_a_later_presence() {
        let mut over = OverRequests::default();
        assert!(over.counts(Some(&id(1)), 1) && !over.take_wants_presence());
        over.add(id(1), 2);
        assert!(!over.counts(Some(&id(1)), 1) && !over.counts(Some(&id(1)), 2));
        assert!(over.take_wants_presence() && !over.take_wants_presence());
        assert!(over.counts(Some(&id(1)), 3));
        assert!(over.counts(Some(&id(2)), 1) && over.counts(None, 1), "another one");
        over.add(id(1), 3);
        assert!(!over.counts(Some(&id(1)), 3));
    }

    #[test]
    fn what_is_not_remembered_any_more_does_not_count_again_either() {
        let mut over = OverRequests::default();
        over.add(id(0), 1);
        (1..=MOST).for_each(|number| over.add(id(number), 2));
        assert_eq!(over.requests.len(), MOST);
        assert!(!over.counts(Some(&id(0)), 1));
        assert!(over.counts(Some(&id(0)), 2) && over.counts(Some(&id(MOST + 1)), 2));
    }
}
