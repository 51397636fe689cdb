//! The requests that cannot be decided yet.

use std::fmt;
use std::mem;

use intercom_wire::{Mac, Request};

use super::delivery::Delivery;
use super::overflow::Overflow;
use super::pending_request::PendingRequest;
use super::seams::AckToken;
use crate::clock::Moment;
use crate::record::SeqMark;

/// How many requests wait at most; more stay with the broker, unacknowledged.
const MAX_WAITING: usize = 16;
/// With so many there is room for more. What was let go is not asked for before: each time upstream
/// delivers all of it again.
const FEW: usize = MAX_WAITING / 2;

/// What a request waits for. Its `Display` says why it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Until {
    /// The change in progress has ended.
    ChangeEnds,
    /// It is known who has this MAC address; at the latest at the moment.
    LookedUp(Mac, Moment),
    /// What the board itself is could be read; at the latest at the moment.
    BoardRead(Moment),
    /// The hooks that run for the sake of the link have ended; at the latest at the moment.
    HooksEnd(Moment),
    /// The moment: what is in its way, in words, may not be then.
    Later(Moment, String),
    /// The requests that came before it are decided.
    Behind,
}

impl Until {
    /// When it is decided again, whatever happens.
    pub(super) fn at(&self) -> Option<Moment> {
        match self {
            Until::LookedUp(_, at)
            | Until::BoardRead(at)
            | Until::HooksEnd(at)
            | Until::Later(at, _) => Some(*at),
            Until::ChangeEnds | Until::Behind => None,
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Until::ChangeEnds => f.write_str("the change in progress has to end"),
            Until::LookedUp(mac, _) => write!(f, "the other panels are asked who has {mac}"),
            Until::BoardRead(_) => f.write_str("what the board itself is cannot be read yet"),
            Until::HooksEnd(_) => f.write_str("the hooks run for the sake of the link"),
            Until::Later(_, why) => f.write_str(why),
            Until::Behind => {
                f.write_str("a request that came before it was let go for want of room")
            }
        }
    }
}

/// The requests that wait, in the order in which they came, and whether more came than fit.
#[derive(Debug, Default)]
pub(super) struct WaitingRequests {
    waiting: Vec<(PendingRequest, Until)>,
    overflow: Overflow,
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
    /// Looks whether the same request waits already. How often it was deferred is not forgotten.
    pub(super) fn again(&mut self, delivery: &Delivery) -> Again {
        let spare = self.waiting.iter_mut().find_map(|(pending, _)| pending.again(delivery));
        spare.map_or(Again::New, Again::Waits)
    }

    /// Has a request wait, or lets it go where there is no room or one before it was let go: upstream
    /// delivers it again. Nobody delivers an installer's again, so that one always waits; it is refused
    /// on its arrival where there is no room. True if it waits.
    pub(super) fn add(&mut self, pending: PendingRequest, until: Until) -> bool {
        let waits = pending.delivery.is_by_hand() || self.has_room(pending.arrival);
        if waits {
            let at = self.waiting.partition_point(|(other, _)| other.arrival < pending.arrival);
            self.waiting.insert(at, (pending, until));
        } else {
            self.overflow.let_request_go(pending.arrival);
        }
        waits
    }

    /// Whether a request with this place can wait.
    pub(super) fn has_room(&self, arrival: u64) -> bool {
        self.waiting.len() < MAX_WAITING && !self.overflow.is_before(arrival)
    }

    /// What was offered over the broker was offered on a connection that is gone.
    pub(super) fn connection_lost(&mut self) {
        self.waiting.iter_mut().for_each(|(pending, _)| pending.connection_lost());
    }

    /// Those that an issuer has withdrawn.
    pub(super) fn withdrawn(
        &mut self,
        is_withdrawn: impl Fn(&PendingRequest) -> bool,
    ) -> Vec<PendingRequest> {
        self.take(|pending, _| is_withdrawn(pending))
    }

