//! One connection, from CONNECT to its end. Each event goes to the type that owns the state.

mod announcement;
mod deadlines;
mod early;
mod echo;
mod mac_lookup;
mod over;
pub(super) mod subscription;

use std::sync::Arc;

use intercom_wire::signature::Keys;
use intercom_wire::{Mac, Nonce, RequestId};
use log::{debug, warn};
use rumqttc::{
    Event as Mqtt, Outgoing as Sent, Packet, Publish, QoS, SubAck, SubscribeFilter,
    SubscribeReasonCode,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::Service;
use super::acknowledgements::Acknowledgements;
use super::client::{Client, Purpose};
use super::delivery::delivery;
use super::end::{ClientEnd, SessionEnd};
use super::former::FormerMacs;
use super::line;
use super::outgoing::{Message, Outgoing};
use super::presence::{self, OnOwnTopic};
use super::topics::{About, LookupTopics, Topics};
use crate::agent::seams::{ConnectIdentity, Connection, Event};
use crate::agent::{Delivery, NOT_HEARD_BY_MAC};
use crate::decide::{MacOwner, Via};
use crate::record::Route;
use crate::upstream::cause::{Cause, MqttCause, PanelCause};
use crate::upstream::{Health, RouteCommand, RouteEnd, RouteEvent};
use announcement::Announcement;
use deadlines::Deadlines;
use early::Early;
use echo::Echo;
use mac_lookup::{ASKING, Call, MacLookups};
use over::OverRequests;
use subscription::{Answered, OwnSubscription};

/// The size of a PUBLISH packet without its topic and payload, at most (MQTT 3.1.1, section 3.3).
const PUBLISH_HEAD: usize = 9;

pub(super) struct Session<'a> {
    client: Client,
    topics: Topics,
    keys: &'a Keys,
    connect_as: &'a mut ConnectIdentity,
    connection: Connection,
    events: &'a mpsc::Sender<RouteEvent>,
    outgoing: &'a mut Outgoing,
    acknowledgements: &'a mut Acknowledgements,
    former: &'a mut FormerMacs,
    subscription: OwnSubscription,
    lookups: MacLookups,
    echo: Echo,
    over: OverRequests,
    announcement: Announcement,
    deadlines: Deadlines,
    early: Early,
}

impl<'a> Session<'a> {
    /// # Errors
    /// When the configuration does not fit the board.
    pub(super) fn new(
        service: &Service,
        keys: &'a Keys,
        (connect_as, connection, former): (&'a mut ConnectIdentity, Connection, &'a mut FormerMacs),
        events: &'a mpsc::Sender<RouteEvent>,
        outgoing: &'a mut Outgoing,
        acknowledgements: &'a mut Acknowledgements,
    ) -> Result<Self, Cause> {
        let settings = &service.settings;
        let topics = Topics::new(&settings.topics, connect_as)?;
        let client = Client::new(service, &topics, &connect_as.board, Purpose::Serve)?;
        let silence = 2 * settings.keep_alive + settings.connect_timeout;
        Ok(Session {
            client,
            subscription: OwnSubscription::new(&topics),
            topics,
            keys,
            announcement: Announcement::new(connect_as.board.as_str()),
            connect_as,
            connection,
            events,
            outgoing,
            acknowledgements,
            former,
            lookups: MacLookups::default(),
            echo: Echo::new()?,
            over: OverRequests::default(),
            deadlines: Deadlines::new(silence, Instant::now()),
            early: Early::default(),
        })
    }

    /// Serves the connection until it ends.
    pub(super) async fn run(mut self, end: &mut RouteEnd) -> SessionEnd {
        self.client_is_alive(&end.health);
        loop {
            let due = self.due();
            let result = tokio::select! {
                changed = end.connect_as.changed() => {
                    // The route's `run` finds out whether it has changed or is closed.
                    let _ = changed;
                    return SessionEnd::GivenUp;
                }
                command = end.commands.recv() => match command {
                    Some(command) => self.handle_command(command),
                    None => return SessionEnd::GivenUp,
                },
                event = self.client.events.recv() => {
                    self.client_is_alive(&end.health);
                    match event {
                        Some(Ok(event)) => self.handle_event(event, &end.health).await,
                        Some(Err(why)) => return self.ended(why),
                        None => Err(MqttCause::client("its task has ended").into()),
                    }
                }
                () = sleep_until(due) => self.tick().await,
            };
            self.acknowledge_ready();
            self.hand_over_lookups();
            if let Err(why) = result.and_then(|()| self.publish_next()) {
                // A client that has ended accepts no calls either. The error that ended it says more.
                while let Ok(event) = self.client.events.try_recv() {
                    if let Err(why) = event {
                        return self.ended(why);
                    }
                }
                return SessionEnd::Lost { why, was_reachable: self.is_reached() };
            }
        }
    }

