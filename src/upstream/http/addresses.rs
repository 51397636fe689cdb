//! TCP connections: each of the server's addresses is tried, and why each failed is kept.
//!
//! The library's own connector tries them too, and only tells why the last one failed.

use std::net::SocketAddr;
use std::time::Duration;

use ureq::Error;
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport,
};

use super::trouble::CauseError;
use crate::upstream::Health;
use crate::upstream::cause::Cause;
use crate::upstream::legs::Leg;

/// Connects to the first address that can be connected to.
#[derive(Debug)]
pub(super) struct EachAddress {
    tcp: TcpConnector,
    /// Told which address was connected to.
    health: Health,
}

impl EachAddress {
    pub(super) fn new(health: Health) -> Self {
        EachAddress { tcp: TcpConnector::default(), health }
    }
}

impl<In: Transport> Connector<In> for EachAddress {
    type Out = <TcpConnector as Connector<In>>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if chained.is_some() || details.addrs.is_empty() {
            return self.tcp.connect(details, chained);
        }
        let mut failed = Vec::new();
        for (address, still) in details.addrs.iter().zip((1..=details.addrs.len()).rev()) {
            match Connector::<In>::connect(&self.tcp, &only(details, *address, still), None) {
                Ok(connected) => {
                    self.health.passes(Leg::Tcp, address);
                    return Ok(connected);
                }
                Err(why) => failed.push((*address, Cause::from(why))),
            }
        }
        Err(CauseError(Cause::Addresses(failed)).into())
    }
}

/// The same for one address, within its share of the time that is left.
fn only<'d>(
    details: &ConnectionDetails<'d>,
    address: SocketAddr,
    still: usize,
) -> ConnectionDetails<'d> {
    let mut addrs = details.resolver.empty();
    addrs.push(address);
    let now = (details.current_time)();
    let used = match (details.now, now) {
        (Instant::Exact(began), Instant::Exact(now)) => now.saturating_duration_since(began),
        _ => Duration::ZERO,
    };
    let left = details.timeout.after.saturating_sub(used);
    let share = left / u32::try_from(still).unwrap_or(u32::MAX);
    ConnectionDetails {
        uri: details.uri,
        addrs,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now,
        timeout: NextTimeout { after: share.into(), ..details.timeout },
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    }
}
