//! Deliveries: each is decided once, and what cannot be decided yet waits.

use std::time::Duration;

use intercom_wire::{Mac, RequestId};
use log::info;

use super::Agent;
use super::delivery::{Delivery, Handling};
use super::error::{NoRoom, NotApplied};
use super::pending_request::PendingRequest;
use super::seams::{LOOK_UP, Seams, Upstream};
use super::waiting::{Again, Until};
use crate::clock::{Clock, Moment};
use crate::decide::{Decision, Facts, MacOwner, Past, decide};
use crate::record::Route;

/// How long a request is deferred while another board has its new MAC, or its owner is unknown.
const DEFERRAL: Duration = Duration::from_secs(60);
/// [`LOOK_UP`] where only the LAN is asked, which answers within a second.
const LOOK_UP_ON_THE_LAN: Duration = Duration::from_secs(2);

/// Whether a request has to be decided in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Nothing that is done to the board bears on it: it is not this board's, or it was decided before.
    None,
    /// It is not decided yet.
    Open,
    /// It is decided after those that came before it.
    Kept,
}

impl Order {
    fn of(decision: &Decision, delivery: &Delivery) -> Self {
        match decision {
            Decision::Ignore(_)
            | Decision::Hint
            | Decision::InProgress
            | Decision::AlreadyDone(_)
            | Decision::Overtaken(_) => Order::None,
            Decision::Reject(_) if delivery.request.is_err() => Order::None,
            Decision::Keep
            | Decision::LookUp(_)
            | Decision::Defer(_)
            | Decision::DeferUnknown(..)
            | Decision::AwaitBoard => Order::Open,
            Decision::Reject(_)
            | Decision::StillHolds(_)
            | Decision::AlreadyInstalled
            | Decision::Apply(_) => Order::Kept,
        }
    }
}

impl<S: Seams> Agent<S> {
    /// Takes a delivery.
    pub fn deliver(&mut self, delivery: Delivery) -> Handling {
        self.record.counters().delivered += 1;
        let again = self.asked_about().and_then(|asked| asked.again(&delivery)).map(Again::Waits);
        match again.unwrap_or_else(|| self.waiting.again(&delivery)) {
            Again::Waits(spare) => {
                self.acknowledge(spare);
                Handling::Kept
            }
            Again::New => {
                self.arrivals += 1;
                let pending =
                    PendingRequest::new(delivery, self.arrivals, self.seams.clock().now());
                let handling = self.decide_on(pending, MacOwner::NotLookedUp);
                self.decide_on_those_behind();
                handling
            }
        }
    }

    /// Whether an installer's request that comes now could wait.
    ///
    /// # Errors
    /// If not: nobody would deliver it again.
    pub fn has_room(&self) -> Result<(), NoRoom> {
        let waiting = self.waiting.len();
        if self.waiting.has_room(self.arrivals + 1) { Ok(()) } else { Err(NoRoom { waiting }) }
    }

    /// What a request would mean for this board now; changes nothing.
    pub fn check(&self, delivery: &Delivery, owner: MacOwner) -> Decision {
        decide(&delivery.request, &delivery.delivered, &self.facts(owner))
    }

