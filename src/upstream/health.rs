//! The health of a route. The route writes it; the watchdog and `status` read it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::agent::{RouteError, RouteStatus};
use crate::board::Ends;
use crate::record::Route;
use crate::upstream::cause::Cause;
use crate::upstream::legs::{Leg, Legs, Passed};

/// How late a healthy route may be: the board may be busy.
const ALLOWANCE: Duration = Duration::from_secs(60);

/// The health of one route, shared by its two ends.
#[derive(Debug, Clone)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// The URL that it leads to now.
    server: String,
    /// By when the route makes progress; `None` while it waits for the agent.
    due: Option<Instant>,
    /// Until when it only waits.
    rests_until: Option<Instant>,
    reached: bool,
    /// Since when it is reached, or is not.
    since: Instant,
    /// How often upstream was reached after it was not.
    connections: u64,
    /// The ends of the last connection.
    ends: Ends,
    /// The legs of the way that the last attempt has passed.
    legs: Legs,
    /// The topic that the broker refuses although the panel is reached.
    refused_topic: Option<String>,
    /// The last error, where and when it happened.
    error: Option<(Arc<Cause>, String, Instant)>,
}

impl Default for Health {
    fn default() -> Self {
        Health(Arc::new(Mutex::new(State {
            server: String::new(),
            due: None,
            rests_until: None,
            reached: false,
            since: Instant::now(),
            connections: 0,
            ends: Ends::default(),
            legs: Legs::default(),
            refused_topic: None,
            error: None,
        })))
    }
}

impl Health {
    /// From now on the route leads to this server.
    pub(super) fn leads_to(&self, server: impl ToString) {
        self.state().server = server.to_string();
    }

    /// The route does something with a time limit: it makes progress within this time.
    pub(super) fn progresses_within(&self, time: Duration) {
        let mut state = self.state();
        state.due = Some(Instant::now() + time);
        state.rests_until = None;
    }

    /// The route waits for this time, until the next attempt or the next poll.
    pub(super) fn rests(&self, time: Duration) {
        let mut state = self.state();
        state.due = Some(Instant::now() + time);
        state.rests_until = state.due;
    }

    /// The route only waits for the agent.
    pub(super) fn waits_for_the_agent(&self) {
        let mut state = self.state();
        state.due = None;
        state.rests_until = None;
    }

    /// Upstream was reached on this route.
    pub(super) fn reached(&self) {
        self.state().set(true);
    }

    /// There is no connection: the agent wants another one, or none was made.
    pub(super) fn given_up(&self) {
        self.state().set(false);
    }

    /// Upstream could not be reached, for this reason.
    pub(super) fn failed(&self, why: &Arc<Cause>) {
        self.given_up();
        self.erred(why);
    }

    /// Something went wrong, and upstream may still be reached.
    pub(super) fn erred(&self, why: &Arc<Cause>) {
        let mut state = self.state();
        state.error = Some((why.clone(), state.server.clone(), Instant::now()));
    }

    /// The broker refuses the topic of the MAC address, or none.
    #[cfg(feature = "mqtt")]
    pub(super) fn refuses(&self, topic: Option<String>) {
        self.state().refused_topic = topic;
    }

    /// A connection is made, or will be, between these ends.
    pub(super) fn connects(&self, ends: Ends) {
        self.state().ends = ends;
    }

    /// The ends of the last connection.
    pub(super) fn ends(&self) -> Ends {
        self.state().ends.clone()
    }

    /// An attempt begins.
    pub(super) fn sets_out(&self) {
        self.state().legs = Legs::default();
    }

    /// A leg of the way is passed.
    pub(super) fn passes(&self, leg: Leg, found: impl ToString) {
        self.state().legs.pass(leg, found.to_string());
    }

    /// Something more is known about a leg that was passed.
    #[cfg(feature = "mqtt")]
    pub(super) fn remarks(&self, leg: Leg, what: impl ToString) {
        self.state().legs.remark(leg, &what.to_string());
    }

    /// What was found at the last leg may not be what it should be.
    #[cfg(feature = "http")]
    pub(super) fn doubts(&self, advice: &'static str) {
        self.state().legs.doubt(advice);
    }

    /// The legs that the last attempt has passed.
    pub(crate) fn legs(&self) -> Vec<Passed> {
        self.state().legs.passed().to_vec()
    }

    /// Whether upstream is reached on this route now.
    pub(super) fn is_reached(&self) -> bool {
        self.state().reached
    }

    /// Whether the route hangs: it should have made progress long before `now`.
    pub fn hangs(&self, now: Instant) -> bool {
        self.state().due.is_some_and(|due| due + ALLOWANCE < now)
    }

    /// The health as `status` shows it.
    pub fn status(&self, route: Route, now: Instant) -> RouteStatus {
        let state = self.state();
        let ago = |at| now.saturating_duration_since(at).as_secs();
        RouteStatus {
            route,
            server: state.server.clone(),
            reached: state.reached,
            for_seconds: ago(state.since),
            reconnects: state.connections.saturating_sub(1),
            next_attempt_in: state
                .rests_until
                .map(|at| at.saturating_duration_since(now).as_secs()),
            refused_topic: state.refused_topic.clone(),
            last_error: state.error.as_ref().map(|(cause, server, at)| RouteError {
                cause: cause.name().to_owned(),
                text: format!("{server}: {cause}"),
                seconds_ago: ago(*at),
            }),
        }
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
            self.connections += u64::from(reached);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::cause::NetworkCause;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_route_hangs_when_it_is_long_past_its_time_limit() {
        let health = Health::default();
        let now = Instant::now();
        health.rests(900 * SECOND);
        assert!(!health.hangs(now + 900 * SECOND), "it waits in its back-off");
        assert!(!health.hangs(now + 955 * SECOND), "the board may be busy");
        assert!(health.hangs(now + 970 * SECOND));
        health.progresses_within(1000 * SECOND);
        assert!(!health.hangs(now + 970 * SECOND), "it has made progress");
    }

    #[test]
    fn a_status_has_the_last_error_and_the_number_of_reconnects() {
        let (health, now) = (Health::default(), Instant::now());
        health.failed(&Arc::new(NetworkCause::NoRoute.into()));
        health.rests(8 * SECOND);
        let status = health.status(Route::Mqtt, now + 2 * SECOND);
        assert_eq!((status.reached, status.reconnects, status.for_seconds), (false, 0, 2));
        assert!(matches!(status.next_attempt_in, Some(5..=6)), "{status:?}");
        assert_eq!(status.last_error.map(|error| error.cause).as_deref(), Some("no-route"));
        for _ in 0..3 {
            health.reached();
            health.reached();
            health.given_up();
        }
        health.reached();
        health.progresses_within(SECOND);
        let status = health.status(Route::Mqtt, now);
        assert_eq!((status.reached, status.reconnects, status.next_attempt_in), (true, 3, None));
    }

    #[test]
    fn a_route_that_waits_for_the_agent_never_hangs() {
        let health = Health::default();
        assert!(!health.hangs(Instant::now() + 9999 * SECOND));
        health.progresses_within(SECOND);
        health.waits_for_the_agent();
        assert!(!health.hangs(Instant::now() + 9999 * SECOND));
    }
}
