//! The legs of the way upstream, and how long each took the last time.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::record::Route;

/// A leg of the way to a server, in the order in which they are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Leg {
    /// The look-up of the host's name.
    Name,
    /// The connection to one of its addresses.
    Tcp,
    /// The handshake.
    Tls,
    /// CONNECT and CONNACK.
    #[cfg(feature = "mqtt")]
    Login,
    /// SUBSCRIBE and SUBACK, and what the panel writes comes back.
    #[cfg(feature = "mqtt")]
    Topics,
    /// The answer to a question for the pending requests.
    #[cfg(feature = "http")]
    List,
    /// The answer to a question of the documented API.
    #[cfg(feature = "http")]
    Api,
}

impl Leg {
    /// The one that follows the last one that was passed on the way of a route.
    pub(crate) fn after(passed: Option<Leg>, route: Route, has_tls: bool) -> Leg {
        match (passed, route) {
            (None, _) => Leg::Name,
            (Some(Leg::Name), _) => Leg::Tcp,
            (Some(Leg::Tcp), _) if has_tls => Leg::Tls,
            #[cfg(feature = "mqtt")]
            (Some(Leg::Tcp | Leg::Tls), Route::Mqtt) => Leg::Login,
            #[cfg(feature = "mqtt")]
            (Some(_), Route::Mqtt) => Leg::Topics,
            #[cfg(feature = "http")]
            (Some(_), Route::Http) => Leg::List,
            #[cfg(feature = "http")]
            (Some(_), Route::Billing) => Leg::Api,
            #[cfg(not(all(feature = "http", feature = "mqtt")))]
            (Some(last), _) => last,
        }
    }
}

/// A leg that was passed.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    pub(crate) leg: Leg,
    /// What was found there.
    pub(crate) found: String,
    /// What to do if that is not what it should be.
    pub(crate) doubt: Option<&'static str>,
    pub(crate) took: Duration,
}

/// The legs that the last attempt has passed.
#[derive(Debug)]
pub(super) struct Legs {
    passed: Vec<Passed>,
    since: Instant,
}

impl Default for Legs {
    fn default() -> Self {
        Legs { passed: Vec::new(), since: Instant::now() }
    }
}

impl Legs {
    /// One more is passed. The next address begins again at its leg.
    pub(super) fn pass(&mut self, leg: Leg, found: String) {
        let now = Instant::now();
        self.passed.retain(|passed| passed.leg < leg);
        self.passed.push(Passed { leg, found, doubt: None, took: now - self.since });
        self.since = now;
    }

    /// Something more is known about a leg.
    #[cfg(feature = "mqtt")]
    pub(super) fn remark(&mut self, leg: Leg, what: &str) {
        if let Some(passed) = self.passed.iter_mut().find(|passed| passed.leg == leg) {
            passed.found = format!("{}; {what}", passed.found);
        }
    }

    /// What was found at the last leg may not be what it should be.
    #[cfg(feature = "http")]
    pub(super) fn doubt(&mut self, advice: &'static str) {
        if let Some(last) = self.passed.last_mut() {
            last.doubt = Some(advice);
        }
    }

    pub(super) fn passed(&self) -> &[Passed] {
        &self.passed
    }
}