    pub(super) fn decide_on(&mut self, pending: PendingRequest, owner: MacOwner) -> Handling {
        let decision = self.check(&pending.delivery, owner);
        let order = Order::of(&decision, &pending.delivery);
        if order != Order::None {
            self.end_overtaken(&pending.delivery);
        }
        if order == Order::Kept && self.changing() {
            // What it says may be true of the new identity, or of the old one alone.
            return self.wait(pending, Until::ChangeEnds);
        }
        if order == Order::Kept && self.waiting.any_before(pending.arrival) {
            return self.wait_behind(pending);
        }
        let delivery = &pending.delivery;
        match decision {
            Decision::Ignore(why) => {
                self.record.counters().ignored += 1;
                if let Some(line) = self.ignored.note(why, self.seams.clock().now()) {
                    info!("{line}");
                }
                self.acknowledge(delivery.ack_token);
            }
            Decision::Hint => {
                self.acknowledge(delivery.ack_token);
                self.seams.upstream().announce();
                return Handling::Kept;
            }
            Decision::InProgress => {
                self.acknowledge(delivery.ack_token);
                return Handling::Kept;
            }
            Decision::Reject(errors) => return self.reject(pending, errors),
            Decision::AlreadyDone(report) | Decision::StillHolds(report) => {
                return self.repeat(pending, *report);
            }
            Decision::Overtaken(mark) => {
                return self.not_applied(pending, &NotApplied::Overtaken(mark));
            }
            Decision::AwaitBoard => return self.await_board(pending),
            Decision::Keep => return self.wait(pending, Until::ChangeEnds),
            Decision::LookUp(mac) => {
                let at = self.seams.clock().now() + self.look_up_within(&pending.delivery, mac);
                // Only for a request that waits for it: this bounds how many look-ups there are.
                if self.waiting.add(pending, Until::LookedUp(mac, at)) {
                    self.seams.upstream().look_up(mac);
                }
                return Handling::Kept;
            }
            Decision::Defer(board) => {
                let owner = board.map_or_else(|| "another board".into(), |b| format!("board {b}"));
                return self.defer(pending, &format!("{owner} has its new MAC now"));
            }
            Decision::DeferUnknown(mac, why) => {
                let why = why.map_or_else(String::new, |why| format!(": {why}"));
                return self.defer(pending, &format!("it is not known who has {mac} now{why}"));
            }
            Decision::AlreadyInstalled => return self.already_installed(pending),
            Decision::Apply(identity) => return self.ask_the_hooks(pending, identity),
        }
        Handling::Decided
    }

    /// The issuer of the request with this ID has withdrawn it.
    pub(super) fn withdrawn(&mut self, id: &RequestId) {
        self.drop_if(|pending| pending.is_offered_as(id));
    }

    /// The pending list has been delivered as a whole. What an issuer has listed before, and does not any
    /// more, is withdrawn.
    pub(super) fn listed(&mut self) {
        self.drop_if(PendingRequest::is_withdrawn_from_the_list);
        self.waiting.listed();
        if let Some(asked) = self.asked_about() {
            asked.is_listed = false;
        }
    }

    /// Drops requests that are not begun.
    fn drop_if(&mut self, is_withdrawn: impl Fn(&PendingRequest) -> bool) {
        let mut dropped = self.waiting.withdrawn(&is_withdrawn);
        if self.asked_about().is_some_and(|asked| is_withdrawn(asked)) {
            dropped.extend(self.in_hand.take());
        }
        for pending in dropped {
            self.acknowledge(pending.delivery.ack_token);
        }
        self.decide_on_those_behind();
    }

    /// Ends those that wait and that this one overtakes by its `seq`.
    fn end_overtaken(&mut self, delivery: &Delivery) {
        let Ok(request) = &delivery.request else { return };
        for overtaken in self.waiting.overtaken_by(request) {
            let mark = request.seq.unwrap_or_default();
            self.not_applied(overtaken, &NotApplied::Overtaken(mark));
        }
    }

    fn wait_behind(&mut self, pending: PendingRequest) -> Handling {
        let why = self.waiting.reason(pending.arrival, &Until::Behind);
        self.steps.tell(format!("{} waits: {why}", pending.delivery));
        self.wait(pending, Until::Behind)
    }

    /// Decides on those that waited for others, as far as those are decided.
    fn decide_on_those_behind(&mut self) {
        while let Some(pending) = self.waiting.first_behind() {
            self.decide_on(pending, MacOwner::NotLookedUp);
        }
    }

    /// What has an issuer is offered again on the next connection, so the broker need not keep it.
    pub(super) fn wait(&mut self, mut pending: PendingRequest, until: Until) -> Handling {
        if pending.delivery.issuer().is_some() {
            let ack_token = pending.delivery.ack_token.take();
            self.acknowledge(ack_token);
        }
        self.waiting.add(pending, until);
        Handling::Kept
    }

    /// Waits until the board itself could be read, or no longer counts on it.
    fn await_board(&mut self, pending: PendingRequest) -> Handling {
        let now = self.seams.clock().now();
        let until = self.own_board.given_up_at();
        let minutes = until.since(now).as_secs().div_ceil(60);
        self.steps.warn(format!(
            "{} waits, {minutes} min at most: what the board itself is cannot be read yet",
            pending.delivery
        ));
        if pending.delivery.issuer().is_some() {
            let why = "what the board itself is cannot be read yet";
            self.report_deferred(&pending.delivery, why, until.since(now));
        }
        self.wait(pending, Until::BoardRead(until))
    }

