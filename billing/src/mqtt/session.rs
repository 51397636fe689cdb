//! One connection to the broker, from CONNECT to its loss: reports and presences in, offers out.

use std::collections::{HashMap, VecDeque};
use std::future::ready;

use anyhow::{Result, bail, ensure};
use futures_util::future::try_join_all;
use intercom_wire::topics::{EVERY_PRESENCE, EVERY_STATUS, FromPanel};
use intercom_wire::{Presence, Report, json};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions,
    Outgoing, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::agenda::Agenda;
use super::offers::{Message, Published, plan};
use crate::clock::now_ms;
use crate::operations::Billing;
use crate::store::{Changed, offers};

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
    published: Published,
    /// Stored in the database, in the order of arrival.
    to_acknowledge: VecDeque<Publish>,
    /// Given to the client and not sent yet, in order.
    handed_over: VecDeque<Message>,
    /// Sent and not acknowledged yet, by packet ID.
    unacknowledged: HashMap<u16, Message>,
    subscribed: usize,
    /// Used once, when both subscriptions are confirmed.
    ready: Option<oneshot::Sender<()>>,
    agenda: Agenda,
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
        published: Published::default(),
        to_acknowledge: VecDeque::new(),
        handed_over: VecDeque::new(),
        unacknowledged: HashMap::new(),
        subscribed: 0,
        ready: Some(ready),
        agenda: Agenda::default(),
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
        let wait = self.agenda.wait(now_ms());
        let mut batch = Vec::new();
        tokio::select! {
            count = events.recv_many(&mut batch, QUEUE) => {
                ensure!(count > 0, "the client has ended");
                self.on_all(batch).await?;
            }
            () = self.billing.store.changes().wait(), if subscribed => {
                self.agenda.add(self.billing.store.changes().take());
            }
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => {
                self.agenda.take_due(now_ms());
            }
            () = ready(()), if !self.agenda.is_empty() => self.plan().await?,
        }
        self.hand_over();
        Ok(())
    }

    /// Messages that arrive together go to the database together, in order, and share a commit
    /// there. If the database fails, the session ends without acknowledging them and the broker
    /// delivers them again.
    async fn on_all(&mut self, events: Vec<Result<Event, ConnectionError>>) -> Result<()> {
        let (mut received, mut cleared, mut lost) = (Vec::new(), Vec::new(), None);
        for event in events {
            match event {
                Ok(Event::Incoming(Packet::Publish(publish))) => received.push(publish),
                Ok(Event::Incoming(Packet::PubAck(answer))) => {
                    cleared.extend(self.cleared(&answer))
                }
                Ok(event) => self.on(event).await?,
                Err(why) => lost = Some(why),
            }
        }
        try_join_all(received.iter().map(|publish| self.on_publish(publish))).await?;
        try_join_all(cleared.into_iter().map(|topic| self.remove_offer(topic))).await?;
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
                self.client.try_subscribe(EVERY_STATUS, QoS::AtLeastOnce)?;
                // mosquitto drops retained messages beyond its queue, 1000 by default: see
                // billing/mosquitto. A lost presence costs one grace time at most, so QoS 0 is
                // enough.
                self.client.try_subscribe(EVERY_PRESENCE, QoS::AtMostOnce)?;
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
            bail!("the broker does not let us subscribe to {EVERY_STATUS} and {EVERY_PRESENCE}");
        }
        self.subscribed += 1;
        if self.subscribed == SUBSCRIPTIONS {
            if let Some(ready) = self.ready.take() {
                // The receiver may have been dropped.
                let _ = ready.send(());
            }
            // What is read below has all that was changed before.
            self.billing.store.changes().take();
            let open = self.billing.store.read(offers::every_open_request).await?;
            self.agenda.add(open.into_iter().map(Changed::Request));
        }
        Ok(())
    }

    /// Returns when the message is stored.
    async fn on_publish(&self, publish: &Publish) -> Result<()> {
        match FromPanel::read(&publish.topic) {
            Some(FromPanel::Status) if !publish.payload.is_empty() => {
                match json::read::<Report>(&publish.payload) {
                    Ok(report) => self.billing.report(report).await?,
                    Err(why) => log::warn!("{}: not a report: {why}", publish.topic),
                }
            }
            Some(FromPanel::Presence(mac)) => match Presence::read(&publish.payload) {
                Ok(presence) => self.billing.on_presence(mac, presence).await?,
                Err(why) => log::warn!("{}: not a presence: {why}", publish.topic),
            },
            Some(FromPanel::Status) => {}
            None => log::warn!("{}: neither a status nor a presence topic", publish.topic),
        }
        Ok(())
    }

    /// The topic that the acknowledged message has cleared, if it has.
    fn cleared(&mut self, answer: &PubAck) -> Option<String> {
        let message = self.unacknowledged.remove(&answer.pkid)?;
        self.published.has_cleared(&message).then_some(message.topic)
    }

    async fn remove_offer(&self, topic: String) -> Result<()> {
        Ok(self.billing.store.write(move |transaction| offers::remove(transaction, &topic)).await?)
    }

    async fn plan(&mut self) -> Result<()> {
        let mut plan = plan(self.billing, self.agenda.next_batch()).await?;
        for (at_ms, request_id) in plan.due.drain(..) {
            self.agenda.add_later(at_ms, request_id);
        }
        self.published.set_plan(plan);
        Ok(())
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
            && let Some(message) = self.published.queue.pop_front()
        {
            let (topic, payload) = (message.topic.clone(), message.payload.clone());
            if self.client.try_publish(topic, QoS::AtLeastOnce, true, payload).is_err() {
                // The client's queue is full. The next event tries again.
                self.published.queue.push_front(message);
                return;
            }
            self.handed_over.push_back(message);
        }
    }
}
