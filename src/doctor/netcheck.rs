//! The way upstream, leg by leg, for each route that is configured. Changes nothing, on the panel or
//! elsewhere.
//!
//! Without a daemon it goes the whole way, over MQTT under a client ID of its own. Beside one it only
//! goes to the broker's port, since the daemon tells what is beyond: a second client under the same
//! name would take its session over. The same where one runs and does not answer.

use std::io;

use serde::Serialize;

use super::{Finding, State, clock};
use crate::agent::RouteStatus;
use crate::agent::seams::ConnectIdentity;
use crate::config::Settings;
use crate::panel::Panel;
use crate::record::Route;
use crate::storage::StateDirLock;
use crate::upstream::Place;
use crate::upstream::cause::Cause;
#[cfg(feature = "http")]
use crate::upstream::http;
use crate::upstream::legs::{Attempt, Leg as Of};
#[cfg(feature = "mqtt")]
use crate::upstream::mqtt;

/// The way to one server.
#[derive(Debug, Serialize)]
pub struct Way {
    /// The route that goes it.
    pub route: Route,
    /// The URL of the server.
    pub server: String,
    /// Its legs, as far as it was gone.
    pub legs: Vec<Leg>,
}

/// One leg.
#[derive(Debug, Serialize)]
pub struct Leg {
    /// Its stable name.
    pub leg: &'static str,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it ends there, by its stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
}

impl Way {
    /// The worst of its legs.
    pub fn worst(&self) -> State {
        self.legs.iter().map(|leg| leg.finding.state).max().unwrap_or(State::Ok)
    }

    /// Where it ends, if it does.
    pub fn end(&self) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.finding.state == State::Failed)
    }
}

/// Goes the way of each route. `daemon` is what the running daemon tells of its routes.
///
/// # Errors
/// When the board cannot say who it is, or the system lacks what a connection needs.
pub fn netcheck(panel: &Panel, daemon: Option<&[RouteStatus]>) -> io::Result<Vec<Way>> {
    let routes = [Route::Mqtt, Route::Http, Route::Billing];
    let ways = routes.into_iter().map(|route| netcheck_of(panel, route, daemon));
    ways.filter_map(Result::transpose).collect()
}

/// Goes the way of one route; `None` if it is not configured.
pub(super) fn netcheck_of(
    panel: &Panel,
    route: Route,
    daemon: Option<&[RouteStatus]>,
) -> io::Result<Option<Way>> {
    let is_silent =
        route == Route::Mqtt && daemon.is_none() && StateDirLock::is_held(&panel.state_dir());
    let Some((server, attempt)) = attempt(panel, route, daemon.is_some() || is_silent)? else {
        return Ok(None);
    };
    let Attempt { passed, failed } = attempt;
    let mut legs: Vec<Leg> = passed
        .into_iter()
        .map(|passed| Leg {
            leg: name(passed.leg),
            finding: Finding::ok(passed.found),
            cause: None,
            ms: u64::try_from(passed.took.as_millis()).ok(),
        })
        .collect();
    let is_gone = failed.is_none();
    legs.extend(failed.map(|(leg, why)| failure(name(leg), &why)));
    // Certificates are judged by it.
    if let (true, Some(tls)) =
        (panel.settings.judges(route), legs.iter().position(|leg| leg.leg == name(Of::Tls)))
    {
        let leg = Leg { leg: "clock", finding: clock::look(panel), cause: None, ms: None };
        legs.insert(tls, leg);
    }
    let status = daemon.and_then(|routes| routes.iter().find(|status| status.route == route));
    legs.extend(status.filter(|_| is_gone).map(of_daemon));
    legs.extend(is_silent.then(silent_daemon));
    Ok(Some(Way { route, server, legs }))
}

/// Goes there once; the URL of the server, and what came of it.
fn attempt(
    panel: &Panel,
    route: Route,
    beside_daemon: bool,
) -> io::Result<Option<(String, Attempt)>> {
    let connect_as = ConnectIdentity::of(&panel.record()?, &panel.rules());
    let place = Place::new(panel.root.clone(), panel.last_good_time());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(go(&panel.settings, route, connect_as, place, beside_daemon)))
}

#[cfg_attr(not(feature = "mqtt"), expect(unused_variables, reason = "it concerns sessions"))]
async fn go(
    settings: &Settings,
    route: Route,
    connect_as: ConnectIdentity,
    place: Place,
    beside_daemon: bool,
) -> Option<(String, Attempt)> {
    match route {
        #[cfg(feature = "mqtt")]
        Route::Mqtt => {
            let settings = settings.mqtt.clone()?;
            let until = match beside_daemon {
                true => mqtt::attempt::Until::Connected,
                false => mqtt::attempt::Until::Subscribed,
            };
            let server = settings.broker.to_string();
            Some((server, mqtt::attempt::attempt(settings, place, &connect_as, until).await))
        }
        #[cfg(feature = "http")]
        Route::Http | Route::Billing => {
            let is_http = route == Route::Http;
            let settings = if is_http { &settings.http } else { &settings.billing }.clone()?;
            let server = settings.base.to_string();
            Some((server, http::attempt::attempt(route, settings, place, connect_as).await))
        }
        #[cfg(not(all(feature = "http", feature = "mqtt")))]
        _ => None,
    }
}

fn failure(leg: &'static str, why: &Cause) -> Leg {
    let is_own = matches!(why, Cause::Panel(_));
    let leg = if is_own { "panel" } else { leg };
    let advice = match why.advice() {
        // A server's log tells nothing of the panel's own faults, which say themselves what to do.
        "" => Some("see the server's log").filter(|_| !is_own),
        advice => Some(advice),
    };
    let finding =
        Finding { state: State::Failed, found: why.found(), advice: advice.map(str::to_owned) };
    Leg { leg, finding, cause: Some(why.name().to_owned()), ms: None }
}

/// How the daemon fares on this route, beyond what was looked at.
fn of_daemon(status: &RouteStatus) -> Leg {
    let (finding, cause) = match &status.last_error {
        _ if status.reached => (Finding::ok(format!("reached for {} s", status.for_seconds)), None),
        Some(error) => (
            Finding::failed(format!("not reached: {}", error.text), "see `status`"),
            Some(error.cause.clone()),
        ),
        // The documented API is only called when there is something to report.
        None if status.route == Route::Billing => (Finding::ok("nothing to report yet"), None),
        None => (Finding::warning("not reached yet", "wait for a moment, and look again"), None),
    };
    Leg { leg: "daemon", finding, cause, ms: None }
}

/// It may be connected: what is beyond the port is not looked at in its place.
fn silent_daemon() -> Leg {
    let finding = Finding::failed(
        "an intercom-agent holds the state directory and does not answer",
        "if it is the daemon, restart it; else wait until it has ended",
    );
    Leg { leg: "daemon", finding, cause: None, ms: None }
}

fn name(leg: Of) -> &'static str {
    match leg {
        Of::Name => "name",
        Of::Tcp => "tcp",
        Of::Tls => "tls",
        #[cfg(feature = "mqtt")]
        Of::Login => "login",
        #[cfg(feature = "mqtt")]
        Of::Topics => "topics",
        #[cfg(feature = "http")]
        Of::List => "list",
        #[cfg(feature = "http")]
        Of::Api => "api",
    }
}
