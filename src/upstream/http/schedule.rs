//! When polls or reports are due, and how long to wait after a failure.

use std::sync::Arc;
use std::time::Duration;

use log::{debug, info, warn};
use tokio::time::Instant;

use super::Service;
use super::kind::Kind;
use super::trouble::Trouble;
use crate::upstream::backoff::{Backoff, Jitter};
use crate::upstream::cause::Cause;

/// The first wait after a failure, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// When one kind of job is due, with its back-off.
pub(super) struct Schedule {
    /// The job, as messages name it.
    what: &'static str,
    pub(super) due: Instant,
    backoff: Backoff,
    pub(super) jitter: Jitter,
    /// The current trouble, so that it is logged once.
    pub(super) trouble: Option<Arc<Cause>>,
}

impl Schedule {
    pub(super) fn new(what: &'static str, board: &str) -> Self {
        Schedule {
            what,
            due: Instant::now(),
            backoff: Backoff::new(board, FIRST_WAIT, LONGEST_WAIT),
            jitter: Jitter::new(board),
            trouble: None,
        }
    }

    pub(super) fn succeeded(&mut self, service: &Service) {
        self.backoff.reset();
        if self.trouble.take().is_some() {
            info!("{} {} works again", self.what, service.settings.base);
        }
    }

    /// Logs a failure, and returns how long to wait.
    pub(super) fn failed(&mut self, service: &Service, trouble: &Trouble) -> Duration {
        let poll_every = service.settings.poll_every;
        let wait = match trouble.kind() {
            Kind::Passing => self.backoff.next(),
            // Nobody repairs it within seconds.
            Kind::Lasting | Kind::Refused => {
                self.backoff.next().max(self.jitter.around(poll_every))
            }
        };
        let wait =
            wait.max(trouble.retry_after.unwrap_or_default()).min(LONGEST_WAIT.max(poll_every));
        let (what, base, cause) = (self.what, &service.settings.base, &trouble.cause);
        let proxy = service.settings.proxy.as_ref();
        let through = proxy.map_or_else(String::new, |proxy| format!(" through {proxy}"));
        let message =
            format!("{what} {base}{through} failed: {cause}; next attempt in {} s", wait.as_secs());
        let is_known = |known: &Arc<Cause>| known.to_string() == cause.to_string();
        if self.trouble.as_ref().is_some_and(is_known) {
            debug!("{message}");
        } else {
            warn!("{message}");
            self.trouble = Some(cause.clone());
        }
        wait
    }
}
