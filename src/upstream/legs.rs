//! The legs of the way upstream, and how long each took the last time.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

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

/// A leg that was passed.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    pub(crate) leg: Leg,
    /// What was found there.
    pub(crate) found: String,
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
        self.passed.push(Passed { leg, found, took: now - self.since });
        self.since = now;
    }

    pub(super) fn take(&mut self) -> Vec<Passed> {
        std::mem::take(self).passed
    }
}

/// What came of one attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) passed: Vec<Passed>,
    /// Why it went no further, and on which leg.
    pub(crate) failed: Option<(Leg, Arc<super::cause::Cause>)>,
}
