//! How deliveries end: rejected, repeated, already installed, or with a change that is begun.

use intercom_wire::{Errors, Identity, Outcome, Report};

use super::Agent;
use super::change::Plan;
use super::delivery::Delivery;
use super::error::NotRecorded;
use super::log_extra;
use super::seams::{AckToken, Seams, Upstream};
use crate::clock::Clock;
use crate::record::{Cause, Current, Entry, Goal, MacOrigin, Route, SeqKey, SerialOrigin};

impl<S: Seams> Agent<S> {
    pub(super) fn reject(&mut self, delivery: &Delivery, errors: Errors) {
        self.record.counters().rejected += 1;
        self.steps.warn(format!("{} is rejected: {errors}", delivery));
        let cause = self.cause(delivery);
        let current = self.record.current.identity.clone();
        let mut report = self.record.report(&cause, Outcome::Rejected, current, None);
        report.reason = Some(errors.message());
        report.message = Some(errors.message());
        report.errors = Some(errors);
        self.remember_volatile(&cause, &report);
        self.report_volatile(report, delivery);
    }

    /// Ends a request without touching anything, and without a 422 body.
    pub(super) fn end_volatile(&mut self, delivery: &Delivery, outcome: Outcome, reason: String) {
        match outcome {
            Outcome::Failed => self.record.counters().failed += 1,
            Outcome::Installed | Outcome::Rejected | Outcome::RolledBack => {
                self.record.counters().rejected += 1;
            }
        }
        self.steps.warn(format!("{} ended as {outcome}: {reason}", delivery));
        let cause = self.cause(delivery);
        let current = self.record.current.identity.clone();
        let report = self.record.report(&cause, outcome, current, Some(reason));
        self.remember_volatile(&cause, &report);
        self.report_volatile(report, delivery);
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
        self.remember_volatile(&self.cause(delivery), &report);
        self.report_volatile(report, delivery);
    }

    fn remember_volatile(&mut self, cause: &Cause, report: &Report) {
        if cause.request_id.is_some() {
            self.volatile.add(Entry::new(cause, report.clone()), SeqKey::decided(cause));
        }
    }

    pub(super) fn already_installed(&mut self, delivery: &Delivery) {
        self.steps.tell(format!("{} is already installed: this board has that identity", delivery));
        let cause = self.cause(delivery);
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
                self.remember_volatile(&cause, &report);
                self.report_volatile(report, delivery);
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

    pub(super) fn apply(&mut self, delivery: &Delivery, identity: Identity) {
        let old = &self.record.current;
        let to = Current {
            mac_origin: if identity.mac == old.identity.mac {
                old.mac_origin
            } else {
                MacOrigin::Request
            },
            serial_origin: if identity.serial_number == old.identity.serial_number {
                old.serial_origin
            } else {
                Some(SerialOrigin::Request)
            },
            identity,
        };
        let (goal, offline) = (Goal::Install, delivery.offline);
        let plan = Plan { cause: self.cause(delivery), goal, offline, to };
        match self.begin(plan) {
            Ok(()) => {
                self.acknowledge(delivery.ack_token);
                self.set_new_identity();
            }
            Err(why) => self.end_volatile(delivery, Outcome::Failed, why.to_string()),
        }
    }

    pub(super) fn acknowledge(&mut self, ack_token: Option<AckToken>) {
        if let Some(ack_token) = ack_token {
            self.seams.upstream().acknowledge(ack_token);
        }
    }

    /// What the report needs of the request, and the routes that it goes out on.
    fn cause(&self, delivery: &Delivery) -> Cause {
        let mut routes = match delivery.route {
            Some(route) => vec![route],
            None => self.rules.routes.clone(),
        };
        routes.extend(self.rules.tells_billing.then_some(Route::Billing));
        match &delivery.request {
            Ok(request) => {
                let patch = request.content.as_ref().ok();
                Cause {
                    request_id: request.id.clone(),
                    hash: request.hash.clone(),
                    seq: request.seq,
                    target: request.target.clone(),
                    model: patch.and_then(|p| p.model.clone()).or(self
                        .rules
                        .models
                        .first()
                        .cloned()),
                    log_extra: patch.and_then(|p| p.log_extra.clone()).map(log_extra::cut),
                    routes,
                }
            }
            Err(unreadable) => Cause::bare(unreadable.id.clone(), routes),
        }
    }
}
