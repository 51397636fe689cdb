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
    NotYet { until: Instant, pkid: Option<u16> },
    Yes,
}

impl Session<'_> {
    /// After every CONNACK: a broker that says that it kept the session need not have.
    pub(super) fn subscribe(&mut self) -> Result<(), String> {
        self.subscribed = Subscribed::NotYet { until: Instant::now() + SUBSCRIBE, pkid: None };
        let filters = self.filters().into_iter();
        let filters = filters.map(|(_, filter)| SubscribeFilter::new(filter, QoS::AtLeastOnce));
        self.client.orders.try_subscribe_many(filters).map_err(|why| jammed(&why))
    }

    /// What this connection subscribes to, and whether the panel could not be reached without it.
    fn filters(&self) -> Vec<(bool, String)> {
        let [patch, board_patch] = self.topics.requests();
        let all = [(true, patch), (true, board_patch), (false, self.topics.presence.clone())];
        let all = all.into_iter().enumerate();
        all.filter(|(at, _)| !self.without.filter(*at)).map(|(_, filter)| filter).collect()
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
        for (at, (needed, filter)) in self.filters().into_iter().enumerate() {
            match granted(answer.return_codes.get(at)) {
                true => {}
                false if needed => {
                    return Err(format!("the broker refuses the subscription to {filter}"));
                }
                false => warn!(
                    "MQTT: the broker refuses the subscription to {filter}: another board with this MAC will not be noticed"
                ),
            }
        }
        self.subscribed = Subscribed::Yes;
        health.reached();
        self.outgoing.presence();
        self.start_look_ups()?;
        self.tell(Event::Reachable { route: Route::Mqtt, connection: self.connection }).await
    }
}
