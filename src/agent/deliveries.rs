//! Deliveries: each is decided once, and what cannot be decided yet waits.

use intercom_wire::{Outcome, Request, Unreadable};
use log::info;

use super::Agent;
use super::seams::{AckToken, Seams};
use super::waiting::Until;
use crate::clock::Clock;
use crate::decide::{Decision, Delivered, Facts, MacOwner, OwnId, Past, decide};
use crate::record::Route;

/// One request as a route delivered it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What was read of it.
    pub request: Result<Request, Unreadable>,
    /// How it came.
    pub delivered: Delivered,
    /// What the broker wants acknowledged.
    pub ack_token: Option<AckToken>,
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

impl<S: Seams> Agent<S> {
    /// Takes a delivery.
    pub fn deliver(&mut self, delivery: Delivery) -> Handling {
        self.record.counters.delivered += 1;
        if self.waits_already(&delivery) {
            return Handling::Kept;
        }
        self.decide_on(delivery, MacOwner::NotLookedUp)
    }

    /// What a request would mean for this board now; changes nothing.
    pub fn check(&self, delivery: &Delivery, owner: MacOwner) -> Decision {
        decide(&delivery.request, &delivery.delivered, &self.facts(owner))
    }

    pub(super) fn decide_on(&mut self, delivery: Delivery, owner: MacOwner) -> Handling {
        match self.check(&delivery, owner) {
            Decision::Ignore(why) => {
                self.record.counters.ignored += 1;
                if let Some(line) = self.ignored.note(why, self.seams.clock().now()) {
                    info!("{line}");
                }
                self.acknowledge(delivery.ack_token);
            }
            Decision::Reject(errors) => self.reject(&delivery, errors),
            Decision::AlreadyDone(report) => self.repeat(&delivery, *report),
            Decision::Overtaken => {
                let reason = "a later request for the same intercom was decided before".to_owned();
                self.end_volatile(&delivery, Outcome::Rejected, reason);
            }
            Decision::Keep => return self.wait(delivery, Until::ChangeEnds),
            Decision::LookUp(mac) => return self.wait_for_look_up(delivery, mac),
            Decision::Defer(board) => return self.defer(delivery, board),
            Decision::AlreadyInstalled => self.already_installed(&delivery),
            Decision::Apply(identity) => self.apply(&delivery, identity),
        }
        Handling::Decided
    }

    pub(super) fn own_id(&self) -> Option<OwnId> {
        let configured = self.rules.configured_id.map(OwnId::Configured);
        configured.or(self.record.learnt_id.map(OwnId::Learnt))
    }

    fn facts(&self, owner: MacOwner) -> Facts<'_> {
        Facts {
            require_signature: self.rules.require_signature,
            current: &self.record.current,
            board: &self.record.board,
            id: self.own_id(),
            models: &self.rules.models,
            owner,
            changing: self.changing(),
            past: Past { durable: &self.record.ledger, volatile: &self.volatile },
        }
    }
}