    /// The pending list has been delivered as a whole; the next one begins.
    pub(super) fn listed(&mut self) {
        self.waiting.iter_mut().for_each(|(pending, _)| pending.is_listed = false);
    }

    /// Something else was let go unacknowledged for want of room.
    pub(super) fn let_go(&mut self) {
        self.overflow.let_go();
    }

    /// When upstream may be asked for what was let go. Not while a look-up is under way, which a new
    /// connection would begin anew.
    pub(super) fn overflow_due(&self) -> Option<Moment> {
        // An installer's may wait for what was let go, which is asked for all the same.
        let delivered = self.waiting.iter().filter(|(pending, _)| !pending.delivery.is_by_hand());
        let has_room = delivered.count() <= FEW && self.look_ups().next().is_none();
        self.overflow.due().filter(|_| has_room)
    }

    /// Upstream is asked for it now.
    pub(super) fn asked_for_overflow(&mut self, now: Moment) {
        self.overflow.asked(now);
    }

    /// All connections are made anew, so that what was let go comes again unasked.
    pub(super) fn reconnecting(&mut self) {
        self.overflow = Overflow::default();
    }

    /// Those that waited for the end of the change.
    pub(super) fn change_ended(&mut self) -> Vec<PendingRequest> {
        self.take(|_, until| *until == Until::ChangeEnds)
    }

    /// Those that waited to know who has this MAC address.
    pub(super) fn looked_up(&mut self, mac: Mac) -> Vec<PendingRequest> {
        self.take(|_, until| matches!(until, Until::LookedUp(asked, _) if *asked == mac))
    }

    /// Those whose look-up has had no answer by now.
    pub(super) fn unanswered(&mut self, now: Moment) -> Vec<PendingRequest> {
        self.take(|_, until| matches!(until, Until::LookedUp(_, at) if *at <= now))
    }

    /// Those that waited for the board itself to be read.
    pub(super) fn board_read(&mut self) -> Vec<PendingRequest> {
        self.take(|_, until| matches!(until, Until::BoardRead(_)))
    }

    /// Those that waited for the hooks that ran for the sake of the link.
    pub(super) fn hooks_ended(&mut self) -> Vec<PendingRequest> {
        self.take(|_, until| matches!(until, Until::HooksEnd(_)))
    }

    /// Those that were deferred until now.
    pub(super) fn due_again(&mut self, now: Moment) -> Vec<PendingRequest> {
        self.take(|_, until| match until {
            Until::Later(at, _) | Until::BoardRead(at) | Until::HooksEnd(at) => *at <= now,
            Until::ChangeEnds | Until::LookedUp(..) | Until::Behind => false,
        })
    }

    /// Whether a request that came before this one waits for the owner of its MAC address, or was let go:
    /// what it does to the board is done first.
    pub(super) fn any_before(&self, arrival: u64) -> bool {
        self.first_before(arrival).is_some() || self.overflow.is_before(arrival)
    }

    fn first_before(&self, arrival: u64) -> Option<&(PendingRequest, Until)> {
        let mut before = self.waiting.iter().take_while(|(pending, _)| pending.arrival < arrival);
        before.find(|(_, until)| match until {
            Until::LookedUp(..) | Until::HooksEnd(_) | Until::Later(..) | Until::Behind => true,
            // They are decided in their order when that has happened.
            Until::ChangeEnds | Until::BoardRead(_) => false,
        })
    }

    /// Why a request with this place waits: what it waits for, or which other one it waits for, and why
    /// that one does.
    pub(super) fn reason(&self, arrival: u64, until: &Until) -> String {
        match (until, self.first_before(arrival)) {
            (Until::Behind, Some((first, why))) => {
                format!("{} came before it and is not decided yet: {why}", first.delivery)
            }
            (until, _) => until.to_string(),
        }
    }

    /// The first that waited for those before it, once they are decided.
    pub(super) fn first_behind(&mut self) -> Option<PendingRequest> {
        let at = self.waiting.iter().position(|(_, until)| *until == Until::Behind)?;
        let is_first = !self.any_before(self.waiting[at].0.arrival);
        is_first.then(|| self.waiting.remove(at).0)
    }

