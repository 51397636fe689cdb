//! Look-ups: who has a MAC address now, as its presence topic tells it.

use std::time::Duration;

use intercom_wire::Mac;
use rumqttc::QoS;
use tokio::time::Instant;

use super::subscription::Subscribed;
use super::{Session, jammed};
use crate::agent::seams::Event;
use crate::decide::MacOwner;

/// How long a retained presence may take to arrive once its topic is subscribed to.
const LOOK_UP: Duration = Duration::from_secs(1);

/// A MAC address whose presence topic is being read.
#[derive(Debug)]
pub(super) struct MacLookup {
    mac: Mac,
    pub(super) topic: String,
    pub(super) asked: Asked,
}

/// How far a look-up has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    NotYet,
    /// The broker has not answered yet, on a slow link for seconds.
    Subscribing {
        pkid: Option<u16>,
    },
    /// Silence up to then means that nobody has it.
    Until(Instant),
}

impl Asked {
    /// The broker has subscribed the panel: what is retained comes next.
    pub(super) fn answered() -> Self {
        Asked::Until(Instant::now() + LOOK_UP)
    }
}

impl MacLookup {
    pub(super) fn until(&self) -> Option<Instant> {
        match self.asked {
            Asked::Until(until) => Some(until),
            Asked::NotYet | Asked::Subscribing { .. } => None,
        }
    }
}

impl Session<'_> {
    pub(super) fn look_up(&mut self, mac: Mac) -> Result<(), String> {
        // The agent asks again when a slow link keeps the answer from it.
        if self.look_ups.iter().all(|look_up| look_up.mac != mac) {
            let topic = self.topics.presence_of(mac)?;
            self.look_ups.push(MacLookup { mac, topic, asked: Asked::NotYet });
        }
        self.start_look_ups()
    }

    /// Not before the own topics are subscribed to: their answer is told by its place in the order.
    pub(super) fn start_look_ups(&mut self) -> Result<(), String> {
        if self.subscribed != Subscribed::Yes {
            return Ok(());
        }
        for look_up in self.look_ups.iter_mut().filter(|look_up| look_up.asked == Asked::NotYet) {
            let subscribed = self.client.handle.try_subscribe(&look_up.topic, QoS::AtLeastOnce);
            subscribed.map_err(|why| jammed(&why))?;
            look_up.asked = Asked::Subscribing { pkid: None };
        }
        Ok(())
    }

    /// The first look-up whose subscription has this packet id, or none yet.
    pub(super) fn look_up_as(&mut self, pkid: Option<u16>) -> Option<&mut MacLookup> {
        self.look_ups.iter_mut().find(|look_up| look_up.asked == Asked::Subscribing { pkid })
    }

    pub(super) async fn answer_look_up(
        &mut self,
        at: usize,
        owner: MacOwner,
    ) -> Result<(), String> {
        let MacLookup { mac, topic, .. } = self.look_ups.swap_remove(at);
        self.client.handle.try_unsubscribe(topic).map_err(|why| jammed(&why))?;
        self.tell(Event::LookedUp { mac, owner }).await
    }
}
