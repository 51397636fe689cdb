//! Messages from the broker: each is opened for its acknowledgement and goes where its topic says.

use std::time::Duration;

use intercom_wire::{Presence, PresenceState, Request, RequestId, Unreadable};
use log::{debug, warn};
use rumqttc::Publish;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Session;
use crate::agent::Delivery;
use crate::agent::seams::Ticket;
use crate::decide::{Delivered, Holder, Timing, Via};
use crate::record::Route;
use crate::upstream::mqtt::presence::holder;
use crate::upstream::mqtt::topics::About;
use crate::upstream::{Health, News, Order};

/// How often the presence is published again while another board insists on the same MAC.
const INSIST_EVERY: Duration = Duration::from_secs(60);

impl Session<'_> {
    pub(super) async fn message(
        &mut self,
        message: Publish,
        health: &Health,
    ) -> Result<(), String> {
        *self.tickets += 1;
        let ticket = Ticket(*self.tickets);
        self.acknowledgements.open(ticket, &message)?;
        let asked = self.look_ups.iter().position(|look_up| look_up.topic == message.topic);
        match self.topics.about(&message.topic) {
            About::Request(via, id) if !message.payload.is_empty() => {
                return self.deliver(message, ticket, via, id).await;
            }
            About::OwnPresence if *message.payload == self.own_presence() => {
                self.came_back(health).await?;
            }
            About::OwnPresence => self.foreign_presence(&message.payload),
            About::Other => match asked {
                Some(at) => {
                    let holder = holder(&message.payload, &self.face.board);
                    self.answer_look_up(at, holder).await?;
                }
                None => debug!("MQTT: {} is not this panel's any more", message.topic),
            },
            About::Request(..) => debug!("MQTT: {} was cleared", message.topic),
        }
        self.obey(Order::Acknowledge(ticket))
    }

    async fn deliver(
        &mut self,
        message: Publish,
        ticket: Ticket,
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
            ticket: Some(ticket),
            route: Some(Route::Mqtt),
            offline: false,
        };
        // Whether it is kept is all the same here: the ticket tells when it is done.
        let (answer, _) = oneshot::channel();
        self.send(News::Delivery(Box::new(delivery), answer)).await
    }

    /// What this panel writes to the presence topic of its MAC address.
    fn own_presence(&self) -> Vec<u8> {
        Presence { state: PresenceState::Online, board: self.face.board.clone() }.payload()
    }

    /// Somebody wrote something else there.
    fn foreign_presence(&mut self, payload: &[u8]) {
        if let Holder::AnotherBoard(board) = holder(payload, &self.face.board) {
            // Both would say so for ever otherwise.
            if self.insisted.is_some_and(|at| at.elapsed() < INSIST_EVERY) {
                return;
            }
            self.insisted = Some(Instant::now());
            let board = board.map_or_else(|| "another".to_owned(), |board| board.to_string());
            warn!(
                "identity conflict: board {board} is on line with {} too",
                self.face.identity.mac
            );
        }
        self.outgoing.presence();
    }
}
