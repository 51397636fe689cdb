//! How a route fares: the route tells it, the watchdog and `status` read it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How late a route that is in order may be: the board may be busy.
const ALLOWANCE: Duration = Duration::from_secs(60);

/// How one route fares; shared by its two ends.
#[derive(Debug, Clone)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// When the route has got on at the latest; `None` while only the agent can give it something
    /// to do.
    due: Option<Instant>,
    reached: bool,
    /// Since when it is reached, or is not.
    since: Instant,
    /// Why it is not, in words.
    error: Option<String>,
}

impl Default for Health {
    fn default() -> Self {
        let (due, since) = (None, Instant::now());
        Health(Arc::new(Mutex::new(State { due, reached: false, since, error: None })))
    }
}

impl Health {
    /// The route waits, or does something with a time limit: it gets on within this time.
    pub(super) fn gets_on_within(&self, time: Duration) {
        self.state().due = Some(Instant::now() + time);
    }

    /// The route waits for the agent alone.
    pub(super) fn waits_for_the_agent(&self) {
        self.state().due = None;
    }

    /// Upstream was reached on this route.
    pub(super) fn reached(&self) {
        self.state().set(true);
    }

    /// The connection was given up, or was not there at all: the agent wants another one.
    pub(super) fn given_up(&self) {
        self.state().set(false);
    }

    /// Upstream could not be reached, for this reason.
    pub(super) fn failed(&self, why: &str) {
        let mut state = self.state();
        state.set(false);
        state.error = Some(why.to_owned());
    }

    /// Whether the route hangs: it should have got on long before `now`.
    pub fn hangs(&self, now: Instant) -> bool {
        self.state().due.is_some_and(|due| due + ALLOWANCE < now)
    }

    /// Whether upstream is reached, for how long it is or is not, and why it is not.
    pub fn told(&self, now: Instant) -> (bool, Duration, Option<String>) {
        let state = self.state();
        (state.reached, now.saturating_duration_since(state.since), state.error.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set(&mut self, reached: bool) {
        if self.reached != reached {
            self.reached = reached;
            self.since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_route_hangs_once_it_is_long_past_its_own_time_limit() {
        let health = Health::default();
        let now = Instant::now();
        health.gets_on_within(900 * SECOND);
        assert!(!health.hangs(now + 900 * SECOND), "it waits in its back-off, where it should be");
        assert!(!health.hangs(now + 955 * SECOND), "the board may be busy");
        assert!(health.hangs(now + 970 * SECOND));
        health.gets_on_within(1000 * SECOND);
        assert!(!health.hangs(now + 970 * SECOND), "it has got on");
    }

    #[test]
    fn a_route_that_waits_for_the_agent_never_hangs() {
        let health = Health::default();
        assert!(!health.hangs(Instant::now() + 9999 * SECOND));
        health.gets_on_within(SECOND);
        health.waits_for_the_agent();
        assert!(!health.hangs(Instant::now() + 9999 * SECOND));
    }
}
