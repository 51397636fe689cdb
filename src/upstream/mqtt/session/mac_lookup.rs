//! MAC look-ups: which board has a MAC address now, as its presence topic says.

use std::time::Duration;

use intercom_wire::Mac;
use tokio::time::Instant;

use crate::decide::MacOwner;

/// How many look-ups are under way at once; the others wait for their turn.
const AT_ONCE: usize = 8;
/// How long the broker may take to grant a subscription; on a slow link that takes seconds.
const SUBSCRIBE: Duration = Duration::from_secs(30);
/// How long a retained presence may take to arrive once its topic is subscribed to.
const SILENCE: Duration = Duration::from_secs(1);

/// The MAC addresses that are looked up on one connection, in the order of their start.
#[derive(Debug, Default)]
pub(super) struct MacLookups(Vec<MacLookup>);

#[derive(Debug)]
struct MacLookup {
    mac: Mac,
    topic: String,
    progress: Progress,
}

/// How far a look-up has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It waits for its turn.
    Waiting,
    /// The broker has not granted the subscription. If it does not in time, the owner is unknown.
    Subscribing { pkid: Option<u16>, until: Instant },
    /// The broker has granted the subscription. Silence means that nobody has the address.
    Listening { until: Instant },
    /// The broker has refused the subscription, so that the owner is unknown.
    Refused { at: Instant },
    /// It is answered; its topic is to be unsubscribed from.
    Answered,
}

/// What the client is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call<'a> {
    /// Subscribe to this topic, with a SUBSCRIBE of its own.
    Subscribe(&'a str),
    /// Unsubscribe from this topic.
    Unsubscribe(&'a str),
}

impl MacLookups {
    /// Adds a look-up unless there is one for this address. The agent bounds how many there are.
    pub(super) fn add(&mut self, mac: Mac, topic: String) {
        self.0.retain(|lookup| lookup.mac != mac || lookup.progress != Progress::Answered);
        if !self.0.iter().any(|lookup| lookup.mac == mac) {
            self.0.push(MacLookup { mac, topic, progress: Progress::Waiting });
        }
    }

    /// Hands calls to the client while it accepts them. Its queue may be full; each packet that it
    /// sends comes back as an event, after which the rest follows.
    pub(super) fn hand_over(&mut self, now: Instant, mut accepts: impl FnMut(Call<'_>) -> bool) {
        let answered = |lookup: &MacLookup| lookup.progress == Progress::Answered;
        while let Some(at) = self.0.iter().position(answered) {
            if !accepts(Call::Unsubscribe(&self.0[at].topic)) {
                return;
            }
            self.0.remove(at);
        }
        // All are started in order, so that those under way come first.
        for lookup in self.0.iter_mut().take(AT_ONCE) {
            if lookup.progress == Progress::Waiting {
                if !accepts(Call::Subscribe(&lookup.topic)) {
                    return;
                }
                lookup.progress = Progress::Subscribing { pkid: None, until: now + SUBSCRIBE };
            }
        }
    }

    /// The client has sent a SUBSCRIBE with this packet ID. It sends them in the order in which they
    /// were handed over.
    pub(super) fn sent_as(&mut self, sent: u16) {
        let pkids = self.0.iter_mut().filter_map(|lookup| match &mut lookup.progress {
            Progress::Subscribing { pkid, .. } => Some(pkid),
            _ => None,
        });
        if let Some(pkid) = pkids.into_iter().find(|pkid| pkid.is_none()) {
            *pkid = Some(sent);
        }
    }

    /// The broker has answered the SUBSCRIBE with this packet ID: what is retained comes next. False
    /// if the SUBSCRIBE does not belong to a look-up.
    pub(super) fn subscribed(&mut self, answered: u16, granted: bool, now: Instant) -> bool {
        let lookup = self.0.iter_mut().find(|lookup| {
            matches!(lookup.progress, Progress::Subscribing { pkid, .. } if pkid == Some(answered))
        });
        let Some(lookup) = lookup else { return false };
        lookup.progress = match granted {
            true => Progress::Listening { until: now + SILENCE },
            false => Progress::Refused { at: now },
        };
        true
    }

    /// A presence has come on this topic: ends its look-up, and says for which address it was.
    pub(super) fn take_answered(&mut self, topic: &str) -> Option<Mac> {
        let lookup = self.0.iter_mut().find(|lookup| lookup.topic == topic)?;
        match lookup.progress {
            Progress::Subscribing { .. } | Progress::Listening { .. } => {
                lookup.progress = Progress::Answered;
                Some(lookup.mac)
            }
            Progress::Waiting | Progress::Refused { .. } | Progress::Answered => None,
        }
    }

    /// Ends a look-up whose time is over, and says what that means.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(Mac, MacOwner)> {
        let due = self.0.iter_mut().find_map(|lookup| match lookup.timeout() {
            Some((until, owner)) if until <= now => Some((lookup, owner)),
            _ => None,
        });
        let (lookup, owner) = due?;
        lookup.progress = Progress::Answered;
        Some((lookup.mac, owner))
    }

    /// The broker could not have answered until now.
    pub(super) fn postpone(&mut self, now: Instant) {
        for lookup in &mut self.0 {
            match &mut lookup.progress {
                Progress::Subscribing { until, .. } => *until = now + SUBSCRIBE,
                Progress::Listening { until } => *until = now + SILENCE,
                Progress::Waiting | Progress::Refused { .. } | Progress::Answered => {}
            }
        }
    }

    /// When the time of the next look-up is over.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.iter().filter_map(MacLookup::timeout).map(|(until, _)| until).min()
    }
}

