//! One connection, from CONNECT to its end: subscriptions, deliveries, reports, look-ups.

use std::time::Duration;

use log::{debug, warn};
use rumqttc::{
    ConnectReturnCode, ConnectionError, Event as Mqtt, Outgoing as Sent, Packet, Publish, QoS,
    SubAck, SubscribeFilter, SubscribeReasonCode,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::acknowledgements::Acknowledgements;
use super::client::{Client, MAX_PACKET};
use super::outgoing::{Message, Outgoing};
use super::presence::{Presence, State};
use super::too_large::Without;
use super::topics::{About, Topics};
use crate::agent::Delivery;
use crate::agent::seams::{Connection, Event, Face, Ticket};
use crate::board::Root;
use crate::config::MqttSettings;
use crate::contract::{Mac, Request, Unreadable};
use crate::decide::{Delivered, Holder, Timing, Via};
use crate::record::Route;
use crate::signature::Keys;
use crate::upstream::{Health, News, Order, RouteEnd, tls};

/// How long a retained presence may take to arrive once its topic is subscribed to.
const LOOK_UP: Duration = Duration::from_secs(1);
/// How often the presence is published again while another board insists on the same MAC.
const INSIST_EVERY: Duration = Duration::from_secs(60);
/// How long subscribing may take.
const SUBSCRIBE: Duration = Duration::from_secs(30);
/// How long a filter is left out whose message was too large.
const LOOK_AGAIN: Duration = Duration::from_secs(600);
const FAR_AWAY: Duration = Duration::from_secs(24 * 3600);

/// How a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// The agent wants another one, or none any more.
    GivenUp,
    /// The connection is gone.
    Lost {
        /// Why, in words.
        why: String,
        /// Whether all topics had been subscribed to.
        was_reachable: bool,
    },
    /// A message larger than the panel reads has ended the connection.
    TooLarge {
        /// How large.
        bytes: usize,
    },
}

pub(super) struct Session<'a> {
    client: Client,
    topics: Topics,
    /// A client that tells nothing for so long hangs: it pings the broker in between.
    silence: Duration,
    keys: &'a Keys,
    face: &'a Face,
    connection: Connection,
    without: Without,
    /// When what is left out is to be heard again.
    look_again: Instant,
    news: &'a mpsc::Sender<News>,
    outgoing: &'a mut Outgoing,
    /// Counts all messages of this route, so that no ticket means two of them.
    tickets: &'a mut u64,
    acknowledgements: Acknowledgements,
    subscribed: Subscribed,
    look_ups: Vec<LookUp>,
    insisted: Option<Instant>,
}

/// How far the subscription to the panel's own topics has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subscribed {
    NotYet { until: Instant, pkid: Option<u16> },
    Yes,
}

/// A MAC address whose presence topic is being read.
#[derive(Debug)]
struct LookUp {
    mac: Mac,
    topic: String,
    asked: Asked,
}

/// How far a look-up has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    NotYet,
    /// The broker has not answered yet, on a slow link for seconds.
    Subscribing {
        pkid: Option<u16>,
    },
    /// Silence up to then means that nobody has it.
    Until(Instant),
}

impl LookUp {
    fn until(&self) -> Option<Instant> {
        match self.asked {
            Asked::Until(until) => Some(until),
            Asked::NotYet | Asked::Subscribing { .. } => None,
        }
    }
}

impl<'a> Session<'a> {
    /// # Errors
    /// When the configuration does not fit the board.
    pub(super) fn new(
        settings: &MqttSettings,
        root: &Root,
        keys: &'a Keys,
        (face, connection, without): (&'a Face, Connection, Without),
        news: &'a mpsc::Sender<News>,
        outgoing: &'a mut Outgoing,
        tickets: &'a mut u64,
    ) -> Result<Self, String> {
        let topics = Topics::new(&settings.topics, face)?;
        let client = Client::new(settings, root, &topics, face, without.the_session())?;
        Ok(Session {
            client,
            topics,
            silence: 2 * settings.keep_alive + settings.connect_timeout,
            keys,
            face,
            connection,
            without,
            look_again: Instant::now() + if without.anything() { LOOK_AGAIN } else { FAR_AWAY },
            news,
            outgoing,
            tickets,
            acknowledgements: Acknowledgements::default(),
            subscribed: Subscribed::NotYet { until: Instant::now() + FAR_AWAY, pkid: None },
            look_ups: Vec::new(),
            insisted: None,
        })
    }

    /// Serves the connection until it ends.
    pub(super) async fn run(mut self, end: &mut RouteEnd) -> End {
        end.health.gets_on_within(self.silence);
        loop {
            let due = self.due();
            let result = tokio::select! {
                changed = end.appearance.changed() => {
                    // Closed or changed: `run` of the route finds out which.
                    let _ = changed;
                    return End::GivenUp;
                }
                order = end.orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return End::GivenUp,
                },
                event = self.client.events.recv() => {
                    end.health.gets_on_within(self.silence);
                    match event {
                        Some(Ok(event)) => self.take(event, &end.health).await,
                        Some(Err(why)) => return self.ended(&why),
                        None => Err("the client has ended".to_owned()),
                    }
                }
                () = sleep_until(due) => self.tick().await,
            };
            self.acknowledge_ready();
            if let Err(why) = result.and_then(|()| self.publish_next()) {
                // A client that has ended takes no orders either; why it has ended says more.
                while let Ok(event) = self.client.events.try_recv() {
                    if let Err(why) = event {
                        return self.ended(&why);
                    }
                }
                let was_reachable = self.subscribed == Subscribed::Yes;
                return End::Lost { why, was_reachable };
            }
        }
    }

