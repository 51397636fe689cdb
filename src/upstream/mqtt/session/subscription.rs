//! The subscription to the panel's own topics; without it the panel is not reached.

use std::time::Duration;

use rumqttc::{QoS, SubAck, SubscribeFilter, SubscribeReasonCode};
use tokio::time::Instant;

use crate::upstream::cause::MqttCause;
use crate::upstream::mqtt::end::ClientEnd;
use crate::upstream::mqtt::topics::Topics;

/// How long subscribing may take.
const SUBSCRIBE: Duration = Duration::from_secs(30);

/// What this connection subscribes to, and how far that has come.
#[derive(Debug)]
pub(in crate::upstream::mqtt) struct OwnSubscription {
    filters: Vec<(String, QoS)>,
    /// The one of them for requests by MAC address, and whether the panel is reached without it.
    mac_requests: Option<(String, bool)>,
    /// On this one of them, what the panel itself publishes comes back.
    presence: String,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    NotSent,
    Sent {
        until: Instant,
        pkid: Option<u16>,
    },
    /// Granted, which proves nothing: mosquitto grants what its access rules deny, and accepts what
    /// they forbid. The panel's own presence must come back first.
    Unproven {
        until: Instant,
    },
    Proven,
}

/// What the broker's answer means.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::upstream::mqtt) enum Answered {
    /// It answers another SUBSCRIBE.
    NotOurs,
    /// All wanted topics are granted. The panel's own presence must come back before the panel counts as
    /// reached.
    Granted {
        /// The topic that was only wished, if it is refused.
        refused: Option<String>,
    },
}

impl OwnSubscription {
    pub(in crate::upstream::mqtt) fn new(topics: &Topics) -> Self {
        OwnSubscription {
            filters: topics.filters(),
            mac_requests: topics.mac_requests(),
            presence: topics.presence.clone(),
            progress: Progress::NotSent,
        }
    }

    /// What to subscribe to after every CONNACK: a broker that says that it kept the session may
    /// not have kept it.
    pub(in crate::upstream::mqtt) fn start(&mut self, now: Instant) -> Vec<SubscribeFilter> {
        self.progress = Progress::Sent { until: now + SUBSCRIBE, pkid: None };
        let filters = self.filters.iter();
        filters.map(|(filter, qos)| SubscribeFilter::new(filter.clone(), *qos)).collect()
    }

    /// The client has sent a SUBSCRIBE with this packet id. False if it is not this one: the client
    /// sends them in the order in which they were handed over, the panel's own topics first.
    pub(in crate::upstream::mqtt) fn sent_as(&mut self, sent: u16) -> bool {
        match &mut self.progress {
            Progress::Sent { pkid: pkid @ None, .. } => {
                *pkid = Some(sent);
                true
            }
            _ => false,
        }
    }

    /// # Errors
    /// When the broker refuses one of the wanted topics.
    pub(in crate::upstream::mqtt) fn answered(
        &mut self,
        answer: &SubAck,
        now: Instant,
    ) -> Result<Answered, MqttCause> {
        if !matches!(self.progress, Progress::Sent { pkid: Some(pkid), .. } if pkid == answer.pkid)
        {
            return Ok(Answered::NotOurs);
        }
        let mut refused = None;
        for (at, (filter, _)) in self.filters.iter().enumerate() {
            if matches!(answer.return_codes.get(at), Some(SubscribeReasonCode::Success(_))) {
                continue;
            }
            let filter = filter.clone();
            match &self.mac_requests {
                Some((requests, true)) if *requests == filter => refused = Some(filter),
                Some((requests, false)) if *requests == filter => {
                    return Err(MqttCause::MacTopicRefused { filter });
                }
                _ => return Err(MqttCause::TopicRefused { filter }),
            }
        }
        self.progress = Progress::Unproven { until: now + SUBSCRIBE };
        Ok(Answered::Granted { refused })
    }

    /// Why the connection has ended: a broker may close it in place of an answer.
    pub(in crate::upstream::mqtt) fn explained(&self, end: ClientEnd) -> ClientEnd {
        match (end, self.progress) {
            (ClientEnd::Closed { .. }, Progress::Sent { pkid: Some(_), .. }) => {
                let filters: Vec<&str> = self.filters.iter().map(|(filter, _)| &**filter).collect();
                let filters = filters.join(", ");
                ClientEnd::Other(MqttCause::ClosedOverSubscribe { filters }.into())
            }
            (end, _) => end,
        }
    }

    /// The panel's own presence has come back, as it was published on this connection.
    pub(in crate::upstream::mqtt) fn presence_returned(&mut self) {
        if self.is_granted() {
            self.progress = Progress::Proven;
        }
    }

    pub(in crate::upstream::mqtt) fn is_proven(&self) -> bool {
        self.progress == Progress::Proven
    }

    /// Whether the answer grants as much as was asked for: QoS 1 needs a broker that takes it.
    pub(in crate::upstream::mqtt) fn has_qos_1(answer: &SubAck) -> bool {
        answer.return_codes.contains(&SubscribeReasonCode::Success(QoS::AtLeastOnce))
    }

    /// Whether the broker has granted it, proven or not.
    pub(in crate::upstream::mqtt) fn is_granted(&self) -> bool {
        matches!(self.progress, Progress::Unproven { .. } | Progress::Proven)
    }

