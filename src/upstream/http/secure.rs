//! HTTPS connections: the client's transport over one shared TLS configuration.
//!
//! The library's own TLS connector keeps each trusted certificate twice, and does not accept a
//! finished configuration.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use super::trouble::CauseError;
use crate::config::Tls;
use crate::upstream::cause::TlsCause;
use crate::upstream::legs::Leg;
use crate::upstream::{Health, Place, tls};

/// Puts TLS over the connections of `https` URLs, and leaves the others unchanged.
#[derive(Debug)]
pub(super) struct TlsConnector {
    tls: Tls,
    place: Place,
    /// Told that a handshake is done.
    health: Health,
    /// Read from the files at the first connection, and again after a failed one: an installer may have
    /// corrected a file meanwhile.
    config: Mutex<Option<Arc<ClientConfig>>>,
}

/// A connection with TLS.
pub(super) struct TlsTransport<In: Transport> {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter<In>>,
}

impl TlsConnector {
    pub(super) fn new(tls: &Tls, place: &Place, health: Health) -> Self {
        let (tls, place, config) = (tls.clone(), place.clone(), Mutex::new(None));
        TlsConnector { tls, place, health, config }
    }

    fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        let mut kept = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*kept {
            return Ok(config.clone());
        }
        let made = tls::client_config(&self.tls, &self.place, &[b"http/1.1"]);
        let config = Arc::new(made.map_err(|why| Error::Other(Box::new(why)))?);
        *kept = Some(config.clone());
        Ok(config)
    }

    fn forget_config(&self) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn handshake<In: Transport>(
        &self,
        details: &ConnectionDetails<'_>,
        transport: In,
    ) -> Result<TlsTransport<In>, Error> {
        let host = details.uri.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
            Error::BadUri(format!("`{bare}` is neither a host name nor an address"))
        })?;
        let mut connection = ClientConnection::new(self.config()?, name).map_err(other)?;
        let mut socket = TransportAdapter::new(transport, details.current_time.clone());
        socket.set_timeout(rest_of(details));
        let made = connection.complete_io(&mut socket);
        made.map_err(handshake_error)?;
        self.health.passes(Leg::Tls, tls::version(&connection));
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(TlsTransport { buffers, stream: StreamOwned::new(connection, socket) })
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport<In>>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let secured = self.handshake(details, transport);
        if secured.is_err() {
            self.forget_config();
        }
        secured.map(|secured| Some(Either::B(secured)))
    }
}

impl<In: Transport> Transport for TlsTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl<In: Transport> fmt::Debug for TlsTransport<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").field("under", &self.stream.sock.inner()).finish()
    }
}

/// What is left of the time for connecting after TCP has connected.
fn rest_of(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut limit = details.timeout;
    if let Instant::Exact(started) = details.now {
        limit.after = limit.after.saturating_sub(started.elapsed()).into();
    }
    limit
}

/// A time limit is the library's own error, and must be told as one.
fn handshake_error(why: io::Error) -> Error {
    match Error::from(why) {
        Error::Io(why) => CauseError(TlsCause::in_handshake(&why)).into(),
        other => other,
    }
}

fn other(why: rustls::Error) -> Error {
    Error::Other(Box::new(why))
}
