//! One attempt to reach the broker, to look at the way: by the same steps as the route's own
//! connections, under another client ID, so that it takes no session over and leaves none behind. Only where
//! the broker refuses that one is the panel's tried.

use std::sync::Arc;
use std::time::Duration;

use intercom_wire::BoardName;
use rumqttc::{Event, Outgoing, Packet, QoS};
use tokio::time::{Instant, timeout, timeout_at};

use super::Service;
use super::client::{Client, ClientId, Look, Purpose, way};
use super::presence;
use super::session::subscription::{Answered, OwnSubscription};
use super::topics::Topics;
use super::turn::Turn;
use crate::agent::seams::ConnectIdentity;
use crate::config::MqttSettings;
use crate::upstream::cause::{Cause, MqttCause};
use crate::upstream::legs::Leg;
use crate::upstream::{Health, Place};

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// To the broker's port, over TLS where it is used: the daemon is connected beyond.
    Connected,
    /// To the subscription to all of the panel's topics, and what it writes there. Nothing is retained.
    Subscribed,
}

/// A keep-alive that brokers allow.
const SHORT: Duration = Duration::from_secs(10);

/// Tries once to reach the broker, at one of its URLs. `health` is told of each leg.
pub(crate) async fn attempt(
    settings: MqttSettings,
    broker: usize,
    place: Place,
    connect_as: &ConnectIdentity,
    until: Until,
    health: Health,
) -> Result<(), Arc<Cause>> {
    let turn = Turn { broker, ..Turn::default() };
    let service = Service { settings, place, health, turn };
    let reached = match until {
        Until::Connected => connect(&service).await,
        Until::Subscribed => look(&service, connect_as).await,
    };
    reached.map_err(Arc::new)
}

/// Goes the whole way. What the broker refuses under a client ID of the look's own counts only if it refuses
/// it to the panel's, too: nobody is connected under that one, and access rules may be bound to it.
async fn look(service: &Service, connect_as: &ConnectIdentity) -> Result<(), Cause> {
    let keep_alive = service.settings.keep_alive;
    let as_client = |client_id| Look { client_id, last_will: true, keep_alive };
    let goal = Goal::OwnPresence;
    let refused = match subscribe(service, connect_as, as_client(ClientId::OfLook), goal).await {
        // Who is silent refuses nothing.
        silent @ Err(Cause::Mqtt(MqttCause::NoSubAck)) => return silent,
        Err(Cause::Mqtt(why)) => why,
        reached => return reached,
    };
    match subscribe(service, connect_as, as_client(ClientId::OfPanel), goal).await {
        Ok(()) => {
            service.health.remarks(Leg::Login, format_args!("under another client ID: {refused}"));
            Ok(())
        }
        // Another look at the same time has taken the session over: what this one saw before stands.
        Err(Cause::Mqtt(
            MqttCause::Closed { .. }
            | MqttCause::ClosedOverSubscribe { .. }
            | MqttCause::Client { .. },
        )) if matches!(refused, MqttCause::PresenceNotReturned { .. }) => Err(refused.into()),
        Err(why) => Err(explained(service, connect_as, why).await),
    }
}

/// Whether this leaves open what the broker refuses; [`explained`] can find it out.
pub(super) fn leaves_open(why: &Cause) -> bool {
    matches!(why, Cause::Mqtt(MqttCause::NoConnAck { .. } | MqttCause::ClientId { .. }))
}

/// A broker that refuses CONNECT does not say which part of it. Connections that differ in one part find
/// it out.
pub(super) async fn explained(
    service: &Service,
    connect_as: &ConnectIdentity,
    why: Cause,
) -> Cause {
    let service = &service.apart();
    let keep_alive = service.settings.keep_alive;
    let look = async |last_will, keep_alive| {
        let look = Look { client_id: ClientId::OfLook, last_will, keep_alive };
        subscribe(service, connect_as, look, Goal::Topics).await
    };
    match why {
        Cause::Mqtt(MqttCause::NoConnAck { .. }) => match look(false, keep_alive).await {
            Ok(()) => MqttCause::NoRetain.into(),
            Err(proven @ Cause::Mqtt(MqttCause::NoQos1)) => proven,
            Err(_) => why,
        },
        Cause::Mqtt(MqttCause::ClientId { client_id, keep_alive: seconds }) => {
            let refused = MqttCause::ClientId { client_id: client_id.clone(), keep_alive: seconds };
            match (look(true, SHORT).await, look(true, keep_alive).await) {
                (_, Ok(())) => MqttCause::OwnClientId { client_id },
                (Ok(()), Err(Cause::Mqtt(MqttCause::ClientId { .. }))) => {
                    MqttCause::KeepAlive { keep_alive: seconds }
                }
                _ => refused,
            }
            .into()
        }
        why => why,
    }
}

