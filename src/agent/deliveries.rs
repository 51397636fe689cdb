//! Deliveries: each is decided once, and what cannot be decided yet waits.

use std::time::Duration;

use log::debug;

use super::Agent;
use super::change::Plan;
use super::seams::{Seams, Ticket, Upstream};
use crate::clock::{Clock, Moment};
use crate::contract::{Errors, Identity, Mac, Outcome, Report, Request, RequestKey, Unreadable};
use crate::decide::{Decision, Delivered, Facts, Holder, OwnId, Past, decide};
use crate::record::{Cause, Current, Entry, Goal, Intercom, MacOrigin, Route, SerialOrigin};

/// How many deliveries wait at most; more stay with the broker, unacknowledged.
const MAX_WAITING: usize = 16;
/// How long a request is put off while another board has its new MAC.
const PUT_OFF: Duration = Duration::from_secs(60);
/// How long an answer to a look-up is waited for.
const LOOK_UP: Duration = Duration::from_secs(15);
/// The largest `log_extra`, in bytes of JSON, that is kept and passed through.
const MAX_LOG_EXTRA: usize = 2048;

/// One request as a route delivered it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What was read of it.
    pub request: Result<Request, Unreadable>,
    /// How it came.
    pub delivered: Delivered,
    /// What the broker wants acknowledged.
    pub ticket: Option<Ticket>,
    /// The route that asked, and that the report goes out on; `None` for an installer's, which is
    /// reported on all routes.
    pub route: Option<Route>,
    /// An installer without an uplink answers for it: nothing need be reachable.
    pub offline: bool,
}

/// What became of a delivery for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// Decided: it need not be delivered again.
    Decided,
    /// Kept: to be delivered again, unless it is decided before.
    Kept,
}

/// A delivery that cannot be decided yet.
#[derive(Debug)]
pub(super) struct Waiting {
    delivery: Delivery,
    until: Until,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// The change in progress has ended.
    ChangeEnds,
    /// It is known who has this MAC address; at the latest at the moment.
    LookedUp(Mac, Moment),
    /// The other board may have let go of the MAC address.
    Later(Moment),
}

impl Waiting {
    pub(super) fn due(&self) -> Option<Moment> {
        match self.until {
            Until::ChangeEnds => None,
            Until::LookedUp(_, at) | Until::Later(at) => Some(at),
        }
    }

    fn key(&self) -> Option<RequestKey> {
        self.delivery.request.as_ref().ok().map(Request::key)
    }
}

impl<S: Seams> Agent<S> {
    /// Takes a delivery.
    pub fn deliver(&mut self, delivery: Delivery) -> Handling {
        self.record.counters.delivered += 1;
        let key = delivery.request.as_ref().ok().map(Request::key);
        let waits = |waiting: &&mut Waiting| key.is_some() && waiting.key() == key;
        if let Some(waiting) = self.waiting.iter_mut().find(waits) {
            // How often it was put off is not forgotten. One message is enough to have it come
            // again; another one before it would hold up all that come after.
            let spare = take_over(&mut waiting.delivery.ticket, delivery.ticket);
            self.acknowledge(spare);
            return Handling::Kept;
        }
        self.decide_on(delivery, Holder::NotLookedUp)
    }

    /// What a request would mean for this board now; changes nothing.
    pub fn check(&self, delivery: &Delivery, holder: Holder) -> Decision {
        decide(&delivery.request, &delivery.delivered, &self.facts(holder))
    }

    pub(super) fn looked_up(&mut self, mac: Mac, holder: &Holder) {
        let asked = |waiting: &Waiting| matches!(waiting.until, Until::LookedUp(m, _) if m == mac);
        self.decide_waiting(asked, holder);
    }

    pub(super) fn change_ended(&mut self) {
        self.decide_waiting(|waiting| waiting.until == Until::ChangeEnds, &Holder::NotLookedUp);
        self.ask_for_overflow();
    }

    /// Has what was let go for want of room delivered again, now that there is some.
    pub(super) fn ask_for_overflow(&mut self) {
        if std::mem::take(&mut self.overflowed) {
            for route in &self.rules.routes {
                self.seams.upstream().ask_again(*route);
            }
        }
    }

    pub(super) fn tick_waiting(&mut self, now: Moment) {
        // Nobody could be asked: the broker is away, or will not tell. That proves no conflict.
        let unanswered =
            |waiting: &Waiting| matches!(waiting.until, Until::LookedUp(_, at) if at <= now);
        self.decide_waiting(unanswered, &Holder::Nobody);
        let later = |waiting: &Waiting| matches!(waiting.until, Until::Later(at) if at <= now);
        self.decide_waiting(later, &Holder::NotLookedUp);
    }

    fn decide_waiting(&mut self, which: impl Fn(&Waiting) -> bool, holder: &Holder) {
        let (due, rest) = std::mem::take(&mut self.waiting).into_iter().partition(which);
        self.waiting = rest;
        for waiting in due {
            self.decide_on(waiting.delivery, holder.clone());
        }
    }

