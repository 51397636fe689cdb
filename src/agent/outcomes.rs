//! How deliveries end: rejected, repeated, already installed, or with a change that is begun.

use std::io;
use std::time::Duration;

use intercom_wire::{DEFERRED, Errors, Identity, Outcome, Report, RequestId};

use super::Agent;
use super::delivery::{Delivery, Handling};
use super::error::{NotApplied, NotRecorded};
use super::pending_request::PendingRequest;
use super::plan::Plan;
use super::reports::{Room, acknowledge, send_outbox};
use super::seams::{AckToken, ReportId, Seams};
use super::waiting::Until;
use crate::clock::{Clock, Moment};
use crate::record::{OutboxEntry, Route, SeqMark};

/// Why a request waits whose end has to be recorded.
const NO_QUOTA: &str =
    "its outcome has to be recorded, and changes_per_hour allows no more such records now";

impl<S: Seams> Agent<S> {
    pub(super) fn reject(&mut self, pending: PendingRequest, errors: Errors) -> Handling {
        let delivery = &pending.delivery;
        let remark = match self.mark(delivery) {
            Ok(remark) => remark,
            Err(until) => return self.wait(pending, Until::Later(until, NO_QUOTA.to_owned())),
        };
        self.record.counters().rejected += 1;
        self.steps.warn(format!("{delivery} is rejected: {errors}"));
        let cause = delivery.cause(&self.rules);
        let current = self.record.current.identity.clone();
        let reason = with_remark(errors.message(), remark);
        let mut report = self.record.report(&cause, Outcome::Rejected, current, Some(reason));
        report.message = Some(errors.message());
        report.errors = Some(errors);
        self.reports.remember(&cause, &report, self.seams.clock().wall_time());
        self.report_volatile(&report, delivery);
        Handling::Decided
    }

    /// Ends a request without touching anything, and without a 422 body.
    pub(super) fn not_applied(&mut self, pending: PendingRequest, why: &NotApplied) -> Handling {
        let delivery = &pending.delivery;
        let remark = match self.mark(delivery) {
            Ok(remark) => remark,
            Err(until) => return self.wait(pending, Until::Later(until, NO_QUOTA.to_owned())),
        };
        match why {
            NotApplied::Overtaken(_) => self.record.counters().rejected += 1,
            NotApplied::NotReady(_) | NotApplied::Begin(_) => self.record.counters().failed += 1,
        }
        let outcome = why.outcome();
        self.steps.warn(format!("{delivery} ended as {outcome}: {why}"));
        let cause = delivery.cause(&self.rules);
        let current = self.record.current.identity.clone();
        let reason = with_remark(why.to_string(), remark);
        let mut report = self.record.report(&cause, outcome, current, Some(reason));
        if let NotApplied::Overtaken(seq) = why {
            report.seq_mark = Some(*seq);
        }
        self.reports.remember(&cause, &report, self.seams.clock().wall_time());
        self.report_volatile(&report, delivery);
        Handling::Decided
    }

    /// Reports once more what was decided before.
    pub(super) fn repeat(&mut self, pending: PendingRequest, report: Report) -> Handling {
        let delivery = &pending.delivery;
        if let Err(until) = self.mark(delivery) {
            return self.wait(pending, Until::Later(until, NO_QUOTA.to_owned()));
        }
        self.steps.tell(format!(
            "{} was decided before ({}): reporting it again",
            delivery,
            report.intercom.status.as_deref().unwrap_or("unknown")
        ));
        self.record.counters().repeated += 1;
        // Under its own ID too, which need not be the one that it was decided under.
        let cause = delivery.cause(&self.rules);
        let decided_at = cause.request_id.as_ref().and_then(|id| self.ended_as(id)?.at);
        let at = decided_at.unwrap_or_else(|| self.seams.clock().wall_time());
        self.reports.remember(&cause, &report, at);
        self.report_volatile(&report, delivery);
        Handling::Decided
    }

    /// Tells upstream that a request is decided later, within this time. The report ends nothing.
    pub(super) fn report_deferred(&mut self, delivery: &Delivery, why: &str, within: Duration) {
        let cause = delivery.cause(&self.rules);
        let current = self.record.current.identity.clone();
        let reason = Some(why.to_owned());
        let mut report = self.record.report(&cause, Outcome::Failed, current, reason);
        report.intercom.status = Some(DEFERRED.to_owned());
        report.deferred_seconds = Some(within.as_secs());
        let mut routes = delivery.routes_back(&self.rules);
        // It takes no room while nobody hears it: it is told again, or the end is.
        routes.retain(|route| self.connections.routes().contains(route));
        let _ = self.reports.send(self.seams.upstream(), &self.record, &report, &routes, None);
    }

    pub(super) fn already_installed(&mut self, pending: PendingRequest) -> Handling {
        let delivery = &pending.delivery;
        let now = self.seams.clock().now();
        let may_write = self.unchanged_quota.take(now, self.rules.changes_per_hour);
        let at = self.seams.clock().wall_time();
        let mark = delivery.lasting_mark();
        if mark.is_some() && !may_write {
            return self
                .wait(pending, Until::Later(self.unchanged_quota.next(now), NO_QUOTA.to_owned()));
        }
        self.steps.tell(format!("{delivery} is already installed: this board has that identity"));
        let cause = delivery.cause(&self.rules);
        // Whoever asks again and again under new IDs must not wear the flash out; nor use up what
        // is there for changes.
        let written = match may_write {
            true => self
                .transition(|record| {
                    record.already_installed(&cause, at);
                    if let Some(mark) = mark {
                        record.ledger.marks.set(mark);
                    }
                })
                .map_err(NotRecorded::Record),
            false => Err(NotRecorded::TooMany),
        };
        self.reports.decided(&cause);
        match written {
            Ok(()) => {
                self.acknowledge(delivery.ack_token);
                self.send_outbox();
            }
            Err(why) => {
                // Nothing was to be changed, so it is true all the same: told from memory.
                self.steps.warn(format!("it is not written to the record: {why}"));
                let current = self.record.current.identity.clone();
                let report = self.record.report(&cause, Outcome::Installed, current, None);
                // Whoever asked for it by its ID waits for that.
                self.reports.remember(&cause, &report, at);
                self.report_volatile(&report, delivery);
            }
        }
        Handling::Decided
    }

