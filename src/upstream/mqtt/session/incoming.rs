//! Messages from the broker: each is opened for its acknowledgement and goes where its topic says.

use std::time::Duration;

use intercom_wire::{Presence, PresenceState, Request, RequestId, Unreadable};
use log::{debug, warn};
use rumqttc::Publish;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Session;
use crate::agent::Delivery;
use crate::agent::seams::AckToken;
use crate::decide::{Delivered, MacOwner, Timing, Via};
use crate::record::Route;
use crate::upstream::mqtt::presence::owner;
use crate::upstream::mqtt::topics::About;
use crate::upstream::{Health, RouteCommand, RouteEvent};

/// How often the presence is published again while another board insists on the same MAC.
const INSIST_EVERY: Duration = Duration::from_secs(60);

impl Session<'_> {
    pub(super) async fn message(
        &mut self,
        message: Publish,
        health: &Health,
    ) -> Result<(), String> {
        *self.ack_tokens += 1;
        let ack_token = AckToken(*self.ack_tokens);
        self.acknowledgements.open(ack_token, &message)?;
        let asked = self.look_ups.iter().position(|look_up| look_up.topic == message.topic);
        match self.topics.about(&message.topic) {
            About::Request(via, id) if !message.payload.is_empty() => {
                return self.deliver(message, ack_token, via, id).await;
            }
            About::OwnPresence if *message.payload == self.own_presence() => {
                self.came_back(health).await?;
            }
            About::OwnPresence => self.foreign_presence(&message.payload),
            About::Other => match asked {
                Some(at) => {
                    let owner = owner(&message.payload, &self.connect_as.board);
                    self.answer_look_up(at, owner).await?;
                }
                None => debug!("MQTT: {} is not this panel's any more", message.topic),
            },
            About::Request(..) => debug!("MQTT: {} was cleared", message.topic),
        }
        self.handle_command(RouteCommand::Acknowledge(ack_token))
    }

    async fn deliver(
        &mut self,
        message: Publish,
        ack_token: AckToken,
        via: Via,
        id_of_topic: Option<RequestId>,
    ) -> Result<(), String> {
        let (payload, signature) = self.keys.open(&message.payload);
        let request = Request::read(&payload).map_err(|unreadable| Unreadable {
            id: unreadable.id.or(id_of_topic),
            errors: unreadable.errors,
        });
        let timing = if message.retain || message.dup { Timing::Again } else { Timing::Live };
        let delivery = Delivery {
            request,
            delivered: Delivered { via, timing, signature, put_offs: 0 },
            ack_token: Some(ack_token),
            route: Some(Route::Mqtt),
            offline: false,
        };
        // Whether it is kept is all the same here: the token tells when it is done.
        let (answer, _) = oneshot::channel();
        self.send(RouteEvent::Delivery(Box::new(delivery), answer)).await
    }

    /// What this panel writes to the presence topic of its MAC address.
    fn own_presence(&self) -> Vec<u8> {
        Presence { state: PresenceState::Online, board: self.connect_as.board.clone() }.payload()
    }

    /// Somebody wrote something else there.
    fn foreign_presence(&mut self, payload: &[u8]) {
        if let MacOwner::AnotherBoard(board) = owner(payload, &self.connect_as.board) {
            // Both would say so for ever otherwise.
            if self.insisted.is_some_and(|at| at.elapsed() < INSIST_EVERY) {
                return;
            }
            self.insisted = Some(Instant::now());
            let board = board.map_or_else(|| "another".to_owned(), |board| board.to_string());
            warn!(
                "identity conflict: board {board} is on line with {} too",
                self.connect_as.identity.mac
            );
        }
        self.outgoing.presence();
    }
}