async fn connect(service: &Service) -> Result<(), Cause> {
    let until = Instant::now() + service.settings.connect_timeout;
    way(service)?.connect(until).await.map(drop)
}

/// When an attempt has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// All topics are granted.
    Topics,
    /// What the panel writes comes back to it too: some brokers grant what their access rules deny.
    OwnPresence,
}

/// How long the broker may take to close the connection.
const CLOSING: Duration = Duration::from_secs(2);
/// How long the broker may take to give the panel's own presence back.
const ECHO: Duration = Duration::from_secs(5);

async fn subscribe(
    service: &Service,
    connect_as: &ConnectIdentity,
    look: Look,
    goal: Goal,
) -> Result<(), Cause> {
    let topics = Topics::new(&service.settings.topics, connect_as)?;
    let mut client = Client::new(service, &topics, &connect_as.board, Purpose::Look(look))?;
    let limit = service.settings.connect_timeout;
    let reached = converse(&mut client, &topics, &connect_as.board, goal, limit).await;
    if reached.is_ok() {
        service.health.passes(Leg::Topics, "all are granted; presence comes back");
    }
    // The broker is to keep the last will to itself. DISCONNECT has to arrive: it closes the connection then.
    if client.handle.try_disconnect().is_ok() {
        let closed = async { while let Some(Ok(_)) = client.events.recv().await {} };
        let _ = timeout(CLOSING, closed).await;
    }
    reached
}

async fn converse(
    client: &mut Client,
    topics: &Topics,
    board: &BoardName,
    goal: Goal,
    limit: Duration,
) -> Result<(), Cause> {
    let mut subscription = OwnSubscription::new(topics);
    // The client keeps the limit for CONNACK by itself. SUBACK has the same from then on.
    let mut until = Instant::now() + 2 * limit;
    let mut is_granted = false;
    let said = presence::of_look(board);
    loop {
        let event = match timeout_at(until, client.events.recv()).await {
            Ok(Some(event)) => event.map_err(|why| subscription.explained(why))?,
            Ok(None) => return Err(MqttCause::client("its task has ended").into()),
            Err(_) if is_granted => {
                let topic = topics.presence.clone();
                return Err(MqttCause::PresenceNotReturned { topic }.into());
            }
            Err(_) => return Err(MqttCause::NoSubAck.into()),
        };
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                let filters = subscription.start(Instant::now());
                until = Instant::now() + limit;
                client.handle.try_subscribe_many(filters)?;
            }
            Event::Outgoing(Outgoing::Subscribe(pkid)) => {
                subscription.sent_as(pkid);
            }
            Event::Incoming(Packet::SubAck(answer)) => {
                if let Answered::Granted { .. } = subscription.answered(&answer, Instant::now())? {
                    if !OwnSubscription::has_qos_1(&answer) {
                        return Err(MqttCause::NoQos1.into());
                    }
                    if goal == Goal::Topics {
                        return Ok(());
                    }
                    is_granted = true;
                    until = Instant::now() + ECHO;
                    let (topic, said) = (topics.presence.as_str(), said.as_slice());
                    client.handle.try_publish(topic, QoS::AtLeastOnce, false, said)?;
                }
            }
            Event::Incoming(Packet::Publish(message))
                if is_granted && message.topic == topics.presence && *message.payload == said =>
            {
                return Ok(());
            }
            Event::Incoming(_) | Event::Outgoing(_) => {}
        }
    }
}