    /// Those with a lower `seq` for the same intercom.
    pub(super) fn overtaken_by(&mut self, request: &Request) -> Vec<PendingRequest> {
        let Some(mark) = SeqMark::of(request) else { return Vec::new() };
        let is_lower =
            |waiting: &Request| SeqMark::of(waiting).is_some_and(|waiting| waiting.is_below(&mark));
        self.take(|pending, _| pending.delivery.request.as_ref().is_ok_and(is_lower))
    }

    /// The MAC addresses that are being looked up.
    pub(super) fn look_ups(&self) -> impl Iterator<Item = Mac> {
        self.waiting.iter().filter_map(|(_, until)| match until {
            Until::LookedUp(mac, _) => Some(*mac),
            Until::ChangeEnds
            | Until::BoardRead(_)
            | Until::HooksEnd(_)
            | Until::Later(..)
            | Until::Behind => None,
        })
    }

    /// When the first of them is due, whatever happens.
    pub(super) fn due(&self) -> Option<Moment> {
        self.waiting.iter().filter_map(|(_, until)| until.at()).min()
    }

    /// The requests with what they wait for, in the order in which they came.
    pub(super) fn all(&self) -> impl Iterator<Item = (&PendingRequest, &Until)> {
        self.waiting.iter().map(|(pending, until)| (pending, until))
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// In the order in which they came.
    fn take(&mut self, which: impl Fn(&PendingRequest, &Until) -> bool) -> Vec<PendingRequest> {
        let (taken, rest): (Vec<_>, Vec<_>) =
            mem::take(&mut self.waiting).into_iter().partition(|(one, until)| which(one, until));
        self.waiting = rest;
        taken.into_iter().map(|(pending, _)| pending).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::decide::{Delivered, Timing, Via};
    use crate::record::Route;
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
                is_fresh: true,
                deferrals: 0,
            },
            ack_token: Some(AckToken(token)),
            route: None,
            offline: false,
        }
    }

    fn later_than(at: Moment) -> Until {
        Until::Later(at, "another board has it".to_owned())
    }

    /// The token is its place in the order, too.
    fn pending(id: &str, token: u64) -> PendingRequest {
        PendingRequest::new(delivery(id, token), token, NOW)
    }

    fn with_seq(id: &str, token: u64, seq: u64) -> PendingRequest {
        let mut pending = pending(id, token);
        if let Ok(request) = &mut pending.delivery.request {
            request.seq = Some(seq);
        }
        pending
    }

    fn names(requests: Vec<PendingRequest>) -> Vec<String> {
        requests.iter().map(|pending| pending.delivery.to_string()).collect()
    }

    #[test]
    fn one_message_of_a_request_that_waits_is_held() {
        let mut waiting = WaitingRequests::default();
        assert_eq!(waiting.again(&delivery("r-1", 1)), Again::New);
        waiting.add(pending("r-1", 1), Until::ChangeEnds);
        assert_eq!(waiting.again(&delivery("r-1", 2)), Again::Waits(Some(AckToken(1))));
        assert_eq!(waiting.again(&delivery("r-2", 3)), Again::New);
        assert_eq!(
            waiting.change_ended()[0].delivery.ack_token,
            Some(AckToken(2)),
            "the later one"
        );
    }

    #[test]
    fn each_comes_back_when_what_it_waits_for_has_happened_in_order() {
        let mac: Mac = "22:0D:CE:38:E7:15".parse().expect("a MAC");
        let later = NOW + Duration::from_secs(1);
        let mut waiting = WaitingRequests::default();
        waiting.add(pending("change-1", 1), Until::ChangeEnds);
        waiting.add(pending("look-up", 2), Until::LookedUp(mac, later));
        waiting.add(pending("deferred", 3), later_than(NOW));
        waiting.add(pending("change-2", 4), Until::ChangeEnds);
        waiting.add(pending("board-1", 5), Until::BoardRead(later));
        waiting.add(pending("board-2", 6), Until::BoardRead(later));
        assert_eq!(waiting.due(), Some(NOW));
        assert_eq!(waiting.look_ups().collect::<Vec<_>>(), [mac]);
        assert_eq!(names(waiting.due_again(NOW)), ["request deferred"]);
        assert_eq!(names(waiting.board_read()), ["request board-1", "request board-2"]);
        waiting.add(pending("board-3", 7), Until::BoardRead(later));
        assert_eq!(names(waiting.unanswered(NOW)), [""; 0]);
        assert_eq!(names(waiting.unanswered(later)), ["request look-up"]);
        assert_eq!(names(waiting.due_again(later)), ["request board-3"]);
        waiting.add(pending("hooks-1", 8), Until::HooksEnd(later));
        assert_eq!(names(waiting.hooks_ended()), ["request hooks-1"]);
        waiting.add(pending("hooks-2", 9), Until::HooksEnd(later));
        assert!(waiting.any_before(10) && waiting.due() == Some(later));
        assert_eq!(names(waiting.due_again(later)), ["request hooks-2"]);
        assert_eq!(names(waiting.change_ended()), ["request change-1", "request change-2"]);
        assert_eq!((waiting.len(), waiting.due()), (0, None));
    }

    #[test]
    fn one_that_waits_behind_others_is_next_when_they_are_decided() {
        let mac: Mac = "22:0D:CE:38:E7:15".parse().expect("a MAC");
        let mut waiting = WaitingRequests::default();
        waiting.add(pending("third", 3), Until::Behind);
        waiting.add(pending("second", 2), Until::Behind);
        assert!(!waiting.any_before(1) && waiting.any_before(3));
        waiting.add(pending("first", 1), Until::LookedUp(mac, NOW));
        assert!(waiting.first_behind().is_none());
        assert_eq!(names(waiting.looked_up(mac)), ["request first"]);
        waiting.add(pending("first", 1), later_than(NOW));
        assert!(waiting.first_behind().is_none(), "it keeps its place");
        let why = "request first came before it and is not decided yet: another board has it";
        assert_eq!(
            waiting.reason(3, &Until::Behind),
            why,
            "not the second, which waits for it too"
        );
        assert_eq!(names(waiting.due_again(NOW)), ["request first"]);
        let order: Vec<_> = std::iter::from_fn(|| waiting.first_behind()).collect();
        assert_eq!(names(order), ["request second", "request third"]);
    }

    #[test]
    fn an_offer_that_is_not_listed_any_more_is_dropped() {
        let mut waiting = WaitingRequests::default();
        let listed = |id: &str, token: u64, issuer: Option<&str>| {
            let mut pending = pending(id, token);
            pending.delivery.route = Some(Route::Http);
            if let Ok(request) = &mut pending.delivery.request {
                request.issuer = issuer.and_then(|issuer| issuer.parse().ok());
            }
            pending
        };
        for (token, (id, issuer)) in (1..).zip([("offer", Some("billing")), ("bare", None)]) {
            waiting.add(listed(id, token, issuer), Until::Later(NOW, String::new()));
        }
        let mut over_mqtt = listed("over-mqtt", 3, Some("billing"));
        over_mqtt.delivery.route = Some(Route::Mqtt);
        waiting.add(over_mqtt, Until::Later(NOW, String::new()));
        let withdrawn = |waiting: &mut WaitingRequests| {
            let withdrawn = waiting.withdrawn(PendingRequest::is_withdrawn_from_the_list);
            waiting.listed();
            names(withdrawn)
        };
        assert_eq!(withdrawn(&mut waiting), [""; 0]);
        let again = listed("offer", 4, Some("billing"));
        assert!(matches!(waiting.again(&again.delivery), Again::Waits(_)));
        assert_eq!(withdrawn(&mut waiting), [""; 0], "it was listed both times");
        assert_eq!(withdrawn(&mut waiting), ["request offer"]);
        assert_eq!(names(waiting.due_again(NOW)), ["request bare", "request over-mqtt"]);
    }

    #[test]
    fn a_higher_seq_overtakes_what_waits_for_the_same_intercom() {
        let mut waiting = WaitingRequests::default();
        for (id, seq) in [("low", 1), ("equal", 2), ("high", 3)] {
            waiting.add(with_seq(id, seq, seq), later_than(NOW));
        }
        waiting.add(pending("without", 4), later_than(NOW));
        let later = with_seq("later", 5, 2).delivery.request.expect("readable");
        assert_eq!(names(waiting.overtaken_by(&later)), ["request low"]);
        let other = Request { target: intercom_wire::Target::default(), ..later };
        assert_eq!(names(waiting.overtaken_by(&other)), [""; 0]);
    }

    #[test]
    fn what_an_issuer_withdraws_is_forgotten() {
        let offered = |id: &str| {
            let mut pending = pending(id, 2);
            if let Ok(request) = &mut pending.delivery.request {
                request.issuer = "billing-1".parse().ok();
            }
            pending
        };
        // It has ended for its issuer; the board tries it once more.
        let mut retried = offered("retried");
        retried.delivery.delivered.timing = Timing::Retried;
        let mut waiting = WaitingRequests::default();
        for pending in [pending("by-hand", 1), retried, offered("r-1")] {
            waiting.add(pending, Until::ChangeEnds);
        }
        for id in ["r-1", "by-hand", "retried"] {
            let id = id.parse().expect("an ID");
            waiting.withdrawn(|pending| pending.is_offered_as(&id));
        }
        assert_eq!(names(waiting.change_ended()), ["request by-hand", "request retried"]);
    }

    #[test]
    fn what_finds_no_room_is_asked_for_when_there_is_some() {
        let mut waiting = WaitingRequests::default();
        for number in 1..=16 {
            let until = if number > 8 { Until::ChangeEnds } else { later_than(NOW) };
            assert!(waiting.add(pending(&format!("r-{number}"), number), until));
        }
        assert!(!waiting.add(pending("r-17", 17), Until::ChangeEnds));
        assert_eq!((waiting.len(), waiting.overflow_due()), (MAX_WAITING, None));
        waiting.change_ended();
        assert!(waiting.overflow_due().is_some());
        assert!(waiting.any_before(18));
        assert!(!waiting.add(pending("r-18", 18), Until::ChangeEnds), "it would overtake r-17");
        let mac: Mac = "22:0D:CE:38:E7:15".parse().expect("a MAC");
        assert!(waiting.add(pending("r-9", 9), Until::LookedUp(mac, NOW)), "it was here before");
        assert_eq!(waiting.overflow_due(), None, "the look-up would begin anew");
        waiting.looked_up(mac);
        waiting.asked_for_overflow(NOW);
        assert_eq!(waiting.overflow_due(), None);
        assert!(waiting.add(pending("r-17", 19), Until::ChangeEnds));
    }

    #[test]
    fn an_installer_s_request_is_never_let_go_since_nobody_delivers_it_again() {
        let mut waiting = WaitingRequests::default();
        for number in 1..=16 {
            assert!(waiting.has_room(number));
            waiting.add(pending(&format!("r-{number}"), number), later_than(NOW));
        }
        assert!(!waiting.has_room(17), "it is refused when it comes");
        // It came before them, and the hooks were asked about it meanwhile.
        let mut by_hand = pending("by-hand", 0);
        by_hand.delivery.delivered.via = Via::Installer;
        assert!(waiting.add(by_hand, Until::ChangeEnds));
        assert_eq!(waiting.overflow_due(), None, "nothing was let go");
        assert_eq!(names(waiting.change_ended()), ["request by-hand"]);
    }

    #[test]
    fn what_comes_again_over_new_connections_is_not_asked_for() {
        let mut waiting = WaitingRequests::default();
        waiting.let_go();
        assert!(waiting.overflow_due().is_some());
        waiting.reconnecting();
        assert_eq!(waiting.overflow_due(), None);
    }
}