    fn ended(&self, why: &ConnectionError) -> End {
        use rumqttc::{StateError, mqttbytes::Error};
        match why {
            ConnectionError::MqttState(StateError::Deserialization(
                Error::PayloadSizeLimitExceeded(bytes),
            )) => End::TooLarge { bytes: *bytes },
            why => {
                End::Lost { why: in_words(why), was_reachable: self.subscribed == Subscribed::Yes }
            }
        }
    }

    fn due(&self) -> Instant {
        let subscribe = match self.subscribed {
            Subscribed::NotYet { until, .. } => Some(until),
            Subscribed::Yes => None,
        };
        let look_ups = self.look_ups.iter().filter_map(LookUp::until);
        subscribe.into_iter().chain(look_ups).fold(self.look_again, Instant::min)
    }

    async fn tick(&mut self) -> Result<(), String> {
        let now = Instant::now();
        if self.look_again <= now {
            return Err("listening again for what was left out".to_owned());
        }
        if matches!(self.subscribed, Subscribed::NotYet { until, .. } if until <= now) {
            return Err("the broker does not answer the subscription".to_owned());
        }
        let silent = |look_up: &LookUp| look_up.until().is_some_and(|until| until <= now);
        while let Some(at) = self.look_ups.iter().position(silent) {
            self.answer_look_up(at, Holder::Nobody).await?;
        }
        Ok(())
    }

    fn obey(&mut self, order: Order) -> Result<(), String> {
        match order {
            Order::Acknowledge(ticket) => self.acknowledgements.done(ticket),
            Order::LookUp(mac) => self.look_up(mac)?,
            Order::Send(parcel, report) => self.outgoing.report(parcel, &report),
            Order::GiveUp(mac) => self.outgoing.give_up(mac),
            Order::AskAgain => return Err("asking for what was left unacknowledged".to_owned()),
        }
        Ok(())
    }

    async fn take(&mut self, event: Mqtt, health: &Health) -> Result<(), String> {
        match event {
            Mqtt::Incoming(Packet::ConnAck(answer)) => {
                if answer.code != ConnectReturnCode::Success {
                    return Err(format!("the broker refuses the connection: {:?}", answer.code));
                }
                self.subscribe()
            }
            Mqtt::Outgoing(Sent::Subscribe(pkid)) => {
                // In the order in which they were handed over, the panel's own topics first.
                if let Subscribed::NotYet { pkid: own @ None, .. } = &mut self.subscribed {
                    *own = Some(pkid);
                } else if let Some(look_up) = self.look_up_as(None) {
                    look_up.asked = Asked::Subscribing { pkid: Some(pkid) };
                }
                Ok(())
            }
            Mqtt::Incoming(Packet::SubAck(answer)) => {
                self.subscription_answered(&answer, health).await
            }
            Mqtt::Incoming(Packet::Publish(message)) => self.message(message).await,
            Mqtt::Outgoing(Sent::Publish(pkid)) => {
                self.outgoing.sent_as(pkid);
                Ok(())
            }
            Mqtt::Incoming(Packet::PubAck(answer)) => match self.outgoing.acknowledged(answer.pkid)
            {
                Some(Message::Report(parcel, _)) => {
                    self.tell(Event::Reported { parcel, route: Route::Mqtt }).await
                }
                Some(Message::Presence | Message::GiveUp(_)) | None => Ok(()),
            },
            Mqtt::Incoming(Packet::Disconnect) => {
                Err("the broker closes the connection".to_owned())
            }
            Mqtt::Incoming(_) | Mqtt::Outgoing(_) => Ok(()),
        }
    }

