//! The HTTP route, which polls for pending requests and sends reports, and the billing route, which
//! only sends reports.
//!
//! A task keeps the schedule and the reports. A thread speaks HTTP, since the client blocks.
//!
//! ```text
//! commands, identity ──► route (when) ──► worker (a thread) ──► exchange ──► the service
//!                                  events ◄──────────────────────────┘
//! ```

mod addresses;
mod answer;
pub(crate) mod attempt;
mod billing;
mod client;
mod elements;
mod exchange;
mod kind;
mod resolver;
mod retry_after;
mod route;
mod schedule;
mod secure;
mod trouble;
mod tunnel;
mod undecided;
mod worker;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use intercom_wire::Nonce;
use intercom_wire::signature::Keys;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::cause::{Cause, HttpCause, NetworkCause, TlsCause};
use super::{Health, Place, RouteEnd, RouteEvent, tls};
use crate::config::HttpSettings;
use crate::random::{self, NoRandomNumbers};
use crate::record::Route;
use client::TimeLimits;
use route::HttpRoute;
use trouble::Trouble;

/// Runs an HTTP route until the agent drops its end.
///
/// A poll asks for pending requests: at once when the identity changes, and then every `poll_every`.
/// Each answer is an `Event::Reachable`, the first failure after one an `Event::Lost`. The first poll
/// after the start waits a little, depending on the board's name: after a power failure all panels of
/// a city start together.
///
/// Each report is sent until it is accepted, which is an `Event::Reported`. A report that the service
/// refuses several times (400, 413, 422) is dropped with a warning, and is an `Event::Reported` too:
/// otherwise it would stay in the outbox for ever.
///
/// The billing route does not poll. Its reports are the documented PATCH.
///
/// Must run on a runtime with I/O and time.
pub async fn run(
    route: Route,
    settings: HttpSettings,
    place: Place,
    keys: Keys,
    end: RouteEnd,
    events: mpsc::Sender<RouteEvent>,
) {
    run_within(TimeLimits::default(), route, settings, place, keys, end, events).await;
}

async fn run_within(
    limits: TimeLimits,
    route: Route,
    settings: HttpSettings,
    place: Place,
    keys: Keys,
    end: RouteEnd,
    events: mpsc::Sender<RouteEvent>,
) {
    end.health.leads_to(&settings.base);
    let service = Service {
        route,
        settings,
        place,
        keys,
        limits,
        nonce: OnceLock::new(),
        runtime: Handle::current(),
        health: end.health.clone(),
    };
    HttpRoute::new(Arc::new(service), events).run(end).await;
}

/// The service with its settings, and what one route needs to reach it.
#[derive(Debug)]
struct Service {
    /// The HTTP service, or billing.
    route: Route,
    settings: HttpSettings,
    place: Place,
    keys: Keys,
    limits: TimeLimits,
    nonce: OnceLock<Nonce>,
    runtime: Handle,
    health: Health,
}

impl Service {
    /// What each poll says since this start of the daemon. A request with an issuer that does not
    /// repeat it is an old one.
    fn nonce(&self) -> Result<&Nonce, NoRandomNumbers> {
        if let Some(nonce) = self.nonce.get() {
            return Ok(nonce);
        }
        let nonce = random::number().map(Nonce::of)?;
        Ok(self.nonce.get_or_init(|| nonce))
    }

    /// Where the service answers nothing that can be read on a connection without TLS: whether it
    /// speaks TLS there.
    fn explained(&self, trouble: Trouble) -> Trouble {
        let HttpSettings { base, proxy, .. } = &self.settings;
        let is_unread = matches!(
            *trouble.cause,
            Cause::Network(NetworkCause::Closed) | Cause::Http(HttpCause::NotHttp { .. })
        );
        let peer = self.health.ends().peers.first().copied();
        match peer.map(|peer| SocketAddr::new(peer, base.port)) {
            Some(at)
                if is_unread
                    && !base.tls
                    && proxy.is_none()
                    && tls::is_spoken_at(at, &self.place) =>
            {
                Trouble { cause: Arc::new(TlsCause::Spoken.into()), ..trouble }
            }
            _ => trouble,
        }
    }

    /// The server's own text, without the token that it was sent and may quote. Where the token cannot
    /// be read again, there is no text.
    fn without_token(&self, text: &str) -> Option<String> {
        match &self.settings.token {
            None => Some(text.to_owned()),
            Some(file) => Some(file.read(&self.place.root).ok()?.hide_in(text)),
        }
    }

    fn client(&self) -> Result<ureq::Agent, ureq::Error> {
        let (runtime, health) = (self.runtime.clone(), self.health.clone());
        client::client(&self.settings, &self.place, self.limits, runtime, health)
    }
}