    /// When the broker has had long enough.
    pub(in crate::upstream::mqtt) fn due(&self) -> Option<Instant> {
        match self.progress {
            Progress::Sent { until, .. } | Progress::Unproven { until } => Some(until),
            Progress::NotSent | Progress::Proven => None,
        }
    }

    /// The broker could not have answered until now.
    pub(in crate::upstream::mqtt) fn postpone(&mut self, now: Instant) {
        if let Progress::Sent { until, .. } | Progress::Unproven { until } = &mut self.progress {
            *until = now + SUBSCRIBE;
        }
    }

    /// # Errors
    /// When the broker has had long enough.
    pub(in crate::upstream::mqtt) fn check(&self, now: Instant) -> Result<(), MqttCause> {
        match self.progress {
            Progress::Sent { until, .. } if until <= now => Err(MqttCause::NoSubAck),
            Progress::Unproven { until } if until <= now => {
                Err(MqttCause::PresenceNotReturned { topic: self.presence.clone() })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::cause::Cause;

    fn subscription() -> OwnSubscription {
        let filter = |filter: &str| (filter.to_owned(), QoS::AtMostOnce);
        OwnSubscription {
            filters: ["patch/+", "board/+", "own"].map(filter).into(),
            mac_requests: None,
            presence: "own".to_owned(),
            progress: Progress::NotSent,
        }
    }

    fn answer(pkid: u16, granted: [bool; 3]) -> SubAck {
        let code = |granted| match granted {
            true => SubscribeReasonCode::Success(QoS::AtLeastOnce),
            false => SubscribeReasonCode::Failure,
        };
        SubAck::new(pkid, granted.map(code).to_vec())
    }

    #[test]
    fn only_the_presence_that_comes_back_proves_it() {
        let (mut own, now) = (subscription(), Instant::now());
        assert_eq!(own.start(now).len(), 3);
        assert!(own.sent_as(1));
        assert!(!own.sent_as(2), "a look-up's");
        own.presence_returned();
        assert!(!own.is_granted(), "before the answer it proves nothing");
        assert_eq!(own.answered(&answer(2, [true; 3]), now).ok(), Some(Answered::NotOurs));
        assert_eq!(
            own.answered(&answer(1, [true; 3]), now).ok(),
            Some(Answered::Granted { refused: None })
        );
        assert!(own.is_granted() && !own.is_proven());
        own.presence_returned();
        assert!(own.is_proven());
    }

    #[test]
    fn a_connection_that_is_closed_over_the_subscription_is_told_as_that() {
        let (mut own, now) = (subscription(), Instant::now());
        let cause = |own: &OwnSubscription| {
            Cause::from(own.explained(ClientEnd::Closed { silence: Duration::ZERO })).name()
        };
        own.start(now);
        assert_eq!(cause(&own), "mqtt-closed", "it is not sent");
        own.sent_as(1);
        assert_eq!(cause(&own), "mqtt-closed-over-subscribe");
        own.answered(&answer(1, [true; 3]), now).expect("granted");
        assert_eq!(cause(&own), "mqtt-closed");
    }

    #[test]
    fn each_topic_must_be_granted() {
        let now = Instant::now();
        for granted in [[false, true, true], [true, false, true], [true, true, false]] {
            let mut own = subscription();
            own.start(now);
            own.sent_as(1);
            let refused = own.answered(&answer(1, granted), now);
            assert!(matches!(refused, Err(MqttCause::TopicRefused { .. })), "{refused:?}");
        }
    }

    #[test]
    fn the_topic_that_is_only_wished_may_be_refused() {
        let now = Instant::now();
        for (granted, reached) in [([false, true, true], true), ([false, false, true], false)] {
            let wished = "patch/+".to_owned();
            let mac_requests = Some((wished.clone(), true));
            let mut own = OwnSubscription { mac_requests, ..subscription() };
            own.start(now);
            own.sent_as(1);
            let answered = own.answered(&answer(1, granted), now).ok();
            assert_eq!(answered, reached.then_some(Answered::Granted { refused: Some(wished) }));
        }
    }

    #[test]
    fn leaving_the_topics_by_mac_address_out_is_advised_for_their_requests_alone() {
        let now = Instant::now();
        for (granted, advised) in [([false, true, true], true), ([true, false, true], false)] {
            let mac_requests = Some(("patch/+".to_owned(), false));
            let mut own = OwnSubscription { mac_requests, ..subscription() };
            own.start(now);
            own.sent_as(1);
            let refused = own.answered(&answer(1, granted), now).expect_err("refused");
            let advice = Cause::from(refused).advice();
            assert_eq!(advice.contains("mac_topics"), advised, "{advice}");
        }
    }

    #[test]
    fn a_broker_has_a_time_limit_for_each_step() {
        let (mut own, now) = (subscription(), Instant::now());
        assert_eq!(own.due(), None);
        own.start(now);
        assert!(own.check(now).is_ok());
        let late = now + SUBSCRIBE;
        assert!(matches!(own.check(late), Err(MqttCause::NoSubAck)));
        own.postpone(late);
        assert_eq!(own.due(), Some(late + SUBSCRIBE));
        assert!(own.check(late).is_ok());
        own.sent_as(1);
        own.answered(&answer(1, [true; 3]), now).expect("granted");
        assert_eq!(own.due(), Some(late));
        assert!(matches!(own.check(late), Err(MqttCause::PresenceNotReturned { .. })));
        own.presence_returned();
        assert!(own.check(late).is_ok());
    }
}