    pub(super) fn apply(&mut self, mut pending: PendingRequest, identity: Identity) -> Handling {
        let delivery = &mut pending.delivery;
        let cause = delivery.cause(&self.rules);
        let plan = Plan::install(cause, &self.record.current, identity, delivery.offline);
        match self.begin(plan) {
            Ok(()) => {
                let ack_token = delivery.ack_token.take();
                self.acknowledge(ack_token);
                self.in_hand = Some(pending);
                self.set_new_identity();
                Handling::Decided
            }
            Err(why) => self.not_applied(pending, &NotApplied::Begin(why)),
        }
    }

    /// Makes the mark of a signed request durable before the request ends without a change. Gives back
    /// why it is in memory alone, if the disk does not take it.
    ///
    /// # Errors
    /// When it can be written, if that is later: each mark wears the flash out.
    fn mark(&mut self, delivery: &Delivery) -> Result<Option<io::Error>, Moment> {
        let is_new = |mark: &SeqMark| self.record.ledger.marks.highest(mark) < Some(mark.seq);
        let Some(mark) = delivery.lasting_mark().filter(is_new) else { return Ok(None) };
        let now = self.seams.clock().now();
        if !self.unchanged_quota.take(now, self.rules.changes_per_hour) {
            return Err(self.unchanged_quota.next(now));
        }
        let written = self.transition(|record| record.ledger.marks.set(mark.clone()));
        if written.is_err() {
            self.reports.mark(mark);
        }
        Ok(written.err())
    }

    /// Forgets all marks of `seq`, and gives back those that were durable: requests that were counted
    /// as overtaken are decided anew.
    ///
    /// # Errors
    /// The record cannot be written; nothing is forgotten.
    pub fn forget_sequence(&mut self) -> io::Result<Vec<SeqMark>> {
        let mut forgotten = Vec::new();
        self.transition(|record| forgotten = record.ledger.marks.forget())?;
        self.reports.forget_marks();
        Ok(forgotten)
    }

    /// Sends a report that no record needs to hold.
    fn report_volatile(&mut self, report: &Report, delivery: &Delivery) {
        let (upstream, routes) = (self.seams.upstream(), delivery.routes_back(&self.rules));
        match self.reports.send(upstream, &self.record, report, &routes, delivery.ack_token) {
            Room::Enough => {}
            Room::None => self.waiting.let_go(),
        }
    }

    /// Upstream has acknowledged a report on one route. Where billing answers it, that does not count: a
    /// broker acknowledges what it drops, too.
    pub(super) fn reported(&mut self, id: ReportId, route: Route) {
        let now = self.seams.clock().now();
        match id {
            ReportId::Durable(number) => {
                let mut outbox = self.record.outbox.iter();
                let Some(entry) = outbox.find(|entry| entry.number == number) else { return };
                if route == Route::Mqtt && entry.report.is_answered() {
                    self.reports.published(id, now);
                } else if entry.routes.contains(&route) {
                    self.arrived(number, route);
                }
            }
            ReportId::Volatile(number) => {
                if self.reports.taken(self.seams.upstream(), number, route, now) {
                    self.record.counters().reported += 1;
                }
            }
        }
    }

    fn arrived(&mut self, number: u64, route: Route) {
        self.steps.tell(format!("the report has arrived over {}", route.label()));
        self.reports.forget(ReportId::Durable(number));
        self.transition_regardless(|record| record.reported(number, route));
    }

    /// Billing says over the broker that a request is over: it has read the first report of it, or it
    /// has withdrawn it.
    pub(super) fn over(&mut self, request_id: &RequestId) {
        self.withdrawn(request_id);
        let is_read = |entry: &&OutboxEntry| {
            entry.report.is_answered()
                && entry.report.request_id.as_ref() == Some(request_id)
                && entry.routes.contains(&Route::Mqtt)
        };
        if let Some(number) = self.record.outbox.iter().find(is_read).map(|entry| entry.number) {
            self.arrived(number, Route::Mqtt);
        }
        if self.reports.over(self.seams.upstream(), request_id) {
            self.record.counters().reported += 1;
        }
    }

    /// Sends again what billing has not answered in time.
    pub(super) fn send_unread_again(&mut self, now: Moment) {
        while let Some(id) = self.reports.take_due(now) {
            self.reports.send_again(self.seams.upstream(), &self.record, id);
        }
    }

    pub(super) fn acknowledge(&mut self, ack_token: Option<AckToken>) {
        acknowledge(self.seams.upstream(), ack_token);
    }

    pub(super) fn send_outbox(&mut self) {
        send_outbox(self.seams.upstream(), &self.record);
    }
}

/// A reason, and that the mark of the request's `seq` is in memory alone.
fn with_remark(reason: String, not_durable: Option<io::Error>) -> String {
    match not_durable {
        None => reason,
        Some(why) => format!(
            "{reason} Its seq is only remembered until the panel restarts: the record cannot be \
             written: {why}"
        ),
    }
}
