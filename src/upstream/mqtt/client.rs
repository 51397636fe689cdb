//! One client for one connection: its options, and a task that connects and then polls it.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use intercom_wire::BoardName;
use log::debug;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, NetworkOptions, QoS,
    Transport,
};
use tokio::select;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::Service;
use super::end::{ClientEnd, Connect};
use super::line::{self, MAX_PACKET, Socket, Trace, Way};
use super::presence;
use super::topics::Topics;
use crate::random::{self, NoRandomNumbers};
use crate::upstream::cause::{Cause, MqttCause, PanelCause, TlsCause};
use crate::upstream::legs::Leg;
use crate::upstream::{Place, tls};

/// The client numbers its packets from 1 to this. Fewer are unanswered at once: one PUBLISH, and the
/// SUBSCRIBEs and UNSUBSCRIBEs of the look-ups.
const PACKET_IDS: u16 = 32;
/// How many calls the client queues before it has sent the first.
const QUEUE: usize = 64;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To serve the panel, with its session and its last will.
    Serve,
    /// To look at the way.
    Look(Look),
}

/// How to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) client_id: ClientId,
    /// With a retained last will, as the panel's own connections have one. It is empty: a broker keeps
    /// nothing of it, and whoever hears it is told that nobody is there.
    pub(super) last_will: bool,
    pub(super) keep_alive: Duration,
}

/// Under which client ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientId {
    /// One of its own, and without a session: it ends no other connection, also not of another look.
    OfLook,
    /// The panel's, with its session. Access rules may be bound to it.
    OfPanel,
}

impl Look {
    fn client_id(&self, board: &BoardName) -> Result<String, NoRandomNumbers> {
        Ok(match self.client_id {
            ClientId::OfLook => format!("{board}-netcheck-{:04x}", random::number()? & 0xffff),
            ClientId::OfPanel => board.to_string(),
        })
    }
}

/// A client whose connection dies with it: without DISCONNECT, so that the broker tells the others.
pub(super) struct Client {
    pub(super) handle: AsyncClient,
    pub(super) events: mpsc::Receiver<Result<Event, ClientEnd>>,
    /// What its connection remembers.
    pub(super) trace: Trace,
    task: JoinHandle<()>,
}

impl Client {
    /// # Errors
    /// When a file of the configuration cannot be used.
    pub(super) fn new(
        service: &Service,
        topics: &Topics,
        board: &BoardName,
        purpose: Purpose,
    ) -> Result<Self, Cause> {
        let Service { settings, place, .. } = service;
        let way = way(service)?;
        let (look, last_will) = match purpose {
            Purpose::Serve => {
                let (client_id, keep_alive) = (ClientId::OfPanel, settings.keep_alive);
                (Look { client_id, last_will: true, keep_alive }, presence::offline(board))
            }
            Purpose::Look(look) => (look, Vec::new()),
        };
        let client_id = look.client_id(board)?;
        let socket = Socket::name()?;
        let mut options = MqttOptions::new(&client_id, &socket, service.broker().port);
        options
            .set_transport(Transport::unix())
            .set_keep_alive(look.keep_alive)
            .set_clean_session(look.client_id == ClientId::OfLook)
            .set_manual_acks(true)
            .set_inflight(PACKET_IDS)
            .set_max_packet_size(MAX_PACKET, MAX_PACKET);
        if look.last_will {
            options.set_last_will(LastWill::new(
                &topics.presence,
                last_will,
                QoS::AtLeastOnce,
                true,
            ));
        }
        if let Some(username) = &settings.username {
            let password = match &settings.password {
                Some(file) => Some(file.read(&place.root).map_err(PanelCause::file)?),
                None => None,
            };
            options
                .set_credentials(username, password.as_ref().map_or("", |secret| secret.expose()));
        }
        let (handle, mut event_loop) = AsyncClient::new(options, QUEUE);
        let mut network = NetworkOptions::new();
        network.set_connection_timeout(settings.connect_timeout.as_secs());
        event_loop.set_network_options(network);
        let (events_in, events) = mpsc::channel(QUEUE);
        let trace = Trace::new();
        let limit = settings.connect_timeout;
        let connection = Connection {
            way,
            socket,
            event_loop,
            limit,
            trace: trace.clone(),
            connect: Connect { client_id, keep_alive: look.keep_alive.as_secs() },
            place: place.clone(),
        };
        let task = tokio::spawn(async move {
            // The session ends first only when it drops this task.
            let _ = match connection.serve(&events_in).await {
                Ok(()) => Ok(()),
                Err(why) => events_in.send(Err(why)).await,
            };
            debug!("MQTT: the client of this connection ends");
        });
        Ok(Client { handle, events, trace, task })
    }
}

/// How the broker is reached.
///
/// # Errors
/// When a file of the configuration cannot be used.
pub(super) fn way(service: &Service) -> Result<Way, Cause> {
    let Service { settings, place, health, turn } = service;
    let broker = service.broker();
    let tls = match broker.tls {
        true => Some((
            Arc::new(tls::client_config(&settings.tls, place, &settings.alpn)?),
            tls::host(&broker.host)?,
        )),
        false => None,
    };
    Ok(Way {
        host: broker.host.clone(),
        port: broker.port,
        first_address: turn.address,
        health: health.clone(),
        tls,
    })
}

/// What the task of one connection needs.
struct Connection {
    way: Way,
    /// The name of the socket by which the library reaches the line.
    socket: String,
    event_loop: EventLoop,
    /// For all from the name look-up to CONNACK.
    limit: Duration,
    trace: Trace,
    connect: Connect,
    place: Place,
}

impl Connection {
    /// # Errors
    /// Why there is no connection any more.
    async fn serve(self, events: &mpsc::Sender<Result<Event, ClientEnd>>) -> Result<(), ClientEnd> {
        let Connection { way, socket, mut event_loop, limit, trace, connect, place } = self;
        let until = Instant::now() + limit;
        let broker = way.connect(until).await?;
        let bound = Socket::bind(&socket);
        let socket = bound.map_err(|why| Cause::from(PanelCause::no_resources(why)))?;
        let line = async {
            line::copy(socket, broker, &trace).await;
            // The library still has to deliver what has passed.
            pending().await
        };
        // Polled here and nowhere else: a poll that lost a race would lose what it was writing.
        let polling = async {
            let connected = timeout_at(until, event_loop.poll()).await;
            let connected = connected.unwrap_or(Err(ConnectionError::NetworkTimeout));
            if connected.is_ok() {
                way.health.passes(Leg::Login, format_args!("as {}", connect.client_id));
            }
            let mut event = match connected.map_err(|why| connect.failed(&why, &trace)) {
                Err(ClientEnd::Other(Cause::Mqtt(MqttCause::NoConnAck { .. })))
                    if way.speaks_tls(place).await =>
                {
                    Err(Cause::from(TlsCause::Spoken).into())
                }
                event => event,
            };
            loop {
                if events.send(Ok(event?)).await.is_err() {
                    return Ok(());
                }
                event = event_loop.poll().await.map_err(|why| ClientEnd::of_library(&why, &trace));
            }
        };
        select! {
            never = line => never,
            ended = polling => ended,
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}
