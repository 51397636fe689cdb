//! Failures of the network, in the same words on every route.

use std::fmt;
use std::io;

/// What the standard library says when a name cannot be resolved. The error has no kind of its own.
const UNKNOWN_HOST: &str = "failed to lookup address information";

/// Why a server is not reached, or is reached no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NetworkError {
    /// The server's host refuses the connection.
    Refused,
    /// There is no route to the host.
    Unreachable,
    /// The server has closed the connection.
    Closed,
    /// The server does not answer.
    Silent,
    /// The host's name cannot be resolved.
    UnknownHost,
    /// Anything else, as the system describes it.
    Other(String),
}

impl From<&io::Error> for NetworkError {
    fn from(why: &io::Error) -> Self {
        match why.kind() {
            io::ErrorKind::ConnectionRefused => NetworkError::Refused,
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                NetworkError::Unreachable
            }
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => NetworkError::Closed,
            io::ErrorKind::TimedOut => NetworkError::Silent,
            _ => {
                let text = why.to_string();
                match text.starts_with(UNKNOWN_HOST) {
                    true => NetworkError::UnknownHost,
                    false => NetworkError::Other(text),
                }
            }
        }
    }
}

/// A clause that follows the server's name and a colon.
impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NetworkError::Refused => {
                "nothing listens there: is it running, and is the address in the configuration right?"
            }
            NetworkError::Unreachable => {
                "there is no route to it: check the panel's address and gateway"
            }
            NetworkError::Closed => "it closed the connection",
            NetworkError::Silent => "it does not answer",
            NetworkError::UnknownHost => {
                "the name of its host is not known: check the panel's DNS and the URL"
            }
            NetworkError::Other(text) => return write!(f, "the network failed: {text}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_check() {
        let in_words = |why: &io::Error| NetworkError::from(why).to_string();
        for (kind, says) in [
            (io::ErrorKind::ConnectionRefused, "nothing listens there"),
            (io::ErrorKind::NetworkUnreachable, "there is no route to it"),
            (io::ErrorKind::ConnectionReset, "it closed the connection"),
        ] {
            assert!(in_words(&kind.into()).starts_with(says));
        }
        let name = io::Error::other(format!("{UNKNOWN_HOST}: Name or service not known"));
        assert!(in_words(&name).starts_with("the name of its host is not known"));
        assert_eq!(in_words(&io::Error::other("odd")), "the network failed: odd");
    }
}
