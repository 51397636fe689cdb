//! The requests that cannot be decided yet.

use std::mem;

use intercom_wire::{Mac, Request};

use super::delivery::{Delivery, take_over};
use super::seams::AckToken;
use crate::clock::Moment;

/// How many requests wait at most; more stay with the broker, unacknowledged.
const MAX_WAITING: usize = 16;

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The change in progress has ended.
    ChangeEnds,
    /// It is known who has this MAC address; at the latest at the moment.
    LookedUp(Mac, Moment),
    /// What the board itself is could be read; at the latest at the moment.
    BoardRead(Moment),
    /// The other board may have let go of the MAC address.
    Later(Moment),
}

/// The requests that wait, and whether there were more than fit.
#[derive(Debug, Default)]
pub(super) struct WaitingRequests {
    waiting: Vec<(Delivery, Until)>,
    overflowed: bool,
}

/// What became of a delivery of a request that waits already.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// It waits already; this message is spare.
    Waits(Option<AckToken>),
    /// It does not wait.
    New,
}

impl WaitingRequests {
    /// Looks whether the same request waits already. One message of it is held then: another one
    /// would hold up all that come after it. How often it was deferred is not forgotten.
    pub(super) fn again(&mut self, delivery: &Delivery) -> Again {
        let key = |delivery: &Delivery| delivery.request.as_ref().ok().map(Request::key);
        let Some(wanted) = key(delivery) else { return Again::New };
        match self.waiting.iter_mut().find(|(waiting, _)| key(waiting).as_ref() == Some(&wanted)) {
            Some((waiting, _)) => {
                Again::Waits(take_over(&mut waiting.ack_token, delivery.ack_token))
            }
            None => Again::New,
        }
    }

    /// Has a request wait, or lets it go where there is no room: the broker delivers it again. True
    /// if it waits.
    pub(super) fn add(&mut self, delivery: Delivery, until: Until) -> bool {
        let has_room = self.waiting.len() < MAX_WAITING;
        if has_room {
            self.waiting.push((delivery, until));
        } else {
            self.overflowed = true;
        }
        has_room
    }

    /// Something else was let go unacknowledged for want of room.
    pub(super) fn let_go(&mut self) {
        self.overflowed = true;
    }

    /// Whether anything was let go since this was asked last.
    pub(super) fn take_overflow(&mut self) -> bool {
        mem::take(&mut self.overflowed)
    }

    /// Those that waited for the end of the change.
    pub(super) fn change_ended(&mut self) -> Vec<Delivery> {
        self.take(|until| *until == Until::ChangeEnds)
    }

    /// Those that waited to know who has this MAC address.
    pub(super) fn looked_up(&mut self, mac: Mac) -> Vec<Delivery> {
        self.take(|until| matches!(until, Until::LookedUp(asked, _) if *asked == mac))
    }

    /// Those whose look-up has had no answer by now.
    pub(super) fn unanswered(&mut self, now: Moment) -> Vec<Delivery> {
        self.take(|until| matches!(until, Until::LookedUp(_, at) if *at <= now))
    }

    /// Those that waited for the board itself to be read.
    pub(super) fn board_read(&mut self) -> Vec<Delivery> {
        self.take(|until| matches!(until, Until::BoardRead(_)))
    }

    /// Those that were deferred until now.
    pub(super) fn due_again(&mut self, now: Moment) -> Vec<Delivery> {
        self.take(|until| matches!(until, Until::Later(at) | Until::BoardRead(at) if *at <= now))
    }

    /// The MAC addresses that are being looked up.
    pub(super) fn look_ups(&self) -> impl Iterator<Item = Mac> {
        self.waiting.iter().filter_map(|(_, until)| match until {
            Until::LookedUp(mac, _) => Some(*mac),
            Until::ChangeEnds | Until::BoardRead(_) | Until::Later(_) => None,
        })
    }

