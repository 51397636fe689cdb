//! From the host's name to a connection: the first of its addresses that answers is used.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::race::Race;
use crate::board::Ends;
use crate::upstream::cause::{Cause, NetworkCause, TlsCause};
use crate::upstream::legs::Leg;
use crate::upstream::{Health, Place, addresses, tls};

/// How a broker is reached.
pub(in crate::upstream::mqtt) struct Way {
    pub(in crate::upstream::mqtt) host: String,
    pub(in crate::upstream::mqtt) port: u16,
    /// Which of the host's addresses is tried first.
    pub(in crate::upstream::mqtt) first_address: usize,
    /// Told where the connection leads to.
    pub(in crate::upstream::mqtt) health: Health,
    /// Over TLS, with the name that the broker's certificate has to have.
    pub(in crate::upstream::mqtt) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

/// A connection to a broker, over TLS or not.
pub(in crate::upstream::mqtt) type Stream = Box<dyn ReadWrite>;

pub(in crate::upstream::mqtt) trait ReadWrite:
    AsyncRead + AsyncWrite + Send + Unpin
{
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for S {}

impl Way {
    /// Tries the host's addresses until one can be connected to. A handshake of TLS gets its share of the
    /// time that is left, so that a silent server leaves some for the other addresses.
    ///
    /// # Errors
    /// The name cannot be resolved, or none of its addresses can be connected to.
    pub(in crate::upstream::mqtt) async fn connect(&self, until: Instant) -> Result<Stream, Cause> {
        self.health.sets_out();
        let found = timeout_at(until, addresses::resolve(&self.host, self.port)).await;
        let slow = |_| NetworkCause::NameSlow { host: self.host.clone() };
        let mut found = found.map_err(slow)??;
        self.health.passes(Leg::Name, addresses::shown(&found));
        let first = self.first_address % found.len().max(1);
        found.rotate_left(first);
        let (mut race, mut failed) = (Race::new(found), Vec::new());
        loop {
            let (address, why) = match timeout_at(until, race.next()).await {
                Ok(Some((address, Ok(tcp)))) => {
                    let left = until.saturating_duration_since(Instant::now());
                    let share = left / u32::try_from(1 + race.left()).unwrap_or(u32::MAX);
                    match timeout(share, self.over(tcp, address)).await {
                        Ok(Ok(stream)) => return Ok(stream),
                        Ok(Err(why)) => (address, why),
                        Err(_) => (address, NetworkCause::Silent.into()),
                    }
                }
                Ok(Some((address, Err(why)))) => (address, NetworkCause::from(&why).into()),
                Ok(None) => break,
                Err(_) => {
                    failed.extend(race.running().map(|at| (at, NetworkCause::Silent.into())));
                    break;
                }
            };
            failed.push((address, why));
        }
        Err(Cause::Addresses(failed))
    }

    /// Whether a server that closed a connection without TLS speaks it there.
    pub(in crate::upstream::mqtt) async fn speaks_tls(&self, place: Place) -> bool {
        let peers = self.health.ends().peers;
        let (None, Some(peer)) = (&self.tls, peers.first()) else { return false };
        let at = SocketAddr::new(*peer, self.port);
        spawn_blocking(move || tls::is_spoken_at(at, &place)).await.unwrap_or(false)
    }

    async fn over(&self, tcp: TcpStream, address: SocketAddr) -> Result<Stream, Cause> {
        tcp.set_nodelay(true).map_err(|why| NetworkCause::from(&why))?;
        let local = tcp.local_addr().ok().map(|local| local.ip());
        self.health.connects(Ends { local, peers: vec![address.ip()] });
        self.health.passes(Leg::Tcp, address);
        Ok(match &self.tls {
            None => Box::new(tcp),
            Some((config, name)) => {
                let connector = TlsConnector::from(config.clone());
                let made = connector.connect(name.clone(), tcp).await;
                let stream = made.map_err(|why| TlsCause::in_handshake(&why))?;
                self.health.passes(Leg::Tls, tls::version(stream.get_ref().1));
                Box::new(stream)
            }
        })
    }
}
