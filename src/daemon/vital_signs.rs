//! How the daemon fares, for its service manager: in one line, and whether everything gets on.

use std::time::Duration;

use tokio::time::Instant;

use super::RealSeams;
use crate::agent::seams::Upstream;
use crate::agent::{Agent, RouteStatus};
use crate::clock::{Clock, WallTime};

/// How far the agent may be behind with what is due.
const ALLOWANCE: Duration = Duration::from_secs(60);

/// The change in progress, or which routes are reached.
pub(super) fn in_words(agent: &mut Agent<RealSeams>) -> String {
    if let Some(change) = agent.change_status() {
        let (to, stage) = (change.to, change.stage);
        let left = change.seconds_left.unwrap_or_default();
        return format!("changing to {to}: {stage}; {left} s left to confirm it");
    }
    let wall_clock = WallTime::now().unix_seconds();
    let mut routes = Vec::new();
    for status in agent.seams().routes.status() {
        let RouteStatus { route, reached, for_seconds, last_error, .. } = status;
        let route = route.label();
        let since = WallTime::from_unix_seconds(wall_clock.saturating_sub(for_seconds));
        routes.push(match (reached, last_error) {
            (true, _) => format!("{route} reached since {since}"),
            (false, None) => format!("{route} not reached yet"),
            (false, Some(error)) => format!("{route} not reached since {since}: {}", error.text),
        });
    }
    routes.join("; ")
}

/// What does not get on as it should: a route, or the change. That the daemon's own loop does is
/// told by its asking.
pub(super) fn what_hangs(agent: &mut Agent<RealSeams>) -> Option<String> {
    let now = Instant::now();
    let behind =
        agent.next_tick().map_or(Duration::ZERO, |due| agent.seams().clock.now().since(due));
    if behind > ALLOWANCE {
        return Some("the change".to_owned());
    }
    let hanging = agent.seams().routes.health().find(|(_, health)| health.hangs(now));
    hanging.map(|(route, _)| format!("the {} route", route.label()))
}