    /// When the first of them is due, whatever happens.
    pub(super) fn due(&self) -> Option<Moment> {
        let due = self.waiting.iter().filter_map(|(_, until)| match until {
            Until::LookedUp(_, at) | Until::BoardRead(at) | Until::Later(at) => Some(*at),
            Until::ChangeEnds => None,
        });
        due.min()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// In the order in which they came.
    fn take(&mut self, which: impl Fn(&Until) -> bool) -> Vec<Delivery> {
        let (taken, rest): (Vec<_>, Vec<_>) =
            mem::take(&mut self.waiting).into_iter().partition(|(_, until)| which(until));
        self.waiting = rest;
        taken.into_iter().map(|(delivery, _)| delivery).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::decide::{Delivered, Timing, Via};
    use intercom_wire::signature::Signature;

    const NOW: Moment = Moment::from_millis(60_000);

    fn delivery(id: &str, token: u64) -> Delivery {
        let body = json!({"request_id": id, "mac": "AA:BB:CC:DD:EE:FF"});
        Delivery {
            request: Request::read(body.to_string().as_bytes()),
            delivered: Delivered {
                via: Via::MacTopic,
                timing: Timing::Live,
                signature: Signature::Missing,
                deferrals: 0,
            },
            ack_token: Some(AckToken(token)),
            route: None,
            offline: false,
        }
    }

    fn names(deliveries: Vec<Delivery>) -> Vec<String> {
        deliveries.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_message_of_a_request_that_waits_is_held() {
        let mut waiting = WaitingRequests::default();
        assert_eq!(waiting.again(&delivery("r-1", 1)), Again::New);
        waiting.add(delivery("r-1", 1), Until::ChangeEnds);
        assert_eq!(waiting.again(&delivery("r-1", 2)), Again::Waits(Some(AckToken(1))));
        assert_eq!(waiting.again(&delivery("r-2", 3)), Again::New);
        assert_eq!(waiting.change_ended()[0].ack_token, Some(AckToken(2)), "the later one");
    }

    #[test]
    fn each_comes_back_when_what_it_waits_for_has_happened_in_order() {
        let mac: Mac = "22:0D:CE:38:E7:15".parse().expect("a MAC");
        let later = NOW + Duration::from_secs(1);
        let mut waiting = WaitingRequests::default();
        waiting.add(delivery("change-1", 1), Until::ChangeEnds);
        waiting.add(delivery("look-up", 2), Until::LookedUp(mac, later));
        waiting.add(delivery("deferred", 3), Until::Later(NOW));
        waiting.add(delivery("change-2", 4), Until::ChangeEnds);
        waiting.add(delivery("board-1", 5), Until::BoardRead(later));
        waiting.add(delivery("board-2", 6), Until::BoardRead(later));
        assert_eq!(waiting.due(), Some(NOW));
        assert_eq!(waiting.look_ups().collect::<Vec<_>>(), [mac]);
        assert_eq!(names(waiting.due_again(NOW)), ["request deferred"]);
        assert_eq!(names(waiting.board_read()), ["request board-1", "request board-2"]);
        waiting.add(delivery("board-3", 7), Until::BoardRead(later));
        assert_eq!(names(waiting.unanswered(NOW)), [""; 0]);
        assert_eq!(names(waiting.unanswered(later)), ["request look-up"]);
        assert_eq!(names(waiting.due_again(later)), ["request board-3"]);
        assert_eq!(names(waiting.change_ended()), ["request change-1", "request change-2"]);
        assert_eq!((waiting.len(), waiting.due()), (0, None));
    }

    #[test]
    fn what_finds_no_room_is_remembered_once() {
        let mut waiting = WaitingRequests::default();
        for number in 0..MAX_WAITING {
            waiting.add(delivery(&format!("r-{number}"), 0), Until::ChangeEnds);
        }
        assert!(!waiting.take_overflow());
        assert!(!waiting.add(delivery("one-more", 0), Until::ChangeEnds));
        assert_eq!(waiting.len(), MAX_WAITING);
        assert!(waiting.take_overflow() && !waiting.take_overflow());
    }
}
