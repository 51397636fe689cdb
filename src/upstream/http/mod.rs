//! The HTTP route: asks for pending requests, sends reports. And the billing route, which only tells.
//!
//! A task keeps the times and the reports; a thread of its own speaks HTTP, since the client blocks.
//!
//! ```text
//! commands, identity ──► route (when) ──► worker (a thread) ──► exchange ──► the service
//!                                  events ◄──────────────────────────┘
//! ```

mod answer;
mod billing;
mod client;
mod elements;
mod exchange;
mod resolver;
mod retry_after;
mod route;
mod schedule;
mod secure;
mod trouble;
mod undecided;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use intercom_wire::signature::Keys;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::{Health, Place, RouteEnd, RouteEvent};
use crate::config::HttpSettings;
use crate::record::Route;
use client::TimeLimits;
use route::HttpRoute;

/// Keeps the HTTP route until the agent's end of it is gone.
///
/// The service is asked for pending requests at once whenever the board appears anew, and then every
/// `poll_every`; every answer is told as `Event::Reachable`, the first failure after one as
/// `Event::Lost`. Only the first question after the start waits a little, by the board's name: after
/// a power failure all panels of a city start together. Each report is sent until it is accepted,
/// told as `Event::Reported`. One that the service refuses again and again (400, 413, 422) is given
/// up with a warning and told as `Event::Reported` all the same: it would stay in the outbox for ever.
///
/// Billing is asked for nothing: each of its reports is the documented PATCH.
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
    let service = Service {
        route,
        settings,
        place,
        keys,
        limits,
        runtime: Handle::current(),
        health: end.health.clone(),
    };
    HttpRoute::new(Arc::new(service), events).run(end).await;
}

/// Where the service is and how it is spoken to.
#[derive(Debug)]
struct Service {
    /// The HTTP service, or billing.
    route: Route,
    settings: HttpSettings,
    place: Place,
    keys: Keys,
    limits: TimeLimits,
    runtime: Handle,
    health: Health,
}

impl Service {
    fn client(&self) -> Result<ureq::Agent, ureq::Error> {
        client::client(&self.settings, &self.place, self.limits, self.runtime.clone())
    }
}
