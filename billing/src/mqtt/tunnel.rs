//! The way to a broker. The MQTT library speaks to a Unix socket of this process, and what it says is
//! carried to the broker: its own TLS would bring a second, older stack, and it waits for a silent address
//! of a name as long as TCP does.

use std::process;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio_rustls::TlsConnector;
use uuid::Uuid;

use super::race;
use super::session::Lost;

/// The way to a broker, for one connection of this process.
pub(super) struct Tunnel {
    listener: UnixListener,
    name: String,
    host: String,
    port: u16,
    /// `None`: plain TCP.
    tls: Option<Arc<ClientConfig>>,
}

/// A connection to the broker, over TLS or not.
type Stream = Box<dyn ReadWrite>;

trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for S {}

impl Tunnel {
    pub(super) fn to(host: &str, port: u16, tls: Option<Arc<ClientConfig>>) -> Result<Self> {
        // The zero byte means the abstract namespace: no file is left.
        let name = format!("\0intercom-billing-{}", Uuid::new_v4().simple());
        let listener = UnixListener::bind(&name).context("no Unix socket can be made")?;
        Ok(Tunnel { listener, name, host: host.to_owned(), port, tls })
    }

    /// Where the library connects.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns why there is no connection to the broker. Once there is one, the library is told of
    /// its end.
    pub(super) async fn run(self) -> Lost {
        match self.connect().await {
            Err(why) => why,
            Ok((mut near, mut far)) => {
                // However it ends, the library finds its own connection closed and says so.
                let _ = copy_bidirectional(&mut near, &mut far).await;
                drop((near, far));
                std::future::pending().await
            }
        }
    }

    async fn connect(&self) -> Result<(UnixStream, Stream)> {
        let near = self.accept().await.context("the Unix socket failed")?;
        let far = race::connect(&self.host, self.port).await?;
        // The packets are small, and a panel waits for each.
        far.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok((near, Box::new(far))) };
        let name = ServerName::try_from(self.host.clone())
            .with_context(|| format!("no certificate can have the name {}", self.host))?;
        let far = TlsConnector::from(tls.clone()).connect(name, far).await.context("TLS")?;
        Ok((near, Box::new(far)))
    }

    /// Whoever may list sockets can find the name and connect to it, and is turned away.
    async fn accept(&self) -> Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            match stream.peer_cred()?.pid() {
                Some(pid) if u32::try_from(pid) == Ok(process::id()) => return Ok(stream),
                pid => tracing::warn!("process {pid:?} connects to a socket of this one: refused"),
            }
        }
    }
}
