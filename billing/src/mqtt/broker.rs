//! The built-in broker, in memory. Every start asks the boards who is there, so nothing is lost when it
//! stops.
//!
//! Panels may connect only after our own link has subscribed. Otherwise the broker could
//! acknowledge a report that has no receiver.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use mqtt5::broker::{BrokerConfig, MqttBroker, StorageBackendType, StorageConfig};
use rumqttc::MqttOptions;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

use super::doorkeeper::{Doorkeeper, Own};
use super::never_retained::NeverRetained;
use crate::store::{Store, tokens};

/// Also the most that its library takes from one address.
const MAX_CONNECTIONS: usize = 10_000;
/// The largest packet that a panel reads, with its topic.
const MAX_PACKET_BYTES: usize = 64 * 1024;
/// A few for each panel.
const MAX_RETAINED: usize = 100_000;
/// Far more than a panel needs.
const MAX_SUBSCRIPTIONS: usize = 100;
/// A panel that was away for longer subscribes again and receives the retained messages.
const SESSION_EXPIRY: Duration = Duration::from_secs(24 * 3600);

/// How often it is looked whether the first token has been made, which another process does.
const LOOK_FOR_A_TOKEN: Duration = Duration::from_millis(250);

/// A running broker; it ends, with all its connections, when this is dropped.
pub(super) struct Broker {
    address: SocketAddr,
    own: Own,
    open: watch::Sender<bool>,
    store: Store,
    /// There was no token when it was started.
    for_anybody: bool,
    _running: JoinSet<()>,
}

/// A free port, or the given one if it is free.
pub(super) async fn reserve(listen: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen for panels on {listen} (MQTT)"))?;
    Ok(listener.local_addr()?)
}

impl Broker {
    /// Starts the broker, open only to our own link.
    pub(super) async fn start(listen: SocketAddr, client_id: &str, store: Store) -> Result<Self> {
        let own = Own { client_id: client_id.to_owned(), password: Uuid::new_v4().to_string() };
        let (open, is_open) = watch::channel(false);
        let for_anybody = !store.read(tokens::any).await?;
        let broker = MqttBroker::with_config(config(listen))
            .await
            .with_context(|| format!("cannot listen for panels on {listen} (MQTT)"))?;
        let doorkeeper = Doorkeeper {
            own: own.clone(),
            open: is_open,
            store: store.clone(),
            sessions: broker.storage(),
        };
        let mut broker = broker.with_auth_provider(Arc::new(doorkeeper));
        let mut running = JoinSet::new();
        running.spawn(async move {
            if let Err(why) = broker.run().await {
                tracing::error!("the built-in broker has ended: {why}");
            }
        });
        Ok(Broker { address: listen, own, open, store, for_anybody, _running: running })
    }

    /// How our own link connects.
    pub(super) fn options(&self) -> MqttOptions {
        let host = match self.address {
            SocketAddr::V4(v4) if v4.ip().is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(v6) if v6.ip().is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            address => address.ip(),
        };
        let mut options =
            MqttOptions::new(&self.own.client_id, host.to_string(), self.address.port());
        options.set_credentials(&self.own.client_id, &self.own.password);
        options
    }

    /// Returns when the first token has been made, if there was none at the start. Whoever came in
    /// without one has to go, and so have the sessions that were made so: this broker ends then, and
    /// they are in its memory.
    pub(super) async fn first_token(&self) {
        if !self.for_anybody {
            return std::future::pending().await;
        }
        while !self.store.read(tokens::any).await.unwrap_or(false) {
            sleep(LOOK_FOR_A_TOKEN).await;
        }
    }

    /// Lets the panels in.
    pub(super) fn open(&self) {
        self.open.send_replace(true);
    }
}

fn config(listen: SocketAddr) -> BrokerConfig {
    BrokerConfig {
        bind_addresses: vec![listen],
        max_clients: MAX_CONNECTIONS,
        max_packet_size: MAX_PACKET_BYTES,
        max_retained_messages: MAX_RETAINED,
        session_expiry_interval: SESSION_EXPIRY,
        max_subscriptions_per_client: MAX_SUBSCRIPTIONS,
        sys_topics_enabled: false,
        event_handler: Some(Arc::new(NeverRetained)),
        storage_config: StorageConfig {
            backend: StorageBackendType::Memory,
            ..StorageConfig::default()
        },
        ..BrokerConfig::default()
    }
}
