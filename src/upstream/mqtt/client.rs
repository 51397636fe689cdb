//! One client for one connection: its options, and a task that does nothing but poll it.

use intercom_wire::{BoardName, MAX_REQUEST_BYTES};
use log::debug;
use rumqttc::{
    AsyncClient, ConnectionError, Event, LastWill, MqttOptions, NetworkOptions, QoS,
    TlsConfiguration, Transport,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::end::SessionError;
use super::presence::OwnPresence;
use super::topics::Topics;
use crate::config::MqttSettings;
use crate::upstream::{Place, tls};

/// The largest packet: a whole request with its topic and header.
pub(super) const MAX_PACKET: usize = MAX_REQUEST_BYTES + 1024;
/// The client numbers its packets from 1 to this. Fewer are unanswered at once: one PUBLISH, and the
/// SUBSCRIBEs and UNSUBSCRIBEs of the look-ups.
const PACKET_IDS: u16 = 32;
/// How many calls the client queues before it has sent the first.
const QUEUE: usize = 64;

/// A client whose connection dies with it: without DISCONNECT, so that the broker tells the others.
pub(super) struct Client {
    pub(super) handle: AsyncClient,
    pub(super) events: mpsc::Receiver<Result<Event, ConnectionError>>,
    poller: JoinHandle<()>,
}

impl Client {
    /// # Errors
    /// When a file of the configuration cannot be used.
    pub(super) fn new(
        settings: &MqttSettings,
        place: &Place,
        topics: &Topics,
        board: &BoardName,
        presence: &OwnPresence,
        clean_session: bool,
    ) -> Result<Self, SessionError> {
        let broker = &settings.broker;
        let mut options = MqttOptions::new(board.as_str(), &broker.host, broker.port);
        options
            .set_keep_alive(settings.keep_alive)
            .set_clean_session(clean_session)
            .set_manual_acks(true)
            .set_inflight(PACKET_IDS)
            .set_max_packet_size(MAX_PACKET, MAX_PACKET)
            .set_last_will(LastWill::new(
                &topics.presence,
                presence.offline(),
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
        if broker.tls {
            let config = tls::client_config(&settings.tls, place, &settings.alpn)
                .map_err(SessionError::TlsFile)?;
            options
                .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(config.into())));
        }
        let (handle, mut event_loop) = AsyncClient::new(options, QUEUE);
        let mut network = NetworkOptions::new();
        network.set_connection_timeout(settings.connect_timeout.as_secs());
        network.set_tcp_nodelay(true);
        event_loop.set_network_options(network);
        let (events_in, events) = mpsc::channel(QUEUE);
        // Polled here and nowhere else: a poll that lost a race would lose what it was writing.
        let poller = tokio::spawn(async move {
            loop {
                let event = event_loop.poll().await;
                let last = event.is_err();
                if events_in.send(event).await.is_err() || last {
                    debug!("MQTT: the client of this connection ends");
                    return;
                }
            }
        });
        Ok(Client { handle, events, poller })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.poller.abort();
    }
}
