//! Subscribing to the panel's own topics; without them the panel is not reached.

use std::time::Duration;

use log::warn;
use rumqttc::{QoS, SubAck, SubscribeFilter, SubscribeReasonCode};
use tokio::time::Instant;

use super::look_up::Asked;
use super::{Session, jammed};
use crate::agent::seams::Event;
use crate::record::Route;
use crate::upstream::Health;

/// How long subscribing may take.
const SUBSCRIBE: Duration = Duration::from_secs(30);

/// How far the subscription to the panel's own topics has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subscribed {
    NotYet {
        until: Instant,
        pkid: Option<u16>,
    },
    /// Granted, which proves nothing: mosquitto grants what its access rules deny, and takes what
    /// they forbid. The panel's own presence must come back first.
    Unproven {
        until: Instant,
    },
    Yes,
}

impl Session<'_> {
    /// After every CONNACK: a broker that says that it kept the session need not have.
    pub(super) fn subscribe(&mut self) -> Result<(), String> {
        self.subscribed = Subscribed::NotYet { until: Instant::now() + SUBSCRIBE, pkid: None };
        // The presence must come back while the broker waits for acknowledgements of requests.
        let qos = |needed| if needed { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let filters = self.filters().into_iter();
        let filters = filters.map(|(needed, filter)| SubscribeFilter::new(filter, qos(needed)));
        self.client.handle.try_subscribe_many(filters).map_err(|why| jammed(&why))
    }

    /// What this connection subscribes to, and whether the panel could not be reached without it.
    fn filters(&self) -> Vec<(bool, String)> {
        let [patch, board_patch] = self.topics.requests();
        let all = [(true, patch), (true, board_patch), (false, self.topics.presence.clone())];
        let all = all.into_iter().enumerate();
        all.filter(|(at, _)| !self.skipped.filter(*at)).map(|(_, filter)| filter).collect()
    }

    pub(super) async fn subscription_answered(
        &mut self,
        answer: &SubAck,
        health: &Health,
    ) -> Result<(), String> {
        if let Some(look_up) = self.look_up_as(Some(answer.pkid)) {
            look_up.asked = Asked::answered();
            return Ok(());
        }
        let Subscribed::NotYet { pkid, .. } = self.subscribed else { return Ok(()) };
        if pkid != Some(answer.pkid) {
            return Ok(());
        }
        let granted = |code: Option<&SubscribeReasonCode>| {
            matches!(code, Some(SubscribeReasonCode::Success(_)))
        };
        let mut comes_back = false;
        for (at, (needed, filter)) in self.filters().into_iter().enumerate() {
            match granted(answer.return_codes.get(at)) {
                true => comes_back |= !needed,
                false if needed => {
                    return Err(format!("the broker refuses the subscription to {filter}"));
                }
                false => warn!(
                    "MQTT: the broker refuses the subscription to {filter}: another board with this MAC will not be noticed"
                ),
            }
        }
        self.outgoing.presence_first();
        if comes_back {
            self.subscribed = Subscribed::Unproven { until: Instant::now() + SUBSCRIBE };
            return Ok(());
        }
        self.proven(health).await
    }

    /// The panel's own presence has come back, if this was waited for.
    pub(super) async fn came_back(&mut self, health: &Health) -> Result<(), String> {
        match self.subscribed {
            Subscribed::Unproven { .. } => self.proven(health).await,
            Subscribed::NotYet { .. } | Subscribed::Yes => Ok(()),
        }
    }

    async fn proven(&mut self, health: &Health) -> Result<(), String> {
        self.subscribed = Subscribed::Yes;
        health.reached();
        self.start_look_ups()?;
        self.tell(Event::Reachable { route: Route::Mqtt, connection: self.connection }).await
    }
}