    fn ended(&self, why: ClientEnd) -> SessionEnd {
        SessionEnd::of(self.subscription.explained(why), self.is_reached())
    }

    fn is_reached(&self) -> bool {
        self.subscription.is_proven()
    }

    fn client_is_alive(&mut self, health: &Health) {
        self.deadlines.client_is_alive(Instant::now());
        health.progresses_within(self.deadlines.silence);
    }

    fn due(&self) -> Instant {
        let announcement = self.announcement.due();
        let times = [self.subscription.due(), self.echo.due(), self.lookups.due(), announcement];
        let times = times.into_iter().flatten();
        times.fold(self.deadlines.due(self.outgoing.unacknowledged_since()), Instant::min)
    }

    async fn tick(&mut self) -> Result<(), Cause> {
        let now = Instant::now();
        if self.client.trace.is_in_packet() {
            // What is waited for comes behind it. On a slow link that takes its time.
            self.subscription.postpone(now);
            self.lookups.postpone(now);
            self.outgoing.postpone(now);
        }
        self.deadlines.check(now, self.outgoing.unacknowledged_since())?;
        self.subscription.check(now)?;
        if self.echo.is_to_be_repeated(now) {
            self.outgoing.presence_first();
        }
        if self.announcement.take_due(now) {
            match self.over.take_wants_presence() {
                true => self.ask_for_echo()?,
                false => self.outgoing.presence(),
            }
        }
        self.lookups.end_due(now);
        Ok(())
    }

    fn handle_command(&mut self, command: RouteCommand) -> Result<(), Cause> {
        match command {
            RouteCommand::Acknowledge(ack_token) => self.acknowledgements.done(ack_token),
            RouteCommand::LookUp(mac, answer) => {
                self.lookups.add(mac, self.topics.lookup(mac)?, answer);
            }
            RouteCommand::Send(id, report) => self.outgoing.report(id, &report),
            RouteCommand::Announce => self.announcement.old_request(Instant::now()),
            RouteCommand::Claim(of) if of == self.connection => {
                self.connect_as.confirm();
                self.leave_former_topics()?;
                if let Some(filter) = self.topics.rivals() {
                    self.client.handle.try_unsubscribe(filter)?;
                }
                self.outgoing.presence();
            }
            // Of an earlier change.
            RouteCommand::Claim(_) => {}
            RouteCommand::AskAgain => return Err(MqttCause::AskAgain.into()),
            RouteCommand::Prove if self.is_reached() => self.ask_for_echo()?,
            // It is asked for anyway before this connection counts.
            RouteCommand::Prove => {}
        }
        Ok(())
    }

    async fn handle_event(&mut self, event: Mqtt, health: &Health) -> Result<(), Cause> {
        match event {
            Mqtt::Incoming(Packet::ConnAck(_)) => {
                let filters = self.subscription.start(Instant::now());
                self.client.handle.try_subscribe_many(filters)?;
            }
            Mqtt::Outgoing(Sent::Subscribe(pkid)) => {
                if !self.subscription.sent_as(pkid) {
                    self.lookups.sent_as(pkid);
                }
            }
            Mqtt::Incoming(Packet::SubAck(answer)) => self.subscribed(&answer, health).await?,
            Mqtt::Incoming(Packet::Publish(message)) => self.receive(&message, health).await?,
            // A message at QoS 0 has no packet ID, and is not acknowledged.
            Mqtt::Outgoing(Sent::Publish(0)) => {}
            Mqtt::Outgoing(Sent::Publish(pkid)) => self.outgoing.sent_as(pkid),
            Mqtt::Incoming(Packet::PubAck(answer)) => {
                if let Some(Message::Report(id, _)) = self.outgoing.acknowledged(answer.pkid) {
                    self.tell(Event::Reported { id, route: Route::Mqtt }).await?;
                }
            }
            Mqtt::Incoming(Packet::Disconnect) => return Err(MqttCause::Disconnect.into()),
            Mqtt::Incoming(_) | Mqtt::Outgoing(_) => {}
        }
        Ok(())
    }

