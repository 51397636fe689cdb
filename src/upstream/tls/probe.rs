//! Whether a server speaks TLS that did not understand what it got without.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConnection;

use super::{Place, client_config};
use crate::config::{Tls, TlsVersion, Trust};
use crate::upstream::cause::tls_failure;

/// How long each step may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Begins a handshake and tells nothing of the panel's. Blocks for a few seconds at most.
pub(in crate::upstream) fn is_spoken_at(at: SocketAddr, place: &Place) -> bool {
    let anyone = Tls { trust: Trust::Anyone, min_version: TlsVersion::V1_2, client: None };
    let no_protocols: [&[u8]; 0] = [];
    let Ok(config) = client_config(&anyone, place, &no_protocols) else { return false };
    let Ok(mut tls) = ClientConnection::new(Arc::new(config), at.ip().into()) else { return false };
    let connected = TcpStream::connect_timeout(&at, LIMIT).and_then(|tcp| {
        tcp.set_read_timeout(Some(LIMIT))?;
        tcp.set_write_timeout(Some(LIMIT))?;
        Ok(tcp)
    });
    match connected.and_then(|mut tcp| tls.complete_io(&mut tcp)) {
        Ok(_) => true,
        // Who refuses speaks it too.
        Err(why) => tls_failure(&why)
            .is_some_and(|failure| !matches!(failure, rustls::Error::InvalidMessage(_))),
    }
}
