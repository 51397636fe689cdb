//! What goes out: acknowledgements in their order, and one message at a time.

use intercom_wire::{Presence, PresenceState};
use log::warn;
use rumqttc::QoS;

use super::subscription::Subscribed;
use super::{Session, jammed};
use crate::upstream::mqtt::client::MAX_PACKET;
use crate::upstream::mqtt::outgoing::Message;

impl Session<'_> {
    /// Hands the client what can be acknowledged. After a burst its queue is full; what it sends
    /// from it comes back as an event, and then the rest follows.
    pub(super) fn acknowledge_ready(&mut self) {
        while let Some(message) = self.acknowledgements.ready() {
            if self.client.handle.try_ack(&message).is_err() {
                return;
            }
            self.acknowledgements.acknowledged();
        }
    }

    /// Publishes the next message, if none is on its way.
    pub(super) fn publish_next(&mut self) -> Result<(), String> {
        match self.subscribed {
            Subscribed::Yes => {}
            Subscribed::Unproven { .. } if self.outgoing.presence_is_next() => {}
            Subscribed::NotYet { .. } | Subscribed::Unproven { .. } => return Ok(()),
        }
        while let Some(message) = self.outgoing.next() {
            let (topic, payload, retain) = match message {
                Message::Report(_, payload) => (self.topics.status.clone(), payload.clone(), false),
                Message::Presence => {
                    let own = Presence {
                        state: PresenceState::Online,
                        board: self.connect_as.board.clone(),
                    };
                    (self.topics.presence.clone(), own.payload(), true)
                }
                Message::GiveUp(mac) if *mac == self.connect_as.identity.mac => {
                    // It has come back since: nothing to let go of.
                    self.outgoing.skip();
                    continue;
                }
                Message::GiveUp(mac) => {
                    let requests = self.topics.requests_of(*mac)?;
                    self.client.handle.try_unsubscribe(requests).map_err(|why| jammed(&why))?;
                    (self.topics.presence_of(*mac)?, Vec::new(), true)
                }
            };
            if topic.len() + payload.len() + 16 > MAX_PACKET {
                warn!("MQTT: a message of {} bytes is too large and is dropped", payload.len());
                self.outgoing.skip();
                continue;
            }
            let publish = self.client.handle.try_publish(topic, QoS::AtLeastOnce, retain, payload);
            if publish.is_err() {
                // The client's queue is full of acknowledgements: with the next event.
                self.outgoing.put_back();
            }
            return Ok(());
        }
        Ok(())
    }
}