    async fn subscribed(&mut self, answer: &SubAck, health: &Health) -> Result<(), Cause> {
        let now = Instant::now();
        let is_refused = |code: &SubscribeReasonCode| *code == SubscribeReasonCode::Failure;
        let refused = answer.return_codes.iter().position(is_refused);
        if self.lookups.subscribed(answer.pkid, refused, now) {
            return Ok(());
        }
        let Answered::Granted { refused } = self.subscription.answered(answer, now)? else {
            return Ok(());
        };
        if let Some(filter) = &refused {
            warn!("MQTT: the broker refuses the subscription to {filter}: {NOT_HEARD_BY_MAC}");
        }
        health.refuses(refused);
        self.leave_former_topics()?;
        self.ask_for_echo()?;
        // Also what came on a topic that is refused from now on: the session kept it, and nobody sends it
        // again once it is acknowledged.
        for delivery in self.early.take() {
            self.deliver(delivery).await?;
        }
        Ok(())
    }

    /// The broker's session outlives the connection, and what it is subscribed to with it.
    fn leave_former_topics(&mut self) -> Result<(), Cause> {
        for mac in self.former.left_for(&self.connect_as.macs()) {
            for filter in self.topics.filters_of(mac)? {
                self.client.handle.try_unsubscribe(filter)?;
            }
        }
        Ok(())
    }

    /// Publishes the presence with a new nonce, before all else, until it comes back.
    fn ask_for_echo(&mut self) -> Result<(), Cause> {
        self.echo.ask(Instant::now())?;
        self.outgoing.presence_first();
        Ok(())
    }

    async fn proven(&mut self, health: &Health) -> Result<(), Cause> {
        health.reached();
        self.tell(Event::Reachable { route: Route::Mqtt, connection: self.connection }).await
    }

    async fn receive_own_presence(
        &mut self,
        message: &Publish,
        health: &Health,
    ) -> Result<(), Cause> {
        let payload = &message.payload;
        match OnOwnTopic::read(payload, &self.connect_as.board) {
            OnOwnTopic::Online(nonce) => {
                if self.echo.is_returned(nonce.as_ref()) {
                    self.subscription.presence_returned();
                    self.proven(health).await?;
                } else if !message.retain && *payload != self.presence() {
                    // A broker brings an old one back as if it were new, and billing has heard it too.
                    self.announcement.old_request(Instant::now());
                }
            }
            OnOwnTopic::Other => self.outgoing.presence(),
        }
        Ok(())
    }

    /// What the panel says of itself now.
    fn presence(&self) -> Vec<u8> {
        presence::online(self.connect_as, self.echo.nonce())
    }

    async fn deliver(&self, delivery: Delivery) -> Result<(), Cause> {
        // The token says when the message is done, so the answer is not needed.
        let (answer, _) = oneshot::channel();
        self.send(RouteEvent::Delivery(Box::new(delivery), answer)).await
    }

    async fn receive(&mut self, message: &Publish, health: &Health) -> Result<(), Cause> {
        let ack_token = self.acknowledgements.open(message)?;
        if line::is_too_large(message) {
            let why = Arc::new(line::too_large(message).into());
            warn!("MQTT: {why}");
            health.erred(&why);
        }
        match self.topics.about(&message.topic) {
            About::Request(via, id) if !message.payload.is_empty() => {
                let (echo, over) = (&self.echo, &mut self.over);
                let answers_presence = |request_id: Option<&RequestId>, nonce: &Nonce| {
                    let number = echo.number_of(nonce);
                    number.is_some_and(|number| over.counts(request_id, number))
                };
                let delivery = delivery(message, self.keys, ack_token, via, id, answers_presence);
                return match self.subscription.is_granted() {
                    true => self.deliver(delivery).await,
                    false => Ok(self.early.keep(delivery, message)?),
                };
            }
            About::Request(Via::BoardTopic, Some(request_id)) => {
                self.over.add(request_id.clone(), self.echo.number());
                self.tell(Event::Over { request_id }).await?;
            }
            About::Request(..) => debug!("MQTT: {} was cleared", message.topic),
            About::OwnPresence => self.receive_own_presence(message, health).await?,
            // What is retained was asked or answered long ago.
            _ if message.retain => debug!("MQTT: {} is retained", message.topic),
            About::Who => self.outgoing.presence(),
            About::EverybodyWho => self.announcement.everybody_asked(Instant::now()),
            About::MacWho(mac) => {
                self.lookups.question_came_back(&message.topic);
                self.answer_who(mac)?;
            }
            About::Other => {
                self.lookups.question_came_back(&message.topic);
                self.receive_answer(message).await?;
            }
        }
        self.acknowledgements.done(ack_token);
        Ok(())
    }

