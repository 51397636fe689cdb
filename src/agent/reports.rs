//! Reports on their way: durable ones in the record's outbox, repeats and rejections in memory.

use intercom_wire::{Report, RequestId};

use super::seams::{AckToken, ReportId, Upstream};
use super::unread::UnreadReports;
use super::volatile_reports::{Added, Taken, VolatileReports};
use crate::clock::{Moment, WallTime};
use crate::record::{Cause, Entry, Ledger, Record, Route, SeqMark};

/// The outcomes that never touch the flash, and their reports until upstream has them.
#[derive(Debug, Default)]
pub(super) struct Reports {
    ledger: Ledger,
    on_their_way: VolatileReports,
    unread: UnreadReports,
}

/// Whether there was room for a report.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Room {
    /// It is on its way.
    Enough,
    /// It was dropped, and its message stays unacknowledged: the broker delivers it again.
    None,
}

impl Reports {
    /// How requests ended that the record does not tell of.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How many reports are on their way from memory.
    pub(super) fn waiting(&self) -> usize {
        self.on_their_way.len()
    }

    /// Whether many more find room.
    pub(super) fn has_room(&self) -> bool {
        self.on_their_way.has_room()
    }

    /// How many reports the broker has acknowledged and billing has not, and since when.
    pub(super) fn unread(&self) -> Option<(usize, Moment)> {
        self.unread.shown()
    }

    /// When a report is to be sent again.
    pub(super) fn due(&self) -> Option<Moment> {
        self.unread.due()
    }

    /// The next report that is to be sent again by now.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<ReportId> {
        self.unread.take_due(now)
    }

    /// The broker has acknowledged a report that billing answers.
    pub(super) fn published(&mut self, id: ReportId, now: Moment) {
        self.unread.published(id, now);
    }

    /// A report has arrived.
    pub(super) fn forget(&mut self, id: ReportId) {
        self.unread.forget(id);
    }

    /// Sends a report over the broker once more, unless it has made room for others.
    pub(super) fn send_again(
        &mut self,
        upstream: &mut impl Upstream,
        record: &Record,
        id: ReportId,
    ) {
        let report = match id {
            ReportId::Durable(number) => {
                let mut outbox = record.outbox.iter();
                outbox.find(|entry| entry.number == number).map(|entry| &entry.report)
            }
            ReportId::Volatile(number) => self.on_their_way.report(number),
        };
        match report {
            Some(report) => send(upstream, record, Route::Mqtt, id, report),
            None => self.unread.forget(id),
        }
    }

    /// Billing has read the report of a request; whether there was one.
    pub(super) fn over(&mut self, upstream: &mut impl Upstream, request_id: &RequestId) -> bool {
        match self.on_their_way.over(request_id) {
            Some((number, ack_token)) => {
                self.unread.forget(ReportId::Volatile(number));
                acknowledge(upstream, ack_token);
                true
            }
            None => false,
        }
    }

    /// Remembers how a request ended, if it can be asked for again by its ID.
    pub(super) fn remember(&mut self, cause: &Cause, report: &Report, at: WallTime) {
        if cause.request_id.is_some() {
            self.ledger.add(Entry::new(cause, report.clone(), at));
            self.decided(cause);
        }
    }

    /// Until a restart, an earlier request than this one is overtaken.
    pub(super) fn decided(&mut self, cause: &Cause) {
        self.ledger.marks.decided(cause);
    }

    /// The same, for a mark that the disk does not take.
    pub(super) fn mark(&mut self, mark: SeqMark) {
        self.ledger.marks.set(mark);
    }

    /// No request is overtaken any more.
    pub(super) fn forget_marks(&mut self) {
        self.ledger.marks.forget();
    }

    /// Sends a report that no record needs to hold; `ack_token` is acknowledged when it has arrived
    /// on all `routes`.
    pub(super) fn send(
        &mut self,
        upstream: &mut impl Upstream,
        record: &Record,
        report: &Report,
        routes: &[Route],
        ack_token: Option<AckToken>,
    ) -> Room {
        if routes.is_empty() {
            return Room::Enough;
        }
        match self.on_their_way.add(report, routes, ack_token) {
            Added::Queued(number) => {
                for route in routes {
                    send(upstream, record, *route, ReportId::Volatile(number), report);
                }
                Room::Enough
            }
            Added::OnItsWay(spare) => {
                acknowledge(upstream, spare);
                Room::Enough
            }
            Added::Full => Room::None,
        }
    }

    /// Sends everything that a route owes an acknowledgement for: it has just been reached.
    pub(super) fn send_all(&self, upstream: &mut impl Upstream, record: &Record, route: Route) {
        send_outbox(upstream, record);
        for (number, report) in self.on_their_way.owed_by(route) {
            send(upstream, record, route, ReportId::Volatile(number), report);
        }
    }

    /// A route has taken a report; whether it was the last one that owed an acknowledgement. A report that
    /// billing answers stays until it does. Its request need not come again: billing has it too.
    pub(super) fn taken(
        &mut self,
        upstream: &mut impl Upstream,
        number: u64,
        route: Route,
        now: Moment,
    ) -> bool {
        match self.on_their_way.taken(number, route) {
            Taken::ByAll(ack_token) => {
                acknowledge(upstream, ack_token);
                true
            }
            Taken::ByBroker(ack_token) => {
                acknowledge(upstream, ack_token);
                self.unread.published(ReportId::Volatile(number), now);
                false
            }
            Taken::NotYet => false,
        }
    }
}

