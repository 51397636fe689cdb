//! A panel's report until billing says that it has read it: what the broker has acknowledged may be
//! dropped there.

use std::time::Duration;

use intercom_agent::agent::seams::ReportId;
use intercom_wire::{Report, RequestId};
use tokio::time::Instant;

/// The first delay before a report is sent again, and the longest: those of the agent.
const FIRST_DELAY: Duration = Duration::from_secs(10);
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// The last report of a panel. In a run each panel is replaced at most once.
#[derive(Default)]
pub(super) struct Outbox {
    last: Option<Report>,
    /// How many reports there were; the last one's number.
    number: u64,
    is_unread: bool,
    delay: Duration,
    /// When it is sent again; `None` until the broker has acknowledged it.
    due: Option<Instant>,
}

impl Outbox {
    /// Another report.
    pub(super) fn add(&mut self, report: Report) {
        *self = Outbox {
            last: Some(report),
            number: self.number + 1,
            is_unread: true,
            delay: FIRST_DELAY,
            due: None,
        };
    }

    /// Whether the last report is about this request.
    pub(super) fn is_about(&self, request_id: &RequestId) -> bool {
        self.last.as_ref().is_some_and(|report| report.request_id.as_ref() == Some(request_id))
    }

    /// Billing asks for the last report once more.
    pub(super) fn ask_again(&mut self) {
        self.is_unread = self.last.is_some();
        self.due = None;
    }

    /// The report to send now.
    pub(super) fn unread(&self) -> Option<(ReportId, &Report)> {
        let report = self.last.as_ref().filter(|_| self.is_unread)?;
        Some((ReportId::Durable(self.number), report))
    }

    /// The broker has acknowledged a report.
    pub(super) fn published(&mut self, id: ReportId, now: Instant) {
        if self.is_unread && id == ReportId::Durable(self.number) {
            self.due = Some(now + self.delay);
            self.delay = (self.delay * 2).min(LONGEST_DELAY);
        }
    }

    /// Billing has read the report about this request.
    pub(super) fn over(&mut self, request_id: &RequestId) {
        if self.is_about(request_id) {
            self.is_unread = false;
            self.due = None;
        }
    }

    /// When the report is sent again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether it is time; once.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identities;
    use crate::report::installed;
    use intercom_wire::Request;

    fn outbox() -> Outbox {
        let request = br#"{"request_id":"r-1","issuer":"billing","target":{"board":"fleet-1"}}"#;
        let request = Request::read(request).expect("a request");
        let (old, new) = (identities::old(1).expect("old"), identities::new(1).expect("new"));
        let connect_as = identities::connect_as(1, new).expect("a board");
        let mut outbox = Outbox::default();
        outbox.add(installed(&request, &connect_as, old.clone(), old));
        outbox
    }

    #[test]
    fn a_report_is_sent_again_with_growing_delays_until_billing_has_read_it() {
        let (mut outbox, mut now) = (outbox(), Instant::now());
        let mut delays = Vec::new();
        for _ in 0..4 {
            let (id, _) = outbox.unread().expect("unread");
            assert_eq!(outbox.due(), None, "until the broker has it");
            outbox.published(id, now);
            let due = outbox.due().expect("sent again");
            assert!(!outbox.take_due(now) && outbox.take_due(due));
            delays.push((due - now).as_secs());
            now = due;
        }
        assert_eq!(delays, [10, 20, 40, 80]);
        outbox.over(&"r-2".parse().expect("an ID"));
        assert!(outbox.unread().is_some(), "another request's");
        outbox.over(&"r-1".parse().expect("an ID"));
        assert!(outbox.unread().is_none() && outbox.due().is_none());
    }

    #[test]
    fn a_request_that_is_offered_again_has_its_report_sent_again() {
        let mut outbox = outbox();
        let id = "r-1".parse().expect("an ID");
        outbox.over(&id);
        assert!(outbox.is_about(&id));
        outbox.ask_again();
        assert!(outbox.unread().is_some());
    }
}