    fn decide_on(&mut self, mut delivery: Delivery, holder: Holder) -> Handling {
        match self.check(&delivery, holder) {
            Decision::Ignore(why) => {
                debug!("a request was ignored: {why:?}");
                self.record.counters.ignored += 1;
                self.acknowledge(delivery.ticket);
            }
            Decision::Reject(errors) => self.reject(&delivery, errors),
            Decision::AlreadyDone(report) => {
                self.steps.tell(format!(
                    "{} was decided before ({}): reporting it again",
                    name(&delivery),
                    report.intercom.status.as_deref().unwrap_or("unknown")
                ));
                self.record.counters.repeated += 1;
                // Under its own ID too, which need not be the one that it was decided under.
                self.remember_volatile(&self.cause(&delivery), &report);
                self.report_volatile(*report, &delivery);
            }
            Decision::Overtaken => {
                let reason = "a later request for the same intercom was decided before".to_owned();
                self.end_volatile(&delivery, Outcome::Rejected, reason);
            }
            Decision::Keep => return self.wait(delivery, Until::ChangeEnds),
            Decision::LookUp(mac) => {
                self.seams.upstream().look_up(mac);
                let at = self.seams.clock().now() + LOOK_UP;
                return self.wait(delivery, Until::LookedUp(mac, at));
            }
            Decision::PutOff(board) => {
                delivery.delivered.put_offs += 1;
                let holder = board.map_or_else(|| "another board".into(), |b| format!("board {b}"));
                self.steps.warn(format!(
                    "{} is put off for {} s: {holder} has its new MAC now",
                    name(&delivery),
                    PUT_OFF.as_secs()
                ));
                let at = self.seams.clock().now() + PUT_OFF;
                return self.wait(delivery, Until::Later(at));
            }
            Decision::Confirm => self.confirm(&delivery),
            Decision::Apply(identity) => self.apply(&delivery, identity),
        }
        Handling::Decided
    }

    fn wait(&mut self, delivery: Delivery, until: Until) -> Handling {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push(Waiting { delivery, until });
        } else {
            self.overflowed = true;
        }
        Handling::Kept
    }

    fn reject(&mut self, delivery: &Delivery, errors: Errors) {
        self.record.counters.rejected += 1;
        self.steps.warn(format!("{} is rejected: {errors}", name(delivery)));
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
            Outcome::Failed => self.record.counters.failed += 1,
            Outcome::Installed | Outcome::Rejected | Outcome::RolledBack => {
                self.record.counters.rejected += 1;
            }
        }
        self.steps.warn(format!("{} ended as {outcome}: {reason}", name(delivery)));
        let cause = self.cause(delivery);
        let current = self.record.current.identity.clone();
        let report = self.record.report(&cause, outcome, current, Some(reason));
        self.remember_volatile(&cause, &report);
        self.report_volatile(report, delivery);
    }

    fn remember_volatile(&mut self, cause: &Cause, report: &Report) {
        if cause.request_id.is_some() {
            self.volatile.add(Entry::new(cause, report.clone()), Intercom::decided(cause));
        }
    }

    fn confirm(&mut self, delivery: &Delivery) {
        self.steps.tell(format!("{} is confirmed: this board is that already", name(delivery)));
        let cause = self.cause(delivery);
        match self.transition(|record| record.confirm(&cause)) {
            Ok(()) => {
                self.acknowledge(delivery.ticket);
                self.send_outbox();
            }
            Err(why) => {
                // Nothing was to be changed, so it is true all the same: told from memory.
                self.steps.warn(format!("the record cannot be written: {why}"));
                let current = self.record.current.identity.clone();
                let report = self.record.report(&cause, Outcome::Installed, current, None);
                // Whoever asked for it by its ID waits for that.
                self.remember_volatile(&cause, &report);
                self.report_volatile(report, delivery);
            }
        }
    }

    fn apply(&mut self, delivery: &Delivery, identity: Identity) {
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
                self.acknowledge(delivery.ticket);
                self.set_new_identity();
            }
            Err(reason) => self.end_volatile(delivery, Outcome::Failed, reason),
        }
    }

    pub(super) fn acknowledge(&mut self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.seams.upstream().acknowledge(ticket);
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
                    log_extra: patch.and_then(|p| p.log_extra.clone()).map(cut_to_size),
                    routes,
                }
            }
            Err(unreadable) => Cause::bare(unreadable.id.clone(), routes),
        }
    }

    pub(super) fn own_id(&self) -> Option<OwnId> {
        let configured = self.rules.configured_id.map(OwnId::Configured);
        configured.or(self.record.learnt_id.map(OwnId::Learnt))
    }

    fn facts(&self, holder: Holder) -> Facts<'_> {
        Facts {
            require_signature: self.rules.require_signature,
            current: &self.record.current,
            board: &self.record.board,
            id: self.own_id(),
            models: &self.rules.models,
            holder,
            changing: self.changing(),
            past: Past { durable: &self.record.ledger, volatile: &self.volatile },
        }
    }
}

/// The same request was delivered again: the later message stands for it, if it can. The other one
/// is given back.
pub(super) fn take_over(held: &mut Option<Ticket>, later: Option<Ticket>) -> Option<Ticket> {
    later.and_then(|later| held.replace(later))
}

/// How a request is named in a message.
fn name(delivery: &Delivery) -> String {
    match &delivery.request {
        Ok(request) => format!("request {}", request.key()),
        Err(Unreadable { id: Some(id), .. }) => format!("request {id}"),
        Err(Unreadable { id: None, .. }) => "an unreadable request".to_owned(),
    }
}

fn cut_to_size(log_extra: serde_json::Value) -> serde_json::Value {
    let size = log_extra.to_string().len();
    if size <= MAX_LOG_EXTRA {
        log_extra
    } else {
        format!("left out: {size} bytes, and a panel keeps at most {MAX_LOG_EXTRA}").into()
    }
}
