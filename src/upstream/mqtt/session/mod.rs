//! One connection, from CONNECT to its end: what happens in it, one thing after the other.

mod incoming;
mod look_up;
mod publish;
mod refused;
mod subscription;

use std::time::Duration;

use intercom_wire::signature::Keys;
use rumqttc::{
    ConnectReturnCode, ConnectionError, Event as Mqtt, Outgoing as Sent, Packet, StateError,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::acknowledgements::Acknowledgements;
use super::client::Client;
use super::outgoing::{Message, Outgoing};
use super::too_large::SkippedFilters;
use super::topics::Topics;
use crate::agent::seams::{ConnectIdentity, Connection, Event};
use crate::config::MqttSettings;
use crate::decide::MacOwner;
use crate::record::Route;
use crate::upstream::{Health, Place, RouteCommand, RouteEnd, RouteEvent};
use look_up::{Asked, MacLookup};
use refused::{in_words, refused};
use subscription::Subscribed;

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
    /// The broker has closed a connection on which all topics had been subscribed to.
    Closed {
        /// Why, in words.
        why: String,
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
    /// When it will have told nothing for so long.
    silent_at: Instant,
    keys: &'a Keys,
    connect_as: &'a ConnectIdentity,
    connection: Connection,
    skipped: SkippedFilters,
    /// When what is left out is to be heard again.
    look_again: Instant,
    events: &'a mpsc::Sender<RouteEvent>,
    outgoing: &'a mut Outgoing,
    /// Counts all messages of this route, so that no token means two of them.
    ack_tokens: &'a mut u64,
    acknowledgements: Acknowledgements,
    subscribed: Subscribed,
    look_ups: Vec<MacLookup>,
    insisted: Option<Instant>,
}

impl<'a> Session<'a> {
    /// # Errors
    /// When the configuration does not fit the board.
    pub(super) fn new(
        settings: &MqttSettings,
        place: &Place,
        keys: &'a Keys,
        (connect_as, connection, skipped): (&'a ConnectIdentity, Connection, SkippedFilters),
        events: &'a mpsc::Sender<RouteEvent>,
        outgoing: &'a mut Outgoing,
        ack_tokens: &'a mut u64,
    ) -> Result<Self, String> {
        let topics = Topics::new(&settings.topics, connect_as)?;
        let client = Client::new(settings, place, &topics, connect_as, skipped.the_session())?;
        Ok(Session {
            client,
            topics,
            silence: 2 * settings.keep_alive + settings.connect_timeout,
            keys,
            connect_as,
            connection,
            skipped,
            silent_at: Instant::now() + FAR_AWAY,
            look_again: Instant::now() + if skipped.anything() { LOOK_AGAIN } else { FAR_AWAY },
            events,
            outgoing,
            ack_tokens,
            acknowledgements: Acknowledgements::default(),
            subscribed: Subscribed::NotYet { until: Instant::now() + FAR_AWAY, pkid: None },
            look_ups: Vec::new(),
            insisted: None,
        })
    }

    /// Serves the connection until it ends.
    pub(super) async fn run(mut self, end: &mut RouteEnd) -> End {
        self.client_is_alive(&end.health);
        loop {
            let due = self.due();
            let result = tokio::select! {
                changed = end.connect_as.changed() => {
                    // Closed or changed: `run` of the route finds out which.
                    let _ = changed;
                    return End::GivenUp;
                }
                command = end.commands.recv() => match command {
                    Some(command) => self.handle_command(command),
                    None => return End::GivenUp,
                },
                event = self.client.events.recv() => {
                    self.client_is_alive(&end.health);
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
                // A client that has ended takes no commands either; why it has ended says more.
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
        use rumqttc::mqttbytes::Error;
        match why {
            ConnectionError::MqttState(StateError::Deserialization(
                Error::PayloadSizeLimitExceeded(bytes),
            )) => End::TooLarge { bytes: *bytes },
            ConnectionError::MqttState(
                StateError::ConnectionAborted
                | StateError::Io(_)
                | StateError::Deserialization(Error::Io(_)),
            ) if self.subscribed == Subscribed::Yes => End::Closed { why: in_words(why) },
            why => {
                End::Lost { why: in_words(why), was_reachable: self.subscribed == Subscribed::Yes }
            }
        }
    }

    fn due(&self) -> Instant {
        let subscribe = match self.subscribed {
            Subscribed::NotYet { until, .. } | Subscribed::Unproven { until } => Some(until),
            Subscribed::Yes => None,
        };
        let look_ups = self.look_ups.iter().filter_map(MacLookup::until);
        let times = subscribe.into_iter().chain(look_ups).chain(self.unacknowledged());
        times.fold(self.look_again.min(self.silent_at), Instant::min)
    }

    fn client_is_alive(&mut self, health: &Health) {
        self.silent_at = Instant::now() + self.silence;
        health.gets_on_within(self.silence);
    }

    /// When the broker has had long enough to acknowledge what it was sent.
    fn unacknowledged(&self) -> Option<Instant> {
        self.outgoing.unacknowledged_since().map(|since| since + self.silence)
    }

    async fn tick(&mut self) -> Result<(), String> {
        let now = Instant::now();
        if self.silent_at <= now {
            return Err("the client says nothing any more".to_owned());
        }
        if self.unacknowledged().is_some_and(|until| until <= now) {
            return Err(format!(
                "the broker has not acknowledged a message within {} s, and answers all the same",
                self.silence.as_secs()
            ));
        }
        if self.look_again <= now {
            return Err("listening again for what was left out".to_owned());
        }
        if matches!(self.subscribed, Subscribed::NotYet { until, .. } if until <= now) {
            return Err("the broker does not answer the subscription".to_owned());
        }
        if matches!(self.subscribed, Subscribed::Unproven { until } if until <= now) {
            return Err(format!(
                "the broker does not give {} back to this panel: do its access rules let the panel write and read it?",
                self.topics.presence
            ));
        }
        let silent = |lookup: &MacLookup| lookup.until().is_some_and(|until| until <= now);
        while let Some(at) = self.look_ups.iter().position(silent) {
            self.answer_look_up(at, MacOwner::Nobody).await?;
        }
        Ok(())
    }

    fn handle_command(&mut self, command: RouteCommand) -> Result<(), String> {
        match command {
            RouteCommand::Acknowledge(ack_token) => self.acknowledgements.done(ack_token),
            RouteCommand::LookUp(mac) => self.look_up(mac)?,
            RouteCommand::Send(parcel, report) => self.outgoing.report(parcel, &report),
            RouteCommand::GiveUp(mac) => self.outgoing.give_up(mac),
            RouteCommand::AskAgain => {
                return Err("asking for what was left unacknowledged".to_owned());
            }
        }
        Ok(())
    }

    async fn take(&mut self, event: Mqtt, health: &Health) -> Result<(), String> {
        match event {
            Mqtt::Incoming(Packet::ConnAck(answer)) => {
                if answer.code != ConnectReturnCode::Success {
                    return Err(refused(answer.code));
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
            Mqtt::Incoming(Packet::Publish(message)) => self.message(message, health).await,
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

    async fn tell(&self, event: Event) -> Result<(), String> {
        self.send(RouteEvent::Event(event)).await
    }

    async fn send(&self, event: RouteEvent) -> Result<(), String> {
        self.events.send(event).await.map_err(|_| "the daemon ends".to_owned())
    }
}

/// The client's queue holds far more than this route ever asks for at once: it does not get on.
fn jammed(why: &rumqttc::ClientError) -> String {
    format!("the client is jammed: {why}")
}
