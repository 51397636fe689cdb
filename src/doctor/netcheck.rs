//! The way upstream, leg by leg, for each route that is configured. Changes nothing, on the panel or
//! elsewhere.
//!
//! Without a daemon it goes the whole way, over MQTT under a client ID of its own, and where the broker
//! refuses that one under the panel's. Beside a daemon it only goes to the broker's port, since the daemon
//! tells what is beyond: a second client under the same name would take its session over. The same where
//! one runs and does not answer.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use super::{Finding, State, clock};
use crate::agent::RouteStatus;
use crate::agent::seams::ConnectIdentity;
use crate::config::Settings;
use crate::panel::Panel;
use crate::record::Route;
use crate::storage::StateDirLock;
use crate::upstream::cause::Cause;
#[cfg(feature = "http")]
use crate::upstream::http;
use crate::upstream::legs::{Leg as Of, Passed};
#[cfg(feature = "mqtt")]
use crate::upstream::mqtt;
use crate::upstream::{Health, Place};

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

/// What happens while a way is gone.
#[derive(Debug)]
pub enum Progress<'w> {
    /// A way begins: of this route, to this server.
    Begins(Route, &'w str),
    /// A leg is done.
    Done(&'w Leg),
    /// The next one takes its time; what is waited for.
    Waits(&'static str),
}

/// Goes the way of each route. `daemon` is what the running daemon tells of its routes.
///
/// # Errors
/// When the board cannot say who it is, or the system lacks what a connection needs.
pub fn netcheck(
    panel: &Panel,
    daemon: Option<&[RouteStatus]>,
    tell: &mut dyn FnMut(Progress<'_>),
) -> io::Result<Vec<Way>> {
    let routes = [Route::Mqtt, Route::Http, Route::Billing];
    let mut ways = Vec::new();
    for route in routes {
        ways.extend(netcheck_of(panel, route, daemon, tell)?);
    }
    Ok(ways)
}

/// Goes the way of one route to each of its servers; it has none if it is not configured.
pub(super) fn netcheck_of(
    panel: &Panel,
    route: Route,
    daemon: Option<&[RouteStatus]>,
    tell: &mut dyn FnMut(Progress<'_>),
) -> io::Result<Vec<Way>> {
    let (servers, has_tls) = servers(&panel.settings, route);
    let mut ways = Vec::new();
    for server in servers.into_iter().enumerate() {
        ways.push(way(panel, route, server, has_tls, daemon, tell)?);
    }
    Ok(ways)
}

fn way(
    panel: &Panel,
    route: Route,
    (number, server): (usize, String),
    has_tls: bool,
    daemon: Option<&[RouteStatus]>,
    tell: &mut dyn FnMut(Progress<'_>),
) -> io::Result<Way> {
    let is_silent =
        route == Route::Mqtt && daemon.is_none() && StateDirLock::is_held(&panel.state_dir());
    tell(Progress::Begins(route, &server));
    // Certificates are judged by it.
    let clock = panel.settings.judges(route).then(|| clock::look(panel));
    let mut told = Told { legs: Vec::new(), tell };
    let health = Health::default();
    let next = || Of::after(health.legs().last().map(|passed| passed.leg), route, has_tls);
    let connect_as = ConnectIdentity::of(&panel.record()?, &panel.rules());
    let place = Place::new(panel.root.clone(), panel.last_good_time());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let beside_daemon = daemon.is_some() || is_silent;
    let reached = runtime.block_on(async {
        let mut going = pin!(go(
            &panel.settings,
            (route, number),
            connect_as,
            place,
            beside_daemon,
            health.clone()
        ));
        loop {
            match timeout(LOOK_EVERY, going.as_mut()).await {
                Ok(reached) => break reached,
                Err(_) => {
                    told.legs(&legs(health.legs(), None, clock.as_ref()));
                    (told.tell)(Progress::Waits(what(next())));
                }
            }
        }
    });
    let is_gone = reached.is_ok();
    let failed = reached.err().map(|why| failure(name(next()), &why));
    let mut legs = legs(health.legs(), failed, clock.as_ref());
    let status = daemon.and_then(|routes| {
        routes.iter().find(|status| status.route == route && status.server == server)
    });
    legs.extend(status.filter(|_| is_gone).map(of_daemon));
    legs.extend(is_silent.then(silent_daemon));
    told.legs(&legs);
    Ok(Way { route, server, legs })
}

/// How often it is looked how far an attempt is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What was told of a way.
struct Told<'t> {
    legs: Vec<(&'static str, String)>,
    tell: &'t mut dyn FnMut(Progress<'_>),
}

impl Told<'_> {
    /// Tells of those that are new. A second attempt goes the first legs once more.
    fn legs(&mut self, legs: &[Leg]) {
        for leg in legs {
            let new = (leg.leg, leg.finding.found.clone());
            if !self.legs.contains(&new) {
                (self.tell)(Progress::Done(leg));
                self.legs.push(new);
            }
        }
    }
}

fn legs(passed: Vec<Passed>, failed: Option<Leg>, clock: Option<&Finding>) -> Vec<Leg> {
    let passed = passed.into_iter().map(|passed| Leg {
        leg: name(passed.leg),
        finding: match passed.doubt {
            Some(advice) => Finding::warning(passed.found, advice),
            None => Finding::ok(passed.found),
        },
        cause: None,
        ms: u64::try_from(passed.took.as_millis()).ok(),
    });
    let mut legs: Vec<Leg> = passed.chain(failed).collect();
    let tls = legs.iter().position(|leg| leg.leg == name(Of::Tls));
    if let (Some(tls), Some(clock)) = (tls, clock) {
        legs.insert(tls, Leg { leg: "clock", finding: clock.clone(), cause: None, ms: None });
    }
    legs
}

/// The URLs of a route's servers, and whether they are reached over TLS.
fn servers(settings: &Settings, route: Route) -> (Vec<String>, bool) {
    let service = match (route, &settings.mqtt) {
        (Route::Mqtt, None) => return (Vec::new(), false),
        (Route::Mqtt, Some(mqtt)) => {
            let servers = mqtt.brokers.all().iter().map(ToString::to_string).collect();
            return (servers, mqtt.brokers.tls());
        }
        (Route::Http, _) => &settings.http,
        (Route::Billing, _) => &settings.billing,
    };
    let servers = service.iter().map(|service| service.base.to_string()).collect();
    (servers, service.as_ref().is_some_and(|service| service.base.tls))
}

/// Goes to one of the servers once.
#[cfg_attr(not(feature = "mqtt"), expect(unused_variables, reason = "it concerns sessions"))]
async fn go(
    settings: &Settings,
    (route, number): (Route, usize),
    connect_as: ConnectIdentity,
    place: Place,
    beside_daemon: bool,
    health: Health,
) -> Result<(), Arc<Cause>> {
    match (route, &settings.mqtt, &settings.http, &settings.billing) {
        #[cfg(feature = "mqtt")]
        (Route::Mqtt, Some(settings), ..) => {
            let until = match beside_daemon {
                true => mqtt::attempt::Until::Connected,
                false => mqtt::attempt::Until::Subscribed,
            };
            mqtt::attempt::attempt(settings.clone(), number, place, &connect_as, until, health)
                .await
        }
        #[cfg(feature = "http")]
        (Route::Http, _, Some(settings), _) | (Route::Billing, _, _, Some(settings)) => {
            http::attempt::attempt(route, settings.clone(), place, connect_as, health).await
        }
        _ => Ok(()),
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

/// What is waited for on a leg.
fn what(leg: Of) -> &'static str {
    match leg {
        Of::Name => "looking up the name",
        Of::Tcp => "waiting for the connection",
        Of::Tls => "waiting for the TLS handshake",
        #[cfg(feature = "mqtt")]
        Of::Login => "waiting for the broker's answer to the login",
        #[cfg(feature = "mqtt")]
        Of::Topics => "waiting for the topics, and for the panel's own presence to come back",
        #[cfg(feature = "http")]
        Of::List => "waiting for the list of pending requests",
        #[cfg(feature = "http")]
        Of::Api => "waiting for the answer of the documented API",
    }
}
