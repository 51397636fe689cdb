//! A request from its arrival to its decision.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use intercom_wire::{BoardName, Request, RequestId};

use super::delivery::{Delivery, take_over};
use super::seams::AckToken;
use crate::clock::Moment;
use crate::decide::{MAX_DEFERRALS, Timing};
use crate::record::Route;

/// How often a request is tried again whose new MAC address another board took at the same moment.
const MAX_RETRIES: u8 = 3;
/// The shortest time before that, and the number of seconds that may come on top.
const RETRY_AFTER: Duration = Duration::from_secs(5);
const RETRY_SPREAD: u64 = 40;

/// A delivery with its place in the order in which they came, and what was done about it so far.
#[derive(Debug)]
pub(super) struct PendingRequest {
    pub(super) delivery: Delivery,
    /// Rises with each delivery.
    pub(super) arrival: u64,
    /// When it came.
    pub(super) came: Moment,
    /// Whether the pending list that was delivered last, or is being delivered, has it.
    pub(super) is_listed: bool,
    /// How often it was tried again after an identity conflict.
    pub(super) retries: u8,
    /// Whether the hooks said "not now" when it was to be applied.
    pub(super) deferral: Option<Deferral>,
}

/// The hooks said "not now".
#[derive(Debug, Clone, Copy)]
pub(super) struct Deferral {
    /// When for the first time.
    pub(super) since: Moment,
    /// When the request ends if they still say so.
    pub(super) until: Moment,
    /// When that was told last.
    pub(super) told: Moment,
}

impl PendingRequest {
    pub(super) fn new(delivery: Delivery, arrival: u64, came: Moment) -> Self {
        PendingRequest { delivery, arrival, came, is_listed: true, retries: 0, deferral: None }
    }

    /// Takes the message of another delivery, if it is of the same request. One message of it is held
    /// then, since another one would hold up all that come after it; and none of one that is offered
    /// again anyway. Gives back the spare one.
    pub(super) fn again(&mut self, delivery: &Delivery) -> Option<Option<AckToken>> {
        let key = |delivery: &Delivery| delivery.request.as_ref().ok().map(Request::key);
        let is_same = key(delivery).is_some() && key(delivery) == key(&self.delivery);
        if !is_same {
            return None;
        }
        self.is_listed = true;
        let delivered = &mut self.delivery.delivered;
        delivered.is_fresh |=
            delivery.delivered.is_fresh && delivery.delivered.signature == delivered.signature;
        Some(match delivery.issuer() {
            Some(_) => delivery.ack_token,
            None => take_over(&mut self.delivery.ack_token, delivery.ack_token),
        })
    }

    /// The connection is gone on which it was offered over the broker.
    pub(super) fn connection_lost(&mut self) {
        if self.is_offered() && self.delivery.route == Some(Route::Mqtt) {
            self.delivery.delivered.is_fresh = false;
        }
    }

    /// Whether its issuer offers it again on the next connection, while it stands. What the board tries
    /// once more by itself has ended for the issuer.
    pub(super) fn is_offered(&self) -> bool {
        self.delivery.issuer().is_some() && self.delivery.delivered.timing != Timing::Retried
    }

    /// Whether its issuer offers it under this ID, and so can withdraw it.
    pub(super) fn is_offered_as(&self, id: &RequestId) -> bool {
        let request = self.delivery.request.as_ref().ok().filter(|_| self.is_offered());
        request.is_some_and(|request| request.id.as_ref() == Some(id))
    }

    /// Whether its issuer has listed it and does not any more.
    pub(super) fn is_withdrawn_from_the_list(&self) -> bool {
        self.is_offered() && self.delivery.route == Some(Route::Http) && !self.is_listed
    }

    /// Its change was taken back since another board took the new MAC address too: the same, to be
    /// tried again after a time; `None` if that was done often enough.
    ///
    /// The other board does the same. The time depends on the board's name, so that one of them is
    /// first; the later one finds it there, and yields.
    pub(super) fn retried(mut self, board: &BoardName, now: Moment) -> Option<(Self, Duration)> {
        self.retries += 1;
        let delivered = &mut self.delivery.delivered;
        delivered.timing = Timing::Retried;
        delivered.deferrals = MAX_DEFERRALS;
        let mut hasher = DefaultHasher::new();
        (board, now.as_millis()).hash(&mut hasher);
        let after = RETRY_AFTER + Duration::from_secs(hasher.finish() % RETRY_SPREAD);
        (self.retries <= MAX_RETRIES).then_some((self, after))
    }
}

#[cfg(test)]
mod tests {
    use intercom_wire::Request;
    use intercom_wire::signature::Signature;

    use super::*;
    use crate::agent::fixtures::NOW;
    use crate::decide::{Delivered, Via};

    fn pending() -> PendingRequest {
        let delivered = Delivered {
            via: Via::MacTopic,
            timing: Timing::Live,
            signature: Signature::Missing,
            is_fresh: true,
            deferrals: 0,
        };
        let request = Request::read(br#"{"mac": "AA:BB:CC:DD:EE:FF"}"#);
        let delivery =
            Delivery { request, delivered, ack_token: None, route: None, offline: false };
        PendingRequest::new(delivery, 1, NOW)
    }

    /// When each retry of a board is due.
    fn retries(board: &str) -> Vec<Moment> {
        let board = board.parse().expect("a name");
        let (mut pending, mut now, mut due) = (pending(), NOW, Vec::new());
        while let Some((again, after)) = pending.retried(&board, now) {
            assert!(RETRY_AFTER <= after && after.as_secs() < 45, "{after:?}");
            assert_eq!(again.delivery.delivered.timing, Timing::Retried);
            now = now + after;
            due.push(now);
            pending = again;
        }
        due
    }

    /// What a billing database has offered over the broker.
    fn offered() -> PendingRequest {
        let mut offered = pending();
        offered.delivery.route = Some(Route::Mqtt);
        if let Ok(request) = &mut offered.delivery.request {
            request.issuer = "billing-1".parse().ok();
        }
        offered
    }

    #[test]
    fn an_offer_is_old_when_its_connection_is_gone_until_it_is_made_again() {
        let mut waits = offered();
        waits.connection_lost();
        assert!(!waits.delivery.delivered.is_fresh);
        let mut again = offered().delivery;
        again.ack_token = Some(AckToken(2));
        again.delivered.signature = Signature::Good;
        assert_eq!(waits.again(&again), Some(Some(AckToken(2))), "none is held");
        assert!(!waits.delivery.delivered.is_fresh, "somebody else's");
        again.delivered.signature = Signature::Missing;
        waits.again(&again);
        assert!(waits.delivery.delivered.is_fresh);
        let mut by_hand = pending();
        by_hand.connection_lost();
        assert!(by_hand.delivery.delivered.is_fresh);
        let board = "gate-1".parse().expect("a name");
        let (mut retried, _) = offered().retried(&board, NOW).expect("once more");
        retried.connection_lost();
        assert!(retried.delivery.delivered.is_fresh, "it has ended for its issuer");
    }

    #[test]
    fn two_boards_do_not_try_again_at_the_same_moment_for_ever() {
        let (one, other) = (retries("gate-1"), retries("gate-2"));
        assert_eq!((one.len(), other.len()), (MAX_RETRIES.into(), MAX_RETRIES.into()));
        assert_ne!(one, other);
    }
}