/// Sends whatever the record's outbox holds, on all routes that owe an acknowledgement.
pub(super) fn send_outbox(upstream: &mut impl Upstream, record: &Record) {
    for queued in &record.outbox {
        for route in &queued.routes {
            send(upstream, record, *route, ReportId::Durable(queued.number), &queued.report);
        }
    }
}

/// Sends a report as the board is now: a later change may have ended before this one leaves.
fn send(
    upstream: &mut impl Upstream,
    record: &Record,
    route: Route,
    id: ReportId,
    report: &Report,
) {
    upstream.send(route, id, &report.sent_by(&record.current.identity));
}

/// Tells the broker that a message need not come again, if it waits for that.
pub(super) fn acknowledge(upstream: &mut impl Upstream, ack_token: Option<AckToken>) {
    if let Some(ack_token) = ack_token {
        upstream.acknowledge(ack_token);
    }
}

#[cfg(test)]
mod tests {
    use intercom_wire::Outcome;

    use super::*;
    use crate::agent::fixtures::{FakeUpstream, NOW, THEN, record};

    fn cause(id: Option<&str>) -> Cause {
        Cause::bare(id.map(|id| id.parse().expect("an ID")), vec![Route::Mqtt])
    }

    fn report(id: &str) -> Report {
        let record = record();
        let current = record.current.identity.clone();
        record.report(&cause(Some(id)), Outcome::Rejected, current, None)
    }

    #[test]
    fn a_message_is_acknowledged_when_its_report_has_arrived_everywhere() {
        let mut upstream = FakeUpstream::default();
        let mut reports = Reports::default();
        let routes = [Route::Mqtt, Route::Http];
        let room =
            reports.send(&mut upstream, &record(), &report("r-1"), &routes, Some(AckToken(7)));
        assert_eq!(room, Room::Enough);
        let id = ReportId::Volatile(1);
        assert_eq!(upstream.sent, [(Route::Mqtt, id), (Route::Http, id)]);
        assert!(!reports.taken(&mut upstream, 1, Route::Mqtt, NOW));
        assert_eq!(upstream.acknowledged, []);
        assert!(reports.taken(&mut upstream, 1, Route::Http, NOW));
        assert_eq!((upstream.acknowledged, reports.waiting()), (vec![AckToken(7)], 0));
    }

    #[test]
    fn a_report_under_an_issuer_stays_until_billing_has_read_it() {
        let mut upstream = FakeUpstream::default();
        let mut reports = Reports::default();
        let report = Report { issuer: "billing-1".parse().ok(), ..report("r-1") };
        let _ = reports.send(&mut upstream, &record(), &report, &[Route::Mqtt], Some(AckToken(7)));
        assert!(!reports.taken(&mut upstream, 1, Route::Mqtt, NOW));
        assert_eq!(upstream.acknowledged, [AckToken(7)], "billing has the request too");
        assert_eq!((reports.on_their_way.unpublished(), reports.waiting()), (0, 1));
        let due = reports.due().expect("sent again");
        let id = reports.take_due(due).expect("due");
        reports.send_again(&mut upstream, &record(), id);
        assert_eq!(upstream.sent.len(), 2);
        assert!(!reports.over(&mut upstream, &"r-2".parse().expect("an ID")));
        assert!(reports.over(&mut upstream, &"r-1".parse().expect("an ID")));
        assert_eq!((reports.waiting(), reports.unread()), (0, None));
    }

    #[test]
    fn a_route_that_is_reached_gets_what_it_has_not_taken() {
        let mut upstream = FakeUpstream::default();
        let mut reports = Reports::default();
        let _ = reports.send(&mut upstream, &record(), &report("r-1"), &[Route::Mqtt], None);
        let mut record = record();
        record.already_installed(&cause(Some("r-2")), THEN);
        upstream.sent.clear();
        reports.send_all(&mut upstream, &record, Route::Mqtt);
        let sent = [ReportId::Durable(1), ReportId::Volatile(1)].map(|id| (Route::Mqtt, id));
        assert_eq!(upstream.sent, sent);
    }

    #[test]
    fn a_report_without_room_leaves_its_message_unacknowledged() {
        let mut upstream = FakeUpstream::default();
        let mut reports = Reports::default();
        let mut number = 0;
        let mut send_another = |upstream: &mut FakeUpstream| {
            number += 1;
            let report = report(&format!("r-{number}"));
            reports.send(upstream, &record(), &report, &[Route::Mqtt], Some(AckToken(number)))
        };
        while send_another(&mut upstream) == Room::Enough {}
        assert_eq!(upstream.acknowledged, []);
    }

    #[test]
    fn what_has_no_id_is_not_remembered() {
        let mut reports = Reports::default();
        reports.remember(&cause(None), &report("r-1"), THEN);
        assert_eq!(reports.ledger().entries().len(), 0);
        reports.remember(&cause(Some("r-1")), &report("r-1"), THEN);
        assert_eq!(reports.ledger().entries().len(), 1);
    }
}
