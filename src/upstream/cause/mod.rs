//! Why upstream is not reached on a route: one type for all routes, and its words.
//!
//! Each cause has a stable name, what happened, and what to do. An advice is given only where its
//! cause is proven; where there are two, it names both. The log, `status`, `doctor`, `netcheck` and
//! the reports take the words from here, and docs/troubleshooting.md has one row for each cause.

/// An enum of causes: each with its fields, its stable name, what happened (a clause that follows the
/// server's URL and a colon; it may show the fields), and what to do (empty where nobody knows).
macro_rules! causes {
    ($(#[$about:meta])* enum $Causes:ident {
        $($(#[$doc:meta])* $Cause:ident $({ $($field:ident: $Type:ty),+ })? = $name:literal,
            $found:literal, $advice:literal;)+
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) enum $Causes {
            $($(#[$doc])* $Cause $({ $($field: $Type),+ })?),+
        }

        impl $Causes {
            /// Every cause's name, what happened, and what to do.
            #[cfg(test)]
            pub(super) const ROWS: &'static [[&'static str; 3]] = &[$([$name, $found, $advice]),+];

            pub(super) fn name(&self) -> &'static str {
                match self { $(Self::$Cause { .. } => $name),+ }
            }

            pub(super) fn advice(&self) -> &'static str {
                match self { $(Self::$Cause { .. } => $advice),+ }
            }
        }

        impl std::fmt::Display for $Causes {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self { $(Self::$Cause { $($($field),+)? } => write!(f, $found)),+ }
            }
        }
    };
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "mqtt"))]
mod documentation;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "mqtt")]
mod mqtt;
mod network;
mod panel;
mod shown;
mod tls;

use std::fmt;
use std::net::SocketAddr;

#[cfg(feature = "http")]
pub(crate) use http::HttpCause;
#[cfg(feature = "mqtt")]
pub(crate) use mqtt::MqttCause;
pub(crate) use network::NetworkCause;
pub(crate) use panel::PanelCause;
#[cfg(feature = "http")]
pub(crate) use shown::Said;
#[cfg(any(feature = "http", feature = "mqtt"))]
pub(crate) use shown::shown;
pub(crate) use tls::{TlsCause, tls_failure};

/// Why upstream is not reached on a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// None of the server's addresses can be connected to; each has its own cause.
    Addresses(Vec<(SocketAddr, Cause)>),
    /// The network has failed.
    Network(NetworkCause),
    /// TLS has failed.
    Tls(TlsCause),
    /// The broker does not do what the panel needs.
    #[cfg(feature = "mqtt")]
    Mqtt(MqttCause),
    /// The HTTP service, or what lies before it, does not do what the panel needs.
    #[cfg(feature = "http")]
    Http(HttpCause),
    /// The panel itself cannot.
    Panel(PanelCause),
}

/// The name of several causes, one for each address.
const ADDRESSES: &str = "addresses";

impl Cause {
    /// Its stable name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Cause::Addresses(each) => match each.as_slice() {
                [(_, only)] => only.name(),
                _ => ADDRESSES,
            },
            Cause::Network(cause) => cause.name(),
            Cause::Tls(cause) => cause.name(),
            #[cfg(feature = "mqtt")]
            Cause::Mqtt(cause) => cause.name(),
            #[cfg(feature = "http")]
            Cause::Http(cause) => cause.name(),
            Cause::Panel(cause) => cause.name(),
        }
    }

    /// What to do; empty where nobody knows, or where `found` says it for each address.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Cause::Addresses(each) => match each.as_slice() {
                [(_, only)] => only.advice(),
                _ => "",
            },
            Cause::Network(cause) => cause.advice(),
            Cause::Tls(cause) => cause.advice(),
            #[cfg(feature = "mqtt")]
            Cause::Mqtt(cause) => cause.advice(),
            #[cfg(feature = "http")]
            Cause::Http(cause) => cause.advice(),
            Cause::Panel(cause) => cause.advice(),
        }
    }

    /// What happened: a clause that follows the server's URL and a colon.
    pub(crate) fn found(&self) -> String {
        match self {
            Cause::Addresses(each) => match each.as_slice() {
                [(at, only)] => format!("at {at}: {}", only.found()),
                several => {
                    let each = several.iter().map(|(at, cause)| format!("at {at}: {cause}"));
                    each.collect::<Vec<_>>().join("; ")
                }
            },
            Cause::Network(cause) => cause.to_string(),
            Cause::Tls(cause) => cause.to_string(),
            #[cfg(feature = "mqtt")]
            Cause::Mqtt(cause) => cause.to_string(),
            #[cfg(feature = "http")]
            Cause::Http(cause) => cause.to_string(),
            Cause::Panel(cause) => cause.to_string(),
        }
    }
}

/// What happened, and what to do.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.found())?;
        match self.advice() {
            "" => Ok(()),
            advice => write!(f, "; {advice}"),
        }
    }
}

macro_rules! cause_of {
    ($($(#[$when:meta])* $kind:ident($Type:ty)),+) => {
        $($(#[$when])* impl From<$Type> for Cause {
            fn from(cause: $Type) -> Self {
                Cause::$kind(cause)
            }
        })+
    };
}

cause_of! {
    Network(NetworkCause),
    Tls(TlsCause),
    #[cfg(feature = "mqtt")]
    Mqtt(MqttCause),
    #[cfg(feature = "http")]
    Http(HttpCause),
    Panel(PanelCause)
}
