//! One connection to the broker, from CONNECT to its loss: reports and presences in, offers out.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::future::ready;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use futures_util::future::try_join_all;
use intercom_wire::topics::{EVERY_PRESENCE, EVERY_STATUS, FromPanel};
use intercom_wire::{Presence, Report, RequestId, json};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions,
    Outgoing, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::offers::{Message, Published, plan};
use crate::clock::now_ms;
use crate::operations::Billing;
use crate::store::{Changed, offers};

/// Upper bound on the publications without an acknowledgement.
const IN_FLIGHT: usize = 20;
/// Both subscriptions, all publications and as many acknowledgements fit without waiting.
const QUEUE: usize = 10 * IN_FLIGHT;
/// Upper bound on the changes that one transaction plans for, so that nobody waits for long while
/// thousands of requests are planned after a connect.
const PLANNED_AT_ONCE: usize = 100;
const SUBSCRIPTIONS: usize = 2;

/// What ended the session, if it was the broker's side.
pub(super) type Lost = anyhow::Error;

struct Session<'a> {
    billing: &'a Billing,
    client: AsyncClient,
    published: Published,
    /// In the database, in the order of their arrival.
    to_acknowledge: VecDeque<Publish>,
    /// Handed to the client, and not yet seen on its way out: in order.
    handed_over: VecDeque<Message>,
    /// On its way, by packet ID.
    unacknowledged: HashMap<u16, Message>,
    subscribed: usize,
    /// Told once, when both subscriptions stand.
    ready: Option<oneshot::Sender<()>>,
    /// What offers have not been planned for yet.
    changed: BTreeSet<Changed>,
    /// When more boards may hear of a request, Unix time in milliseconds.
    due: BTreeSet<(i64, RequestId)>,
}

/// Runs until the connection is lost. A client of its own for each connection: nothing of a broken
/// one can be left in it.
pub(super) async fn run(
    billing: &Billing,
    options: MqttOptions,
    ready: oneshot::Sender<()>,
) -> Lost {
    let (client, mut eventloop) = AsyncClient::new(options, QUEUE);
    let mut network = NetworkOptions::new();
    // Small packets, each of which somebody waits for.
    network.set_tcp_nodelay(true);
    eventloop.set_network_options(network);
    let (events_in, mut events) = mpsc::channel(QUEUE);
    // Ends with this function, whichever way that ends.
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
        changed: BTreeSet::new(),
        due: BTreeSet::new(),
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
        let wait = self.due.first().map_or(Duration::MAX, |(due_ms, _)| {
            Duration::from_millis(u64::try_from(due_ms.saturating_sub(now_ms())).unwrap_or(0))
        });
        let mut batch = Vec::new();
        tokio::select! {
            count = events.recv_many(&mut batch, QUEUE) => {
                ensure!(count > 0, "the client has ended");
                self.on_all(batch).await?;
            }
            () = self.billing.store.changes().wait(), if subscribed => self.take_changes(),
            () = sleep(wait), if subscribed && !self.due.is_empty() => self.take_due(),
            () = ready(()), if !self.changed.is_empty() => self.plan().await?,
        }
        self.hand_over();
        Ok(())
    }

    /// What came together goes to the database together, in order, and shares a commit there. If the
    /// database fails, the session ends unacknowledged and the broker delivers it again.
    async fn on_all(&mut self, events: Vec<Result<Event, ConnectionError>>) -> Result<()> {
        let (mut heard, mut cleared, mut lost) = (Vec::new(), Vec::new(), None);
        for event in events {
            match event {
                Ok(Event::Incoming(Packet::Publish(publish))) => heard.push(publish),
                Ok(Event::Incoming(Packet::PubAck(answer))) => {
                    cleared.extend(self.cleared(&answer))
                }
                Ok(event) => self.on(event).await?,
                Err(why) => lost = Some(why),
            }
        }
        try_join_all(heard.iter().map(|publish| self.on_publish(publish))).await?;
        try_join_all(cleared.into_iter().map(|topic| self.strike_out(topic))).await?;
        self.to_acknowledge.extend(heard);
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
                // mosquitto drops what is retained beyond its queue, 1000 messages by default: see
                // billing/mosquitto. A presence that gets lost costs no more than a grace time, and
                // needs no acknowledgement.
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
                // Whoever waited may have gone.
                let _ = ready.send(());
            }
            // What is read below has all that was changed before.
            self.billing.store.changes().take();
            let open = self.billing.store.read(offers::every_open_request).await?;
            self.changed.extend(open.into_iter().map(Changed::Request));
        }
        Ok(())
    }

    /// Returns when it is in the database.
    async fn on_publish(&self, publish: &Publish) -> Result<()> {
        match FromPanel::read(&publish.topic) {
            Some(FromPanel::Status) if !publish.payload.is_empty() => {
                match json::read::<Report>(&publish.payload) {
                    Ok(report) => self.billing.report(report).await?,
                    Err(why) => log::warn!("{}: no report: {why}", publish.topic),
                }
            }
            Some(FromPanel::Presence(mac)) => match Presence::read(&publish.payload) {
                Ok(presence) => self.billing.on_presence(mac, presence).await?,
                Err(why) => log::warn!("{}: no presence: {why}", publish.topic),
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

    async fn strike_out(&self, topic: String) -> Result<()> {
        Ok(self.billing.store.write(move |transaction| offers::remove(transaction, &topic)).await?)
    }

    fn take_changes(&mut self) {
        self.changed.append(&mut self.billing.store.changes().take());
    }

    fn take_due(&mut self) {
        let now = now_ms();
        while let Some((due_ms, _)) = self.due.first()
            && *due_ms <= now
            && let Some((_, request_id)) = self.due.pop_first()
        {
            self.changed.insert(Changed::Request(request_id));
        }
    }

    async fn plan(&mut self) -> Result<()> {
        let mut changed = std::mem::take(&mut self.changed);
        if let Some(first_later) = changed.iter().nth(PLANNED_AT_ONCE).cloned() {
            self.changed = changed.split_off(&first_later);
        }
        let mut plan = plan(self.billing, changed).await?;
        self.due.extend(plan.due.drain(..));
        self.published.set_plan(plan);
        Ok(())
    }

    /// Hands the client what it has room for. After a burst its queue is full; what it sends from it
    /// comes back as an event, and then the rest follows.
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
                // Full: it goes out after the next event.
                self.published.queue.push_front(message);
                return;
            }
            self.handed_over.push_back(message);
        }
    }
}
