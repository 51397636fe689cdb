//! Why there is no connection to the broker, as types and in words.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use crate::upstream::network_error::NetworkError;
use crate::upstream::tls;

/// Why no line was made.
#[derive(Debug)]
pub(in crate::upstream::mqtt) enum LineError {
    /// The name of the broker's host cannot be resolved.
    Name(io::Error),
    /// Nothing came of it within the limit.
    Silent,
    /// None of the broker's addresses can be connected to.
    NoAddress(Vec<Attempt>),
    /// The socket between the library and the line.
    Socket(io::Error),
}

/// An address that cannot be connected to.
#[derive(Debug)]
pub(in crate::upstream::mqtt) struct Attempt {
    pub(super) address: SocketAddr,
    pub(super) why: AttemptError,
}

#[derive(Debug)]
pub(super) enum AttemptError {
    /// There is no TCP connection.
    Tcp(io::Error),
    /// The TLS handshake failed.
    Tls(io::Error),
    /// It does not answer within its share of the limit.
    Silent,
}

const SILENT: &str = "the broker did not answer in time";

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineError::Name(why) => NetworkError::from(why).fmt(f),
            LineError::Silent => f.write_str(SILENT),
            LineError::NoAddress(attempts) => match &attempts[..] {
                [only] => only.why.fmt(f),
                several => {
                    for (at, Attempt { address, why }) in several.iter().enumerate() {
                        write!(f, "{}at {address}: {why}", if at == 0 { "" } else { "; " })?;
                    }
                    Ok(())
                }
            },
            LineError::Socket(why) => write!(f, "a socket within the panel failed: {why}"),
        }
    }
}

impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AttemptError::Tcp(why) => NetworkError::from(why).fmt(f),
            AttemptError::Tls(why) => match tls::tls_failure(why) {
                Some(failure) => f.write_str(&tls::explain(failure)),
                None => {
                    let what = NetworkError::from(why);
                    write!(f, "{what} (in the TLS handshake: is this the port for TLS?)")
                }
            },
            AttemptError::Silent => f.write_str(SILENT),
        }
    }
}
