//! The built-in broker: in memory, for as long as the service runs. Retained requests are published
//! anew at each start, so nothing depends on what it forgets.
//!
//! Our own link has a listener to itself, and panels are let in only after that link has
//! subscribed: no report can be acknowledged to a panel while nobody is there to hear it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::BytesMut;
use rumqttc::mqttbytes::v4::{Connect, Disconnect};
use rumqttd::protocol::v4::V4;
use rumqttd::{ConnectionSettings, LinkType, Router, RouterConfig, Server, ServerSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

/// How often the listener for panels is asked whether it still takes connections.
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBE_LIMIT: Duration = Duration::from_secs(3);
const RETRY_AFTER: Duration = Duration::from_millis(300);
const MAX_CONNECTIONS: usize = 4096;
/// What a panel reads at most, with its topic.
const MAX_PACKET_BYTES: usize = 64 * 1024;

type Listen = Arc<dyn Fn(SocketAddr) -> Server<V4> + Send + Sync>;

/// A running broker; it ends, with all its connections, when this is dropped.
pub(super) struct Broker {
    /// Where our own link connects.
    pub(super) own: SocketAddr,
    listen: Listen,
    /// Threads of its own, so that ending them ends everything in it.
    runtime: Option<Runtime>,
}

/// A free port, or the given one if it is free.
pub(super) async fn reserve(listen: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen for panels on {listen} (MQTT)"))?;
    Ok(listener.local_addr()?)
}

impl Broker {
    /// Starts the broker, open to our own link alone.
    pub(super) async fn start() -> Result<Self> {
        let own = reserve((Ipv4Addr::LOCALHOST, 0).into()).await?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mqtt")
            .enable_all()
            .build()
            .context("cannot start the broker's thread")?;
        let router = Router::new(
            0,
            RouterConfig {
                max_connections: MAX_CONNECTIONS,
                max_outgoing_packet_count: 200,
                max_segment_size: 1024 * 1024,
                max_segment_count: 2,
                ..RouterConfig::default()
            },
        )
        .spawn();
        let listen: Listen =
            Arc::new(move |address| Server::new(settings(address), router.clone(), V4));
        let mut server = listen(own);
        runtime.spawn(async move {
            if let Err(why) = server.start(LinkType::Remote).await {
                log::error!("the broker's own listener has ended: {why}");
            }
        });
        let broker = Broker { own, listen, runtime: Some(runtime) };
        timeout(PROBE_LIMIT, until_it_answers(own))
            .await
            .context("the built-in broker does not come up")?;
        Ok(broker)
    }

    /// Lets the panels in, and keeps the door open; returns when it is.
    pub(super) async fn open(&self, address: SocketAddr) {
        let listen = self.listen.clone();
        if let Some(runtime) = &self.runtime {
            runtime.spawn(keep_open(listen, address));
        }
        until_it_answers(address).await;
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn settings(listen: SocketAddr) -> ServerSettings {
    ServerSettings {
        name: "panels".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 0,
        connections: ConnectionSettings {
            connection_timeout_ms: 5000,
            max_payload_size: MAX_PACKET_BYTES,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: false,
        },
    }
}

/// A client that breaks off twice in the middle of its CONNECT leaves this broker's listener
/// answering nobody (a poisoned lock in rumqttd 0.20): a new listener on the same router heals it.
/// Connections that stand are not touched.
async fn keep_open(listen: Listen, address: SocketAddr) {
    loop {
        let mut server = listen(address);
        let serving = tokio::spawn(async move { server.start(LinkType::Remote).await });
        let mut failed = 0;
        while failed < 2 && !serving.is_finished() {
            sleep(if failed == 0 { PROBE_EVERY } else { RETRY_AFTER }).await;
            failed = match probe(address).await {
                Ok(()) => 0,
                Err(_) => failed + 1,
            };
        }
        serving.abort();
        match serving.await {
            Ok(Err(why)) => {
                log::warn!("cannot listen for panels on {address}: {why}; trying again")
            }
            _ => log::warn!("the broker takes no connections any more; listening anew"),
        }
        sleep(RETRY_AFTER).await;
    }
}

/// A listener says nothing when it is ready, so it is asked.
async fn until_it_answers(address: SocketAddr) {
    while probe(address).await.is_err() {
        sleep(Duration::from_millis(10)).await;
    }
}

/// Connects as a client does and leaves politely.
async fn probe(address: SocketAddr) -> Result<()> {
    timeout(PROBE_LIMIT, async {
        let mut stream = TcpStream::connect(address).await?;
        let mut packet = BytesMut::new();
        Connect::new("intercom-billing-probe").write(&mut packet)?;
        stream.write_all(&packet).await?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await?;
        ensure!(answer == [0x20, 2, 0, 0], "refused");
        packet.clear();
        Disconnect.write(&mut packet)?;
        stream.write_all(&packet).await?;
        Ok(())
    })
    .await?
}
