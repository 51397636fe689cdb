//! Failures of the network, the same on every route.

use std::error::Error;
use std::io;

use super::{Cause, TlsCause, tls_failure};

causes! {
    /// Why a server is not reached, or is reached no longer.
    enum NetworkCause {
        /// The resolver says that there is no such name, or gets no answer.
        NameUnknown { host: String, why: String } = "name-unknown",
            "the name {host} cannot be resolved ({why})",
            "check the panel's DNS server, and the host in `url`";
        /// The resolver says nothing.
        NameSlow { host: String } = "name-slow",
            "the look-up of the name {host} takes too long",
            "check the panel's DNS server, and the way to it";
        /// The server's host refuses the connection.
        Refused = "refused",
            "nothing listens there, or a firewall refuses the connection",
            "check the port in `url`, and whether the server runs";
        /// The kernel or a router on the way knows no route.
        NoRoute = "no-route",
            "there is no route to it",
            "check the panel's own address and gateway";
        /// It does not answer within its time.
        Silent = "silent",
            "it did not answer in time",
            "check whether the server runs, and the firewalls on the way";
        /// The server, or what lies before it, has closed the connection.
        Closed = "closed",
            "it closed the connection",
            "";
        /// Anything else, as the system describes it.
        Other { why: String } = "network",
            "the connection failed: {why}",
            "";
    }
}

impl From<&io::Error> for NetworkCause {
    fn from(why: &io::Error) -> Self {
        match why.kind() {
            io::ErrorKind::ConnectionRefused => NetworkCause::Refused,
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                NetworkCause::NoRoute
            }
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => NetworkCause::Closed,
            io::ErrorKind::TimedOut => NetworkCause::Silent,
            _ => NetworkCause::Other { why: innermost(why) },
        }
    }
}

/// The TLS failure in it, or what the network did.
impl From<&io::Error> for Cause {
    fn from(why: &io::Error) -> Self {
        match tls_failure(why) {
            Some(failure) => TlsCause::from(failure).into(),
            None => NetworkCause::from(why).into(),
        }
    }
}

impl NetworkCause {
    /// The resolver has failed. The standard library puts words of its own before the resolver's.
    pub(crate) fn of_resolver(host: &str, why: &io::Error) -> Self {
        let text = innermost(why);
        let why = text.rsplit_once(": ").map_or(text.as_str(), |(_, last)| last).to_owned();
        NetworkCause::NameUnknown { host: host.to_owned(), why }
    }
}

fn innermost(why: &io::Error) -> String {
    match why.get_ref().and_then(Error::source) {
        Some(source) => source.to_string(),
        None => why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_the_system_has_its_cause() {
        let of = |kind: io::ErrorKind| NetworkCause::from(&io::Error::from(kind));
        assert_eq!(of(io::ErrorKind::ConnectionRefused), NetworkCause::Refused);
        assert_eq!(of(io::ErrorKind::NetworkUnreachable), NetworkCause::NoRoute);
        assert_eq!(of(io::ErrorKind::HostUnreachable), NetworkCause::NoRoute);
        assert_eq!(of(io::ErrorKind::ConnectionReset), NetworkCause::Closed);
        assert_eq!(of(io::ErrorKind::TimedOut), NetworkCause::Silent);
        let odd = NetworkCause::from(&io::Error::other("odd"));
        assert_eq!(odd.to_string(), "the connection failed: odd");
    }

    #[test]
    fn the_resolvers_own_words_are_the_last_part() {
        let why = io::Error::other("failed to lookup address information: Try again");
        let cause = NetworkCause::of_resolver("broker.test", &why);
        assert_eq!(cause.to_string(), "the name broker.test cannot be resolved (Try again)");
    }
}