    /// After every CONNACK: a broker that says that it kept the session need not have.
    fn subscribe(&mut self) -> Result<(), String> {
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

    async fn subscription_answered(
        &mut self,
        answer: &SubAck,
        health: &Health,
    ) -> Result<(), String> {
        if let Some(look_up) = self.look_up_as(Some(answer.pkid)) {
            look_up.asked = Asked::Until(Instant::now() + LOOK_UP);
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

    async fn message(&mut self, message: Publish) -> Result<(), String> {
        *self.tickets += 1;
        let ticket = Ticket(*self.tickets);
        self.acknowledgements.open(ticket, &message);
        let asked = self.look_ups.iter().position(|look_up| look_up.topic == message.topic);
        match self.topics.about(&message.topic) {
            About::Request(via, id) if !message.payload.is_empty() => {
                return self.deliver(message, ticket, via, id).await;
            }
            About::OwnPresence => self.own_presence(&message.payload),
            About::Other => match asked {
                Some(at) => {
                    let holder = Presence::holder(&message.payload, &self.face.board);
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
        id_of_topic: Option<crate::contract::RequestId>,
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

    /// Somebody wrote to the presence topic of this panel's MAC address.
    fn own_presence(&mut self, payload: &[u8]) {
        let own = Presence { state: State::Online, board: self.face.board.clone() };
        if payload == own.payload() {
            return;
        }
        if let Holder::AnotherBoard(board) = Presence::holder(payload, &self.face.board) {
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

    fn look_up(&mut self, mac: Mac) -> Result<(), String> {
        // The agent asks again when a slow link keeps the answer from it.
        if self.look_ups.iter().all(|look_up| look_up.mac != mac) {
            let topic = self.topics.presence_of(mac)?;
            self.look_ups.push(LookUp { mac, topic, asked: Asked::NotYet });
        }
        self.start_look_ups()
    }

    /// Not before the own topics are subscribed to: their answer is told by its place in the order.
    fn start_look_ups(&mut self) -> Result<(), String> {
        if self.subscribed != Subscribed::Yes {
            return Ok(());
        }
        for look_up in self.look_ups.iter_mut().filter(|look_up| look_up.asked == Asked::NotYet) {
            let subscribed = self.client.orders.try_subscribe(&look_up.topic, QoS::AtLeastOnce);
            subscribed.map_err(|why| jammed(&why))?;
            look_up.asked = Asked::Subscribing { pkid: None };
        }
        Ok(())
    }

    /// The first look-up whose subscription has this packet id, or none yet.
    fn look_up_as(&mut self, pkid: Option<u16>) -> Option<&mut LookUp> {
        self.look_ups.iter_mut().find(|look_up| look_up.asked == Asked::Subscribing { pkid })
    }

    async fn answer_look_up(&mut self, at: usize, holder: Holder) -> Result<(), String> {
        let LookUp { mac, topic, .. } = self.look_ups.swap_remove(at);
        self.client.orders.try_unsubscribe(topic).map_err(|why| jammed(&why))?;
        self.tell(Event::LookedUp { mac, holder }).await
    }

    /// Hands the client what can be acknowledged. After a burst its queue is full; what it sends
    /// from it comes back as an event, and then the rest follows.
    fn acknowledge_ready(&mut self) {
        while let Some(message) = self.acknowledgements.ready() {
            if self.client.orders.try_ack(message).is_err() {
                return;
            }
            self.acknowledgements.acknowledged();
        }
    }

    /// Publishes the next message, if none is on its way.
    fn publish_next(&mut self) -> Result<(), String> {
        if self.subscribed != Subscribed::Yes {
            return Ok(());
        }
        while let Some(message) = self.outgoing.next() {
            let (topic, payload, retain) = match message {
                Message::Report(_, payload) => (self.topics.status.clone(), payload.clone(), false),
                Message::Presence => {
                    let own = Presence { state: State::Online, board: self.face.board.clone() };
                    (self.topics.presence.clone(), own.payload(), true)
                }
                Message::GiveUp(mac) if *mac == self.face.identity.mac => {
                    // It has come back since: nothing to let go of.
                    self.outgoing.skip();
                    continue;
                }
                Message::GiveUp(mac) => {
                    let requests = self.topics.requests_of(*mac)?;
                    self.client.orders.try_unsubscribe(requests).map_err(|why| jammed(&why))?;
                    (self.topics.presence_of(*mac)?, Vec::new(), true)
                }
            };
            if topic.len() + payload.len() + 16 > MAX_PACKET {
                warn!("MQTT: a message of {} bytes is too large and is dropped", payload.len());
                self.outgoing.skip();
                continue;
            }
            let publish = self.client.orders.try_publish(topic, QoS::AtLeastOnce, retain, payload);
            if publish.is_err() {
                // The client's queue is full of acknowledgements: with the next event.
                self.outgoing.put_back();
            }
            return Ok(());
        }
        Ok(())
    }

    async fn tell(&self, event: Event) -> Result<(), String> {
        self.send(News::Event(event)).await
    }

    async fn send(&self, news: News) -> Result<(), String> {
        self.news.send(news).await.map_err(|_| "the daemon ends".to_owned())
    }
}

/// The client's queue holds far more than this route ever asks for at once: it does not get on.
fn jammed(why: &rumqttc::ClientError) -> String {
    format!("the client is jammed: {why}")
}

fn in_words(why: &ConnectionError) -> String {
    match (tls::tls_failure(why), why) {
        (Some(failure), _) => tls::explain(failure),
        (None, ConnectionError::NetworkTimeout) => "the broker did not answer in time".to_owned(),
        (None, other) => other.to_string(),
    }
}
