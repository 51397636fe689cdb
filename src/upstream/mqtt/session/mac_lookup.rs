//! Look-ups: which board has a MAC address now, as its presence topic says.

use std::time::Duration;

use intercom_wire::Mac;
use tokio::time::Instant;

/// How long a retained presence may take to arrive once its topic is subscribed to.
const LOOK_UP: Duration = Duration::from_secs(1);

/// The MAC addresses whose presence topics are being read on one connection.
#[derive(Debug, Default)]
pub(super) struct MacLookups(Vec<MacLookup>);

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MacLookup {
    pub(super) mac: Mac,
    pub(super) topic: String,
    progress: Progress,
}

/// How far a look-up has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    NotStarted,
    /// The broker has not answered yet; on a slow link that takes seconds.
    Subscribing {
        pkid: Option<u16>,
    },
    /// Silence until then means that nobody has the address.
    Until(Instant),
}

impl MacLookups {
    pub(super) fn contains(&self, mac: Mac) -> bool {
        self.0.iter().any(|lookup| lookup.mac == mac)
    }

    pub(super) fn add(&mut self, mac: Mac, topic: String) {
        self.0.push(MacLookup { mac, topic, progress: Progress::NotStarted });
    }

    /// The topics to subscribe to now, each with a SUBSCRIBE of its own.
    pub(super) fn start(&mut self) -> Vec<String> {
        let mut topics = Vec::new();
        for lookup in self.0.iter_mut().filter(|lookup| lookup.progress == Progress::NotStarted) {
            lookup.progress = Progress::Subscribing { pkid: None };
            topics.push(lookup.topic.clone());
        }
        topics
    }

    /// The client has sent a SUBSCRIBE with this packet id: the one of the first that waits.
    pub(super) fn sent_as(&mut self, pkid: u16) {
        if let Some(lookup) = self.subscribing_as(None) {
            lookup.progress = Progress::Subscribing { pkid: Some(pkid) };
        }
    }

    /// The broker has answered this SUBSCRIBE: what is retained comes next. False if it is not one
    /// of a look-up.
    pub(super) fn subscribed(&mut self, pkid: u16, now: Instant) -> bool {
        let lookup = self.subscribing_as(Some(pkid));
        lookup.map(|lookup| lookup.progress = Progress::Until(now + LOOK_UP)).is_some()
    }

    fn subscribing_as(&mut self, pkid: Option<u16>) -> Option<&mut MacLookup> {
        self.0.iter_mut().find(|lookup| lookup.progress == Progress::Subscribing { pkid })
    }

    /// Ends the look-up that reads this topic.
    pub(super) fn take_answered(&mut self, topic: &str) -> Option<MacLookup> {
        let at = self.0.iter().position(|lookup| lookup.topic == topic)?;
        Some(self.0.swap_remove(at))
    }

    /// Ends a look-up that has had no answer in time.
    pub(super) fn take_unanswered(&mut self, now: Instant) -> Option<MacLookup> {
        let unanswered = |lookup: &MacLookup| lookup.due().is_some_and(|due| due <= now);
        let at = self.0.iter().position(unanswered)?;
        Some(self.0.swap_remove(at))
    }

    /// When the next look-up will have had no answer in time.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.iter().filter_map(MacLookup::due).min()
    }
}

impl MacLookup {
    fn due(&self) -> Option<Instant> {
        match self.progress {
            Progress::Until(until) => Some(until),
            Progress::NotStarted | Progress::Subscribing { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookups(macs: &[&str]) -> MacLookups {
        let mut lookups = MacLookups::default();
        for mac in macs {
            lookups.add(mac.parse().expect("a MAC"), format!("presence/{mac}"));
        }
        lookups
    }

    #[test]
    fn silence_counts_only_after_the_broker_has_subscribed_the_panel() {
        let (mut lookups, now) = (lookups(&["AA:BB:CC:DD:EE:01"]), Instant::now());
        assert_eq!(lookups.start(), ["presence/AA:BB:CC:DD:EE:01"]);
        assert_eq!(lookups.start(), [""; 0], "subscribed to once");
        lookups.sent_as(7);
        assert_eq!(lookups.due(), None);
        assert!(!lookups.subscribed(6, now), "somebody else's");
        assert!(lookups.subscribed(7, now));
        assert_eq!(lookups.due(), Some(now + LOOK_UP));
        assert_eq!(lookups.take_unanswered(now), None);
        assert!(lookups.take_unanswered(now + LOOK_UP).is_some());
        assert!(!lookups.contains("AA:BB:CC:DD:EE:01".parse().expect("a MAC")));
    }

    #[test]
    fn packet_ids_belong_to_the_look_ups_in_the_order_of_their_start() {
        let mut lookups = lookups(&["AA:BB:CC:DD:EE:01", "AA:BB:CC:DD:EE:02"]);
        let now = Instant::now();
        assert_eq!(lookups.start().len(), 2);
        lookups.sent_as(1);
        lookups.sent_as(2);
        assert!(lookups.subscribed(2, now));
        let unanswered = lookups.take_unanswered(now + LOOK_UP).expect("one");
        assert_eq!(unanswered.topic, "presence/AA:BB:CC:DD:EE:02");
        let answered = lookups.take_answered("presence/AA:BB:CC:DD:EE:01").expect("the other");
        assert_eq!(answered.mac, "AA:BB:CC:DD:EE:01".parse().expect("a MAC"));
        assert_eq!(lookups.take_answered("presence/AA:BB:CC:DD:EE:01"), None);
    }
}
