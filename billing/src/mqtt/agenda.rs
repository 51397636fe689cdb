//! What offers are still to be planned for, now and later.

use std::collections::BTreeSet;
use std::time::Duration;

use intercom_wire::RequestId;

use crate::store::Changed;

/// Upper bound on the changes that are planned for in one transaction: thousands of requests are
/// planned after a connect, and other writes wait for each transaction.
const BATCH: usize = 100;

#[derive(Default)]
pub(super) struct Agenda {
    changed: BTreeSet<Changed>,
    /// When a request is offered to more boards, Unix time in milliseconds. An entry that is out of
    /// date costs one plan that changes nothing.
    due: BTreeSet<(i64, RequestId)>,
}

impl Agenda {
    pub(super) fn add(&mut self, changed: impl IntoIterator<Item = Changed>) {
        self.changed.extend(changed);
    }

    /// A request is planned for again at that time.
    pub(super) fn add_later(&mut self, at_ms: i64, request_id: RequestId) {
        self.due.insert((at_ms, request_id));
    }

    /// How long until the next request is due.
    pub(super) fn wait(&self, now_ms: i64) -> Option<Duration> {
        let (due_ms, _) = self.due.first()?;
        Some(Duration::from_millis(u64::try_from(due_ms.saturating_sub(now_ms)).unwrap_or(0)))
    }

    /// Moves what is due to what is planned for now.
    pub(super) fn take_due(&mut self, now_ms: i64) {
        while self.due.first().is_some_and(|(due_ms, _)| *due_ms <= now_ms) {
            let due = self.due.pop_first();
            self.changed.extend(due.map(|(_, request_id)| Changed::Request(request_id)));
        }
    }

    /// Whether there is anything to plan for now.
    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// What is planned for next.
    pub(super) fn next_batch(&mut self) -> BTreeSet<Changed> {
        std::iter::from_fn(|| self.changed.pop_first()).take(BATCH).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str) -> RequestId {
        name.parse().expect("an ID")
    }

    #[test]
    fn a_batch_is_bounded_and_nothing_is_lost() {
        let mut agenda = Agenda::default();
        agenda.add((0..250).map(Changed::Intercom));
        let mut planned = Vec::new();
        let mut sizes = Vec::new();
        while !agenda.is_empty() {
            let batch = agenda.next_batch();
            sizes.push(batch.len());
            planned.extend(batch);
        }
        assert_eq!(sizes, [100, 100, 50]);
        assert_eq!(planned, Vec::from_iter((0..250).map(Changed::Intercom)));
    }

    #[test]
    fn a_request_is_planned_for_when_it_is_due_and_not_before() {
        let mut agenda = Agenda::default();
        assert_eq!(agenda.wait(0), None);
        agenda.add_later(2_000, request("later"));
        agenda.add_later(1_000, request("soon"));
        assert_eq!(agenda.wait(400), Some(Duration::from_millis(600)));
        assert_eq!(agenda.wait(1_400), Some(Duration::ZERO), "overdue");
        agenda.take_due(999);
        assert!(agenda.is_empty());
        agenda.take_due(1_000);
        assert_eq!(Vec::from_iter(agenda.next_batch()), [Changed::Request(request("soon"))]);
        assert_eq!(agenda.wait(1_000), Some(Duration::from_millis(1_000)));
    }
}
