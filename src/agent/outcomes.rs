//! How deliveries end: rejected, repeated, already installed, or with a change that is begun.

use intercom_wire::{Errors, Identity, Outcome, Report};

use super::Agent;
use super::delivery::Delivery;
use super::error::{NotApplied, NotRecorded};
use super::pending_request::PendingRequest;
use super::plan::Plan;
use super::reports::{Room, acknowledge, send_outbox};
use super::seams::{AckToken, ReportId, Seams};
use crate::clock::Clock;
use crate::record::Route;

impl<S: Seams> Agent<S> {
    pub(super) fn reject(&mut self, delivery: &Delivery, errors: Errors) {
        self.record.counters().rejected += 1;
        self.steps.warn(format!("{delivery} is rejected: {errors}"));
        let cause = delivery.cause(&self.rules);
        let current = self.record.current.identity.clone();
        let mut report = self.record.report(&cause, Outcome::Rejected, current, None);
        report.reason = Some(errors.message());
        report.message = Some(errors.message());
        report.errors = Some(errors);
        self.reports.remember(&cause, &report);
        self.report_volatile(&report, delivery);
    }

    /// Ends a request without touching anything, and without a 422 body.
    pub(super) fn not_applied(&mut self, delivery: &Delivery, why: &NotApplied) {
        match why {
            NotApplied::Overtaken => self.record.counters().rejected += 1,
            NotApplied::NotReady(_) | NotApplied::Begin(_) => self.record.counters().failed += 1,
        }
        let outcome = why.outcome();
        self.steps.warn(format!("{delivery} ended as {outcome}: {why}"));
        let cause = delivery.cause(&self.rules);
        let current = self.record.current.identity.clone();
        let report = self.record.report(&cause, outcome, current, Some(why.to_string()));
        self.reports.remember(&cause, &report);
        self.report_volatile(&report, delivery);
    }

    /// Reports once more what was decided before.
    pub(super) fn repeat(&mut self, delivery: &Delivery, report: Report) {
        self.steps.tell(format!(
            "{} was decided before ({}): reporting it again",
            delivery,
            report.intercom.status.as_deref().unwrap_or("unknown")
        ));
        self.record.counters().repeated += 1;
        // Under its own ID too, which need not be the one that it was decided under.
        self.reports.remember(&delivery.cause(&self.rules), &report);
        self.report_volatile(&report, delivery);
    }

    pub(super) fn already_installed(&mut self, delivery: &Delivery) {
        self.steps.tell(format!("{delivery} is already installed: this board has that identity"));
        let cause = delivery.cause(&self.rules);
        let written = self.may_record_already_installed().and_then(|()| {
            let written = self.transition(|record| record.already_installed(&cause));
            written.map_err(NotRecorded::Record)
        });
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
                self.reports.remember(&cause, &report);
                self.report_volatile(&report, delivery);
            }
        }
    }

    /// Whoever asks again and again under new IDs must not wear the flash out; nor may he use up
    /// what is there for changes.
    fn may_record_already_installed(&mut self) -> Result<(), NotRecorded> {
        let now = self.seams.clock().now();
        match self.already_installed_quota.take(now, self.rules.changes_per_hour) {
            true => Ok(()),
            false => Err(NotRecorded::TooMany),
        }
    }

    pub(super) fn apply(&mut self, mut pending: PendingRequest, identity: Identity) {
        let delivery = &mut pending.delivery;
        let cause = delivery.cause(&self.rules);
        let plan = Plan::install(cause, &self.record.current, identity, delivery.offline);
        match self.begin(plan) {
            Ok(()) => {
                let ack_token = delivery.ack_token.take();
                self.acknowledge(ack_token);
                self.in_hand = Some(pending);
                self.set_new_identity();
            }
            Err(why) => self.not_applied(delivery, &NotApplied::Begin(why)),
        }
    }

    /// Sends a report that no record needs to hold.
    fn report_volatile(&mut self, report: &Report, delivery: &Delivery) {
        let (upstream, routes) = (self.seams.upstream(), delivery.routes_back(&self.rules));
        match self.reports.send(upstream, report, &routes, delivery.ack_token) {
            Room::Enough => {}
            Room::None => self.waiting.let_go(),
        }
    }

    /// Upstream has acknowledged a report on one route.
    pub(super) fn reported(&mut self, id: ReportId, route: Route) {
        match id {
            ReportId::Durable(number) => {
                let mut outbox = self.record.outbox.iter();
                if outbox.any(|entry| entry.number == number && entry.routes.contains(&route)) {
                    self.steps.tell(format!("the report has arrived over {}", route.label()));
                    self.transition_regardless(|record| record.reported(number, route));
                }
            }
            ReportId::Volatile(number) => {
                if self.reports.taken(self.seams.upstream(), number, route) {
                    self.record.counters().reported += 1;
                    if self.reports.waiting() == 0 && !self.changing() {
                        self.ask_for_overflow();
                    }
                }
            }
        }
    }

    pub(super) fn acknowledge(&mut self, ack_token: Option<AckToken>) {
        acknowledge(self.seams.upstream(), ack_token);
    }

    pub(super) fn send_outbox(&mut self) {
        send_outbox(self.seams.upstream(), &self.record.outbox);
    }
}
