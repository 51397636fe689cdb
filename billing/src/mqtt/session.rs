//! One connection to the broker, from CONNECT to its loss: reports and presences in, offers out.

use std::collections::{HashMap, VecDeque};
use std::future::ready;

use anyhow::{Result, bail, ensure};
use futures_util::future::try_join_all;
use intercom_wire::topics::{EVERY_BOARD_PRESENCE, EVERY_BOARD_STATUS};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions,
    Outgoing, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::conversation::{Conversation, Message, Received};
use crate::operations::Billing;

/// Upper bound on the publications without an acknowledgement.
const IN_FLIGHT: usize = 20;
/// Both subscriptions, all publications and as many acknowledgements fit without waiting.
const QUEUE: usize = 10 * IN_FLIGHT;
const SUBSCRIPTIONS: usize = 2;

/// Why the session has ended.
pub(super) type Lost = anyhow::Error;

struct Session<'a> {
    billing: &'a Billing,
    client: AsyncClient,
    conversation: Conversation,
    /// Stored in the database, in the order of arrival.
    to_acknowledge: VecDeque<Publish>,
    /// Given to the client and not sent yet, in order.
    handed_over: VecDeque<Message>,
    /// Sent and not acknowledged yet, by packet ID.
    unacknowledged: HashMap<u16, Message>,
    subscribed: usize,
    /// Used once, when both subscriptions are confirmed.
    ready: Option<oneshot::Sender<()>>,
}

/// Runs until the connection is lost. Each connection has a new client, so nothing is left over
/// from a broken one.
pub(super) async fn run(
    billing: &Billing,
    options: MqttOptions,
    ready: oneshot::Sender<()>,
) -> Lost {
    let (client, mut eventloop) = AsyncClient::new(options, QUEUE);
    let mut network = NetworkOptions::new();
    // The packets are small, and a panel waits for each.
    network.set_tcp_nodelay(true);
    eventloop.set_network_options(network);
    let (events_in, mut events) = mpsc::channel(QUEUE);
    // Stopped when this function returns or is dropped.
    let mut polling = JoinSet::new();
    polling.spawn(poll(eventloop, events_in));
    let mut session = Session {
        billing,
        client,
        conversation: Conversation::new(billing),
        to_acknowledge: VecDeque::new(),
        handed_over: VecDeque::new(),
        unacknowledged: HashMap::new(),
        subscribed: 0,
        ready: Some(ready),
    };
    loop {
        if let Err(lost) = session.step(&mut events).await {
            return lost;
        }
    }
}

/// The client must be polled while a report is being written to the disk.
async fn poll(mut eventloop: EventLoop, events: mpsc::Sender<Result<Event, ConnectionError>>) {
    loop {
        let event = eventloop.poll().await;
        let lost = event.is_err();
        if events.send(event).await.is_err() || lost {
            return;
        }
    }
}

impl Session<'_> {
    async fn step(
        &mut self,
        events: &mut mpsc::Receiver<Result<Event, ConnectionError>>,
    ) -> Result<()> {
        let subscribed = self.subscribed == SUBSCRIPTIONS;
        let wait = self.conversation.wait();
        let mut batch = Vec::new();
        tokio::select! {
            count = events.recv_many(&mut batch, QUEUE) => {
                ensure!(count > 0, "the client has ended");
                self.on_all(batch).await?;
            }
            () = self.billing.store.changes().wait(), if subscribed => {
                self.conversation.take_changes();
            }
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => {
                self.conversation.take_due();
            }
            () = ready(()), if self.conversation.has_to_plan() => self.conversation.plan().await?,
        }
        // What a process planned before it was stopped is not said after another one leads.
        ensure!(self.billing.store.leads(), "another process may lead");
        self.hand_over();
        Ok(())
    }

    /// Messages that arrive together go to the database together, in order, and share a commit
    /// there. If the database fails, the session ends without acknowledging them and the broker
    /// delivers them again.
    async fn on_all(&mut self, events: Vec<Result<Event, ConnectionError>>) -> Result<()> {
        let (mut received, mut lost) = (Vec::new(), None);
        for event in events {
            match event {
                Ok(Event::Incoming(Packet::Publish(publish))) => received.push(publish),
                Ok(Event::Incoming(Packet::PubAck(answer))) => self.on_puback(&answer),
                Ok(event) => self.on(event).await?,
                Err(why) => lost = Some(why),
            }
        }
        let stored = |publish| self.conversation.on_message(received_in(publish));
        let said = try_join_all(received.iter().map(stored)).await?;
        self.conversation.take_changes();
        said.into_iter().flatten().for_each(|said| self.conversation.answer(said));
        self.to_acknowledge.extend(received);
        lost.map_or(Ok(()), |why| Err(why.into()))
    }

    async fn on(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Incoming(Packet::ConnAck(answer)) => {
                ensure!(
                    answer.code == ConnectReturnCode::Success,
                    "the broker refuses us: {:?}",
                    answer.code
                );
                self.conversation.connected().await?;
                self.client.try_subscribe(EVERY_BOARD_STATUS, QoS::AtLeastOnce)?;
                // QoS 0: a broker must not queue presences while this service is away. They would
                // look live afterwards.
                self.client.try_subscribe(EVERY_BOARD_PRESENCE, QoS::AtMostOnce)?;
            }
            Event::Incoming(Packet::SubAck(answer)) => self.on_suback(&answer).await?,
            Event::Outgoing(Outgoing::Publish(packet_id)) => {
                if let Some(message) = self.handed_over.pop_front() {
                    self.unacknowledged.insert(packet_id, message);
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn on_suback(&mut self, answer: &SubAck) -> Result<()> {
        if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
            bail!(
                "the broker does not let us subscribe to {EVERY_BOARD_STATUS} and \
                 {EVERY_BOARD_PRESENCE}"
            );
        }
        self.subscribed += 1;
        if self.subscribed == SUBSCRIPTIONS {
            if let Some(ready) = self.ready.take() {
                // The receiver may have been dropped.
                let _ = ready.send(());
            }
            self.conversation.subscribed().await?;
        }
        Ok(())
    }

    fn on_puback(&mut self, answer: &PubAck) {
        if let Some(message) = self.unacknowledged.remove(&answer.pkid) {
            self.conversation.acknowledged(&message);
        }
    }

    /// Gives the client as much as it has room for. Each packet that it sends is an event, after
    /// which there is room for more.
    fn hand_over(&mut self) {
        while let Some(publish) = self.to_acknowledge.front() {
            if self.client.try_ack(publish).is_err() {
                return;
            }
            self.to_acknowledge.pop_front();
        }
        while self.handed_over.len() + self.unacknowledged.len() < IN_FLIGHT
            && let Some(message) = self.conversation.next_message()
        {
            let (topic, payload) = (message.topic.clone(), message.payload.clone());
            if self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_err() {
                // The client's queue is full. The next event tries again.
                self.conversation.put_back(message);
                return;
            }
            self.handed_over.push_back(message);
        }
    }
}

fn received_in(publish: &Publish) -> Received<'_> {
    Received { topic: &publish.topic, payload: &publish.payload, retain: publish.retain }
}