    /// This board has the MAC address, or may go back to it: until its change is confirmed, both.
    fn answer_who(&self, mac: Mac) -> Result<(), Cause> {
        if self.connect_as.has_mac && self.connect_as.macs().contains(&mac) {
            let here = self.topics.here(mac)?;
            // It is asked again if this one does not go out.
            let _ = self.client.handle.try_publish(here, QoS::AtMostOnce, false, "");
        }
        Ok(())
    }

    async fn receive_answer(&mut self, message: &Publish) -> Result<(), Cause> {
        let Some((here, board)) = Topics::answer(&message.topic) else { return Ok(()) };
        if board == self.connect_as.board {
            self.lookups.heard_itself(here);
            return Ok(());
        }
        if message.payload == ASKING {
            return Ok(());
        }
        let rival = self.connect_as.new_mac().filter(|_| self.topics.is_of_rivals(here));
        self.lookups.answered(here, &board);
        match rival {
            Some(mac) => {
                let owner = MacOwner::AnotherBoard(Some(board));
                self.tell(Event::LookedUp { mac, owner }).await
            }
            None => Ok(()),
        }
    }

    /// Not before the panel is reached: packet IDs belong to SUBSCRIBEs by their order.
    fn hand_over_lookups(&mut self) {
        if self.is_reached() {
            let (client, topics) = (&self.client.handle, &self.topics);
            self.lookups.hand_over(Instant::now(), |call| match call {
                // The broker may hold back QoS 1 until waiting requests are acknowledged. That silence
                // would count as an answer.
                Call::Subscribe(lookup) => {
                    let filters = lookup.filters();
                    let filters =
                        filters.map(|filter| SubscribeFilter::new(filter, QoS::AtMostOnce));
                    client.try_subscribe_many(filters).is_ok()
                }
                Call::Ask(LookupTopics { who, own_here, .. }) => [(who, ""), (own_here, ASKING)]
                    .into_iter()
                    .all(|(to, what)| client.try_publish(to, QoS::AtMostOnce, false, what).is_ok()),
                // What this connection listens to by itself goes on.
                Call::Unsubscribe(lookup) => {
                    let mut filters = lookup.filters().into_iter().filter(|one| !topics.has(one));
                    filters.all(|filter| client.try_unsubscribe(filter).is_ok())
                }
            });
        }
    }

    /// Hands the client what can be acknowledged. Its queue is full after a burst; each packet that it
    /// sends comes back as an event, after which the rest follows.
    fn acknowledge_ready(&mut self) {
        while let Some(message) = self.acknowledgements.ready() {
            if self.client.handle.try_ack(&message).is_err() {
                return;
            }
            self.acknowledgements.acknowledged();
        }
    }

    /// Publishes the next message, if none is on its way.
    fn publish_next(&mut self) -> Result<(), Cause> {
        let presence_is_due = self.subscription.is_granted() && self.outgoing.presence_is_next();
        if !self.is_reached() && !presence_is_due {
            return Ok(());
        }
        while let Some(message) = self.outgoing.next() {
            let (topic, payload, retain) = match message {
                Message::Report(_, report) => {
                    let report = report.clone();
                    let topic = self.topics.status.clone();
                    let Some(payload) = self.outgoing.fit(&report, topic.len() + PUBLISH_HEAD)
                    else {
                        warn!("MQTT: not even the smallest form of a report fits: it is kept");
                        self.outgoing.skip();
                        continue;
                    };
                    (topic, payload, false)
                }
                Message::Presence => (self.topics.presence.clone(), self.presence(), true),
            };
            self.outgoing.has_size(topic.len() + payload.len() + PUBLISH_HEAD);
            let publish = self.client.handle.try_publish(topic, QoS::AtLeastOnce, retain, payload);
            if publish.is_err() {
                // The client's queue is full: it is tried again with the next event.
                self.outgoing.put_back();
            }
            return Ok(());
        }
        Ok(())
    }

    async fn tell(&self, event: Event) -> Result<(), Cause> {
        self.send(RouteEvent::Event(event)).await
    }

    async fn send(&self, event: RouteEvent) -> Result<(), Cause> {
        self.events.send(event).await.map_err(|_| PanelCause::GivenUp.into())
    }
}