    /// The board has been read again.
    pub(super) fn decide_on_those_that_awaited_the_board(&mut self) {
        let waiting = self.waiting.board_read();
        self.decide_on_all(waiting, &MacOwner::NotLookedUp);
    }

    /// Waits before the MAC address is looked up again.
    fn defer(&mut self, mut pending: PendingRequest, why: &str) -> Handling {
        let delivery = &mut pending.delivery;
        delivery.delivered.deferrals += 1;
        self.steps.warn(format!("{delivery} is deferred for {} s: {why}", DEFERRAL.as_secs()));
        if pending.delivery.issuer().is_some() {
            self.report_deferred(&pending.delivery, why, DEFERRAL);
        }
        let at = self.seams.clock().now() + DEFERRAL;
        self.wait(pending, Until::Later(at, why.to_owned()))
    }

    /// How long a look-up may take. Whoever says that there is no uplink does not wait for a broker that
    /// is away: only the LAN can know then.
    fn look_up_within(&mut self, delivery: &Delivery, mac: Mac) -> Duration {
        if !delivery.offline || self.connections.routes().contains(&Route::Mqtt) {
            return LOOK_UP;
        }
        self.steps.tell(format!("no broker is reached: only the LAN is asked who has {mac}"));
        LOOK_UP_ON_THE_LAN
    }

    /// It is known who has a MAC address.
    pub(super) fn looked_up(&mut self, mac: Mac, owner: &MacOwner) {
        let waiting = self.waiting.looked_up(mac);
        self.decide_on_all(waiting, owner);
    }

    /// A look-up that was under way on a connection that ended has no answer any more.
    pub(super) fn look_up_again(&mut self) {
        for mac in self.waiting.look_ups() {
            self.seams.upstream().look_up(mac);
        }
    }

    /// The hooks that ran for the sake of the link have ended.
    pub(super) fn decide_on_those_that_awaited_the_hooks(&mut self) {
        let waiting = self.waiting.hooks_ended();
        self.decide_on_all(waiting, &MacOwner::NotLookedUp);
    }

    pub(super) fn change_ended(&mut self) {
        self.start_hooks_that_are_due();
        let waiting = self.waiting.change_ended();
        self.decide_on_all(waiting, &MacOwner::NotLookedUp);
    }

    /// When what was let go for want of room may be asked for. A change makes all connections anew by
    /// itself.
    pub(super) fn overflow_due(&self) -> Option<Moment> {
        let may_ask = !self.changing() && self.reports.has_room();
        self.waiting.overflow_due().filter(|_| may_ask)
    }

    fn ask_for_overflow(&mut self, now: Moment) {
        self.waiting.asked_for_overflow(now);
        for route in &self.rules.routes {
            self.seams.upstream().ask_again(*route);
        }
    }

    pub(super) fn tick_waiting(&mut self, now: Moment) {
        // A broker that is away cannot be asked, and proves no conflict. One that is there and has not
        // answered yet may still know of one.
        let owner = match self.connections.routes().contains(&Route::Mqtt) {
            true => MacOwner::Unknown(None),
            false => MacOwner::Nobody,
        };
        let unanswered = self.waiting.unanswered(now);
        self.decide_on_all(unanswered, &owner);
        let deferred = self.waiting.due_again(now);
        self.decide_on_all(deferred, &MacOwner::NotLookedUp);
        if self.overflow_due().is_some_and(|due| due <= now) {
            self.ask_for_overflow(now);
        }
    }

    fn decide_on_all(&mut self, requests: Vec<PendingRequest>, owner: &MacOwner) {
        for pending in requests {
            self.decide_on(pending, owner.clone());
        }
        self.decide_on_those_behind();
    }

    fn facts(&self, owner: MacOwner) -> Facts<'_> {
        Facts {
            require_signature: self.rules.require_signature,
            current: &self.record.current,
            board: &self.record.board,
            id: self.rules.own_id(&self.record),
            models: &self.rules.models,
            owner,
            changing: self.changing(),
            in_progress: self.record.change.as_ref().map(|change| &change.cause),
            still_reading: self.own_board.is_awaited(self.seams.clock().now()),
            past: Past { durable: &self.record.ledger, volatile: self.reports.ledger() },
        }
    }
}
