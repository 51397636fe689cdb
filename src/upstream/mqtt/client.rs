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
use super::end::SessionError;
use super::line::{self, LineError, MAX_PACKET, Socket, Trace, Way};
use super::presence;
use super::topics::Topics;
use crate::upstream::tls;

/// The client numbers its packets from 1 to this. Fewer are unanswered at once: one PUBLISH, and the
/// SUBSCRIBEs and UNSUBSCRIBEs of the look-ups.
const PACKET_IDS: u16 = 32;
/// How many calls the client queues before it has sent the first.
const QUEUE: usize = 64;

/// A client whose connection dies with it: without DISCONNECT, so that the broker tells the others.
pub(super) struct Client {
    pub(super) handle: AsyncClient,
    pub(super) events: mpsc::Receiver<Result<Event, SessionError>>,
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
    ) -> Result<Self, SessionError> {
        let Service { settings, place, health, first_address } = service;
        let broker = &settings.broker;
        let tls = match broker.tls {
            true => Some((
                Arc::new(
                    tls::client_config(&settings.tls, place, &settings.alpn)
                        .map_err(SessionError::TlsFile)?,
                ),
                tls::host(&broker.host).map_err(SessionError::TlsFile)?,
            )),
            false => None,
        };
        let (host, health) = (broker.host.clone(), health.clone());
        let way = Way { host, port: broker.port, first_address: *first_address, health, tls };
        let socket = Socket::name()?;
        let mut options = MqttOptions::new(board.as_str(), &socket, broker.port);
        options
            .set_transport(Transport::unix())
            .set_keep_alive(settings.keep_alive)
            .set_clean_session(false)
            .set_manual_acks(true)
            .set_inflight(PACKET_IDS)
            .set_max_packet_size(MAX_PACKET, MAX_PACKET)
            .set_last_will(LastWill::new(
                &topics.presence,
                presence::offline(board),
                QoS::AtLeastOnce,
                true,
            ));
        if let Some(username) = &settings.username {
            let password = match &settings.password {
                Some(file) => Some(file.read(&place.root).map_err(SessionError::Password)?),
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
        let connection = Connection { way, socket, event_loop, limit, trace: trace.clone() };
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

/// What the task of one connection needs.
struct Connection {
    way: Way,
    /// The name of the socket by which the library reaches the line.
    socket: String,
    event_loop: EventLoop,
    /// For all from the name look-up to CONNACK.
    limit: Duration,
    trace: Trace,
}

impl Connection {
    /// # Errors
    /// Why there is no connection any more.
    async fn serve(
        self,
        events: &mpsc::Sender<Result<Event, SessionError>>,
    ) -> Result<(), SessionError> {
        let Connection { way, socket, mut event_loop, limit, trace } = self;
        let until = Instant::now() + limit;
        let broker = way.connect(until).await.map_err(SessionError::Line)?;
        let socket =
            Socket::bind(&socket).map_err(|why| SessionError::Line(LineError::Socket(why)))?;
        let line = async {
            line::copy(socket, broker, &trace).await;
            // The library still has to deliver what has passed.
            pending().await
        };
        // Polled here and nowhere else: a poll that lost a race would lose what it was writing.
        let polling = async {
            let connected = timeout_at(until, event_loop.poll()).await;
            let mut event = connected.unwrap_or(Err(ConnectionError::NetworkTimeout));
            loop {
                let event_or_end = event.map_err(|why| SessionError::of_library(why, &trace));
                if events.send(Ok(event_or_end?)).await.is_err() {
                    return Ok(());
                }
                event = event_loop.poll().await;
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
