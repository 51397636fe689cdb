//! Deliveries that cannot be decided yet.

use std::time::Duration;

use intercom_wire::{BoardName, Mac, Request, RequestKey};

use super::Agent;
use super::deliveries::{Delivery, Handling};
use super::endings::name;
use super::seams::{AckToken, Seams, Upstream};
use crate::clock::{Clock, Moment};
use crate::decide::MacOwner;

/// How many deliveries wait at most; more stay with the broker, unacknowledged.
const MAX_WAITING: usize = 16;
/// How long a request is deferred while another board has its new MAC.
const DEFERRAL: Duration = Duration::from_secs(60);
/// How long an answer to a look-up is waited for.
const LOOK_UP: Duration = Duration::from_secs(15);

/// A delivery that cannot be decided yet.
#[derive(Debug)]
pub(super) struct Waiting {
    delivery: Delivery,
    until: Until,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
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
    /// Whether the same request waits already; one message of it is held then.
    pub(super) fn waits_already(&mut self, delivery: &Delivery) -> bool {
        let key = delivery.request.as_ref().ok().map(Request::key);
        let same = |waiting: &&mut Waiting| key.is_some() && waiting.key() == key;
        let Some(waiting) = self.waiting.iter_mut().find(same) else { return false };
        // How often it was deferred is not forgotten. One message is enough to have it come again;
        // another one before it would hold up all that come after.
        let spare = take_over(&mut waiting.delivery.ack_token, delivery.ack_token);
        self.acknowledge(spare);
        true
    }

    /// Asks who has the MAC address, and waits for the answer.
    pub(super) fn wait_for_look_up(&mut self, delivery: Delivery, mac: Mac) -> Handling {
        self.seams.upstream().look_up(mac);
        let at = self.seams.clock().now() + LOOK_UP;
        self.wait(delivery, Until::LookedUp(mac, at))
    }

    /// Waits for another board to let go of the MAC address.
    pub(super) fn defer(&mut self, mut delivery: Delivery, board: Option<BoardName>) -> Handling {
        delivery.delivered.deferrals += 1;
        let owner = board.map_or_else(|| "another board".into(), |b| format!("board {b}"));
        self.steps.warn(format!(
            "{} is deferred for {} s: {owner} has its new MAC now",
            name(&delivery),
            DEFERRAL.as_secs()
        ));
        let at = self.seams.clock().now() + DEFERRAL;
        self.wait(delivery, Until::Later(at))
    }

    pub(super) fn looked_up(&mut self, mac: Mac, owner: &MacOwner) {
        let asked = |waiting: &Waiting| matches!(waiting.until, Until::LookedUp(m, _) if m == mac);
        self.decide_waiting(asked, owner);
    }

    pub(super) fn change_ended(&mut self) {
        self.decide_waiting(|waiting| waiting.until == Until::ChangeEnds, &MacOwner::NotLookedUp);
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

    /// A look-up that was under way on a connection that ended has no answer any more.
    pub(super) fn look_up_again(&mut self) {
        for waiting in &self.waiting {
            if let Until::LookedUp(mac, _) = waiting.until {
                self.seams.upstream().look_up(mac);
            }
        }
    }

    pub(super) fn tick_waiting(&mut self, now: Moment) {
        // Nobody could be asked: the broker is away, or will not tell. That proves no conflict.
        let unanswered =
            |waiting: &Waiting| matches!(waiting.until, Until::LookedUp(_, at) if at <= now);
        self.decide_waiting(unanswered, &MacOwner::Nobody);
        let later = |waiting: &Waiting| matches!(waiting.until, Until::Later(at) if at <= now);
        self.decide_waiting(later, &MacOwner::NotLookedUp);
    }

    fn decide_waiting(&mut self, which: impl Fn(&Waiting) -> bool, owner: &MacOwner) {
        let (due, rest) = std::mem::take(&mut self.waiting).into_iter().partition(which);
        self.waiting = rest;
        for waiting in due {
            self.decide_on(waiting.delivery, owner.clone());
        }
    }

    pub(super) fn wait(&mut self, delivery: Delivery, until: Until) -> Handling {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push(Waiting { delivery, until });
        } else {
            self.overflowed = true;
        }
        Handling::Kept
    }
}

/// The same request was delivered again: the later message stands for it, if it can. The other one
/// is given back.
pub(super) fn take_over(held: &mut Option<AckToken>, later: Option<AckToken>) -> Option<AckToken> {
    later.and_then(|later| held.replace(later))
}
