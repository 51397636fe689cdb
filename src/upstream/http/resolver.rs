//! Name lookups on the runtime's threads.
//!
//! The library's own resolver starts a thread for each lookup, and panics if the system has none left.
//! The runtime also keeps the time limit, so a busy runtime is late.

use std::net::SocketAddr;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::trouble::CauseError;
use crate::board::Ends;
use crate::upstream::cause::NetworkCause;
use crate::upstream::legs::Leg;
use crate::upstream::{Health, addresses};

#[derive(Debug)]
pub(super) struct RuntimeResolver {
    runtime: Handle,
    /// Told where the connections lead to.
    health: Health,
}

impl RuntimeResolver {
    pub(super) fn new(runtime: Handle, health: Health) -> Self {
        RuntimeResolver { runtime, health }
    }
}

impl Resolver for RuntimeResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        limit: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default().to_owned();
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        });
        self.health.sets_out();
        let (answer, answered) = oneshot::channel();
        self.runtime.spawn(async move {
            let found = match timeout(*limit.after, addresses::resolve(&host, port)).await {
                Ok(found) => found,
                Err(_) => Err(NetworkCause::NameSlow { host }),
            };
            // The caller waits for it below.
            let _ = answer.send(found);
        });
        let found = match answered.blocking_recv() {
            Ok(Ok(found)) => found,
            Ok(Err(why)) => return Err(CauseError(why.into()).into()),
            // The runtime is gone.
            Err(_) => return Err(Error::ConnectionFailed),
        };
        self.health.passes(Leg::Name, addresses::shown(&found));
        let peers = found.iter().map(SocketAddr::ip).collect();
        self.health.connects(Ends { local: None, peers });
        let mut addresses = self.empty();
        found.into_iter().for_each(|address| addresses.push(address));
        Ok(addresses)
    }
}