impl MacLookup {
    /// When its time is over, and what it means that no presence has come until then.
    fn timeout(&self) -> Option<(Instant, MacOwner)> {
        match self.progress {
            Progress::Subscribing { until, .. } => Some((until, MacOwner::Unknown)),
            Progress::Listening { until } => Some((until, MacOwner::Nobody)),
            Progress::Refused { at } => Some((at, MacOwner::Unknown)),
            Progress::Waiting | Progress::Answered => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(number: usize) -> Mac {
        format!("AA:BB:CC:DD:EE:{number:02X}").parse().expect("a MAC")
    }

    fn topic(number: usize) -> String {
        format!("presence/{number}")
    }

    fn lookups(count: usize) -> MacLookups {
        let mut lookups = MacLookups::default();
        (0..count).for_each(|number| lookups.add(mac(number), topic(number)));
        lookups
    }

    /// What a client is asked to do that accepts this many calls.
    fn calls(lookups: &mut MacLookups, now: Instant, room: usize) -> Vec<String> {
        let mut calls = Vec::new();
        lookups.hand_over(now, |call| {
            let has_room = calls.len() < room;
            if has_room {
                calls.push(match call {
                    Call::Subscribe(topic) => format!("+{topic}"),
                    Call::Unsubscribe(topic) => format!("-{topic}"),
                });
            }
            has_room
        });
        calls
    }

    #[test]
    fn silence_counts_only_after_the_subscription_is_granted() {
        let (mut lookups, now) = (lookups(1), Instant::now());
        assert_eq!(calls(&mut lookups, now, 9), ["+presence/0"]);
        assert_eq!(calls(&mut lookups, now, 9), [""; 0], "subscribed to once");
        lookups.sent_as(7);
        assert_eq!(lookups.take_due(now + SILENCE), None);
        assert!(!lookups.subscribed(6, true, now), "another packet");
        assert!(lookups.subscribed(7, true, now));
        assert_eq!(lookups.due(), Some(now + SILENCE));
        assert_eq!(lookups.take_due(now), None);
        lookups.postpone(now + SILENCE);
        assert_eq!(
            lookups.take_due(now + SILENCE),
            None,
            "the broker was in the middle of a packet"
        );
        assert_eq!(lookups.take_due(now + 2 * SILENCE), Some((mac(0), MacOwner::Nobody)));
        assert_eq!(calls(&mut lookups, now, 9), ["-presence/0"]);
        assert_eq!(lookups.due(), None);
    }

    #[test]
    fn a_subscription_that_is_refused_or_not_granted_in_time_leaves_the_owner_unknown() {
        let (mut lookups, now) = (lookups(2), Instant::now());
        calls(&mut lookups, now, 9);
        lookups.sent_as(1);
        lookups.sent_as(2);
        assert!(lookups.subscribed(1, false, now));
        assert_eq!(lookups.take_due(now), Some((mac(0), MacOwner::Unknown)));
        assert_eq!(lookups.take_due(now), None);
        assert_eq!(lookups.take_due(now + SUBSCRIBE), Some((mac(1), MacOwner::Unknown)));
    }

    #[test]
    fn packet_ids_belong_to_the_look_ups_in_the_order_of_their_start() {
        let (mut lookups, now) = (lookups(3), Instant::now());
        assert_eq!(calls(&mut lookups, now, 9).len(), 3);
        assert_eq!(lookups.take_answered(&topic(0)), Some(mac(0)), "before its SUBACK");
        lookups.sent_as(1);
        lookups.sent_as(2);
        assert!(lookups.subscribed(2, true, now));
        assert_eq!(lookups.take_due(now + SILENCE), Some((mac(2), MacOwner::Nobody)));
        assert_eq!(lookups.take_answered(&topic(1)), Some(mac(1)));
        assert_eq!(lookups.take_answered(&topic(1)), None, "answered once");
    }

    #[test]
    fn a_few_are_under_way_at_once_and_the_others_take_their_turn() {
        let (mut lookups, now) = (lookups(AT_ONCE + 2), Instant::now());
        assert_eq!(calls(&mut lookups, now, 99).len(), AT_ONCE);
        assert_eq!(calls(&mut lookups, now, 99), [""; 0]);
        assert_eq!(lookups.take_answered(&topic(AT_ONCE)), None, "not subscribed to yet");
        assert_eq!(lookups.take_answered(&topic(3)), Some(mac(3)));
        let next = topic(AT_ONCE);
        assert_eq!(calls(&mut lookups, now, 99), ["-presence/3".to_owned(), format!("+{next}")]);
    }

    #[test]
    fn what_a_full_client_does_not_accept_is_handed_over_later() {
        let (mut lookups, now) = (lookups(2), Instant::now());
        assert_eq!(calls(&mut lookups, now, 1), ["+presence/0"]);
        lookups.take_answered(&topic(0));
        assert_eq!(calls(&mut lookups, now, 0), [""; 0]);
        assert_eq!(calls(&mut lookups, now, 9), ["-presence/0", "+presence/1"]);
    }

    #[test]
    fn an_address_is_looked_up_once_at_a_time() {
        let (mut lookups, now) = (lookups(1), Instant::now());
        lookups.add(mac(0), topic(0));
        assert_eq!(calls(&mut lookups, now, 9), ["+presence/0"]);
        lookups.add(mac(0), topic(0));
        assert_eq!(calls(&mut lookups, now, 9), [""; 0]);
        lookups.take_answered(&topic(0));
        lookups.add(mac(0), topic(0));
        assert_eq!(calls(&mut lookups, now, 9), ["+presence/0"], "again, for a new answer");
    }
}
