//! One connection to the broker, from CONNECT to its loss: reports and presences in, offers out.

use std::collections::{HashMap, VecDeque};
use std::future::ready;

use anyhow::{Result, bail, ensure};
use futures_util::future::try_join_all;
use intercom_wire::topics::{EVERY_BOARD_PRESENCE, EVERY_BOARD_STATUS, EVERYBODY_WHO, FromBoard};
use intercom_wire::{BoardName, Presence, Report, RequestId, json};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions,
    Outgoing, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::agenda::Agenda;
use super::offers::{Message, Said, plan};
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
    said: Said,
    /// Stored in the database, in the order of arrival.
    to_acknowledge: VecDeque<Publish>,
    /// Given to the client and not sent yet, in order.
    handed_over: VecDeque<Message>,
    /// Sent and not acknowledged yet, by packet ID.
    unacknowledged: HashMap<u16, Message>,
    subscribed: usize,
    /// The broker has taken the question who is there. What it handed out before may be old.
    has_asked: bool,
    /// Used once, when both subscriptions are confirmed.
    ready: Option<oneshot::Sender<()>>,
    agenda: Agenda,
}

/// What a board has said, once it is stored.
enum Heard {
    /// A report that is answered.
    Report(BoardName, RequestId),
    /// It is there, or has gone.
    Presence(BoardName),
    /// The same, and it may be old: it was handed out before the broker took our question.
    OldPresence(BoardName),
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
        said: Said::default(),
        to_acknowledge: VecDeque::new(),
        handed_over: VecDeque::new(),
        unacknowledged: HashMap::new(),
        subscribed: 0,
        has_asked: false,
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
        let wait = self.agenda.wait(self.billing.store.now_ms());
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
                self.agenda.take_due(self.billing.store.now_ms());
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
        let (mut received, mut lost) = (Vec::new(), None);
        for event in events {
            match event {
                Ok(Event::Incoming(Packet::Publish(publish))) => received.push(publish),
                Ok(Event::Incoming(Packet::PubAck(answer))) => self.on_puback(&answer),
                Ok(event) => self.on(event).await?,
                Err(why) => lost = Some(why),
            }
        }
        let heard = try_join_all(received.iter().map(|publish| self.on_publish(publish))).await?;
        self.agenda.add(self.billing.store.changes().take());
        heard.into_iter().flatten().for_each(|heard| self.on_heard(heard));
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
                self.billing.on_connect().await?;
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
            self.said.ask_everybody();
            // What is read below has all that was changed before.
            self.billing.store.changes().take();
            let open = self.billing.store.read(offers::every_open_request).await?;
            self.agenda.add(open.into_iter().map(Changed::Request));
        }
        Ok(())
    }

    /// Returns when the message is stored.
    async fn on_publish(&self, publish: &Publish) -> Result<Option<Heard>> {
        // What was retained says how it was once: everybody is asked who is there.
        if publish.retain || publish.payload.is_empty() {
            return Ok(None);
        }
        match FromBoard::read(&publish.topic) {
            Some(FromBoard::Status(board)) => self.on_status(board, publish).await,
            Some(FromBoard::Presence(board)) => self.on_presence(board, publish).await,
            None => {
                log::warn!("{}: neither a status nor a presence topic", publish.topic);
                Ok(None)
            }
        }
    }

    async fn on_status(&self, board: BoardName, publish: &Publish) -> Result<Option<Heard>> {
        let report = match json::read::<Report>(&publish.payload) {
            Ok(report) if report.board == board => report,
            Ok(report) => {
                log::warn!("{}: it names another board: {}", publish.topic, report.board);
                return Ok(None);
            }
            Err(why) => {
                log::warn!("{}: not a report: {why}", publish.topic);
                return Ok(None);
            }
        };
        let is_answered = self.billing.answers(&report) && !report.is_deferred();
        let request_id = report.request_id.clone().filter(|_| is_answered);
        self.billing.report(report).await?;
        Ok(request_id.map(|request_id| Heard::Report(board, request_id)))
    }

    async fn on_presence(&self, board: BoardName, publish: &Publish) -> Result<Option<Heard>> {
        match Presence::read(&publish.payload) {
            Ok(Some(presence)) if presence.board != board => {
                log::warn!("{}: it names another board: {}", publish.topic, presence.board);
                Ok(None)
            }
            Ok(_) if !self.has_asked => Ok(Some(Heard::OldPresence(board))),
            Ok(presence) => {
                self.billing.on_presence(board.clone(), presence).await?;
                Ok(Some(Heard::Presence(board)))
            }
            Err(why) => {
                log::warn!("{}: not a presence: {why}", publish.topic);
                Ok(None)
            }
        }
    }

    fn on_heard(&mut self, heard: Heard) {
        match heard {
            Heard::Report(board, request_id) => self.said.over(&board, &request_id),
            Heard::Presence(board) => {
                self.said.forget(&board);
                self.agenda.add([Changed::Board(board)]);
            }
            Heard::OldPresence(board) => self.said.ask(&board),
        }
    }

    fn on_puback(&mut self, answer: &PubAck) {
        if let Some(message) = self.unacknowledged.remove(&answer.pkid) {
            self.has_asked |= message.topic == EVERYBODY_WHO;
            self.said.acknowledged(&message);
        }
    }

    async fn plan(&mut self) -> Result<()> {
        let mut plan = plan(self.billing, self.agenda.next_batch()).await?;
        for (at_ms, request_id) in plan.due.drain(..) {
            self.agenda.add_later(at_ms, request_id);
        }
        self.said.set_plan(plan);
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
            && let Some(message) = self.said.queue.pop_front()
        {
            let (topic, payload) = (message.topic.clone(), message.payload.clone());
            if self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_err() {
                // The client's queue is full. The next event tries again.
                self.said.queue.push_front(message);
                return;
            }
            self.handed_over.push_back(message);
        }
    }
}
