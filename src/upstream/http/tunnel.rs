//! The tunnel through an HTTP proxy, where one is configured: what fails there is told as the proxy's.

use ureq::Error;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, Transport,
};

use super::trouble::CauseError;
use crate::config::Proxy;
use crate::upstream::cause::{Cause, HttpCause};

/// Connects to the proxy and has it connect to the service.
#[derive(Debug)]
pub(super) struct Tunnel {
    connector: ConnectProxyConnector,
    proxy: Option<Proxy>,
}

impl Tunnel {
    pub(super) fn through(proxy: Option<Proxy>) -> Self {
        Tunnel { connector: ConnectProxyConnector::default(), proxy }
    }
}

impl<In: Transport> Connector<In> for Tunnel {
    type Out = <ConnectProxyConnector as Connector<In>>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let made = self.connector.connect(details, chained);
        made.map_err(|why| match self.proxy.clone() {
            Some(proxy) => CauseError(cause(proxy, why).into()).into(),
            None => why,
        })
    }
}

fn cause(proxy: Proxy, error: Error) -> HttpCause {
    match error {
        Error::ConnectProxyFailed(why) => match status(&why) {
            Some(407) => HttpCause::ProxyLogin { proxy },
            Some(status @ 502..=504) => HttpCause::ProxyCannotConnect { proxy, status },
            Some(_) | None => HttpCause::Proxy { proxy, why },
        },
        Error::Timeout(_) => HttpCause::ProxySilent { proxy },
        other => {
            let why = match Cause::from(other) {
                // What to do about an address of the server is not what to do about the proxy.
                Cause::Addresses(each) => {
                    let each = each.iter().map(|(at, why)| format!("at {at}: {}", why.found()));
                    each.collect::<Vec<_>>().join("; ")
                }
                cause => cause.found(),
            };
            HttpCause::ProxyNotReached { proxy, why }
        }
    }
}

/// The status at the end of the library's text, which has it nowhere else.
fn status(text: &str) -> Option<u16> {
    text.rsplit('/').next()?.parse().ok()
}
