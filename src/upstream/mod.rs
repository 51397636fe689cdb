//! Upstream: the routes between billing and the panel, and the real side of the agent's seam to them.
//!
//! Each route is a task of its own. The agent tells it what to do through a [`RouteHandle`]; it tells
//! the daemon what happened through one bounded channel of [`RouteEvent`].

#[cfg(any(feature = "http", feature = "mqtt"))]
mod addresses;
pub mod backoff;
pub(crate) mod cause;
mod health;
#[cfg(feature = "http")]
pub mod http;
pub(crate) mod legs;
mod link_proof;
#[cfg(feature = "mqtt")]
pub mod mqtt;
pub(crate) mod tls;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use intercom_wire::{Mac, Report};
use log::{debug, warn};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::agent::seams::{AckToken, ConnectIdentity, Connection, Event, ReportId, Upstream};
use crate::agent::{Delivery, Handling, RouteStatus};
use crate::clock::{Floor, WallTime};
use crate::decide::MacOwner;
use crate::neighbours::Neighbours;
use crate::record::Route;
use crate::root::Root;
pub use health::Health;
pub use link_proof::LinkProof;

/// How many commands may wait for a route. The agent's own bounds keep it far below.
const COMMANDS: usize = 256;

/// Where a route finds its files, and the least time by which it judges certificates.
#[derive(Debug, Clone)]
pub struct Place {
    root: Root,
    floor: Floor,
}

impl Place {
    /// On the board under `root`, which saw `last_good` last of a wall clock that was right.
    pub fn new(root: Root, last_good: Option<WallTime>) -> Self {
        Place { floor: Floor::new(&root, last_good), root }
    }
}

/// What a route tells the daemon.
#[derive(Debug)]
pub enum RouteEvent {
    /// Something happened.
    Event(Event),
    /// A request came; the answer says whether it need come again.
    Delivery(Box<Delivery>, oneshot::Sender<Handling>),
}

/// What the agent wants of a route.
#[derive(Debug)]
pub enum RouteCommand {
    /// A message need not come again.
    Acknowledge(AckToken),
    /// Who has this MAC address now, as far as the broker can tell? No answer if the connection ends first.
    LookUp(Mac, oneshot::Sender<MacOwner>),
    /// A report is to be sent until it is acknowledged.
    Send(ReportId, Box<Report>),
    /// The panel is to say once more that it is there, not too often.
    Announce,
    /// The change that this connection was made for is confirmed.
    Claim(Connection),
    /// What was not acknowledged shall come again.
    AskAgain,
    /// Whether upstream still answers shall be found out.
    Prove,
}

/// As whom to connect, and which connection that is.
pub type ConnectAs = Option<(ConnectIdentity, Connection)>;

/// The agent's end of a route.
#[derive(Debug)]
pub struct RouteHandle {
    connect_as: watch::Sender<ConnectAs>,
    commands: mpsc::Sender<RouteCommand>,
    health: Health,
    /// The least time by which certificates are judged; `None` where none are.
    judged_from: Option<WallTime>,
}

/// The route's end.
#[derive(Debug)]
pub struct RouteEnd {
    /// As whom to connect; the last one counts, and connections as an earlier one are given up.
    pub connect_as: watch::Receiver<ConnectAs>,
    /// What the agent wants.
    pub commands: mpsc::Receiver<RouteCommand>,
    /// How the route fares: it is the route's to tell.
    pub health: Health,
}

/// A handle and its route's end.
pub fn route() -> (RouteHandle, RouteEnd) {
    let (connect_as, connect_as_end) = watch::channel(None);
    let (commands, commands_end) = mpsc::channel(COMMANDS);
    let health = Health::default();
    (
        RouteHandle { connect_as, commands, health: health.clone(), judged_from: None },
        RouteEnd { connect_as: connect_as_end, commands: commands_end, health },
    )
}

impl RouteHandle {
    /// On this route the server's certificate is judged by the wall clock.
    #[must_use]
    pub fn judging(self, place: &Place) -> Self {
        RouteHandle { judged_from: Some(place.floor.made()), ..self }
    }

    /// Whether a certificate that was found valid now vouches for the wall clock.
    fn vouches_for(&self, wall_clock: WallTime) -> bool {
        self.judged_from.is_some_and(|made| made <= wall_clock) && self.health.is_reached()
    }

    fn command(&self, command: RouteCommand) {
        // A route that is behind is not waited for: a report is sent again when the route is reached
        // again, and an unacknowledged message comes again.
        if let Err(why) = self.commands.try_send(command) {
            warn!("a route does not keep up: {why}");
        }
    }
}

/// All routes that are configured.
#[derive(Debug, Default)]
pub struct Routes {
    /// The broker.
    pub mqtt: Option<RouteHandle>,
    /// The HTTP service.
    pub http: Option<RouteHandle>,
    /// The documented API, which is told of what is installed.
    pub billing: Option<RouteHandle>,
    /// The boards on the same LAN; none of a sandboxed board.
    pub neighbours: Option<Arc<Neighbours>>,
    /// What proves the link that the traffic leaves by; none of a sandboxed board, which has no link.
    pub link_proof: Option<Arc<LinkProof>>,
    /// Where to answer what no route can.
    pub events: Option<mpsc::Sender<RouteEvent>>,
}

impl Routes {
    fn handle(&self, route: Route) -> Option<&RouteHandle> {
        match route {
            Route::Mqtt => self.mqtt.as_ref(),
            Route::Http => self.http.as_ref(),
            Route::Billing => self.billing.as_ref(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &RouteHandle> {
        self.mqtt.iter().chain(&self.http).chain(&self.billing)
    }

    /// Finds something out beside the agent, and tells it what comes of that.
    fn find_out(&self, event: FindOut) {
        let Some(events) = self.events.clone() else { return };
        tokio::spawn(async move {
            if let Some(event) = event.await {
                // It only fails when the daemon ends.
                let _ = events.send(RouteEvent::Event(event)).await;
            }
        });
    }

    /// How each route fares.
    pub(crate) fn health(&self) -> impl Iterator<Item = (Route, &Health)> {
        let of = |route| self.handle(route).map(|handle| (route, &handle.health));
        [Route::Mqtt, Route::Http, Route::Billing].into_iter().filter_map(of)
    }
}

/// What ends with an event, or with nothing to tell. Boxed, so that one kind of task is compiled for all.
type FindOut = Pin<Box<dyn Future<Output = Option<Event>> + Send>>;

impl Upstream for Routes {
    fn connect_as(&mut self, connect_as: ConnectIdentity, connection: Connection) {
        for route in self.all() {
            route.connect_as.send_replace(Some((connect_as.clone(), connection)));
        }
    }

    fn acknowledge(&mut self, ack_token: AckToken) {
        if let Some(mqtt) = &self.mqtt {
            mqtt.command(RouteCommand::Acknowledge(ack_token));
        }
    }

    fn look_up(&mut self, mac: Mac) {
        let broker = self.mqtt.as_ref().map(|mqtt| mqtt.commands.clone());
        let neighbours = self.neighbours.clone();
        self.find_out(Box::pin(async move { Some(look_up(mac, neighbours, broker).await) }));
    }

    fn meet_neighbours(&mut self, mac: Mac) {
        let Some(neighbours) = self.neighbours.clone() else { return };
        self.find_out(Box::pin(async move {
            let owner = neighbours.owner(mac).await;
            matches!(owner, MacOwner::AnotherBoard(_)).then_some(Event::LookedUp { mac, owner })
        }));
    }

    fn send(&mut self, route: Route, id: ReportId, report: &Report) {
        if let Some(handle) = self.handle(route) {
            handle.command(RouteCommand::Send(id, Box::new(report.clone())));
        }
    }

    fn status(&self) -> Vec<RouteStatus> {
        let now = Instant::now();
        self.health().map(|(route, health)| health.status(route, now)).collect()
    }

    fn good_time(&self) -> Option<WallTime> {
        let wall_clock = WallTime::now();
        self.all().any(|route| route.vouches_for(wall_clock)).then_some(wall_clock)
    }

    fn announce(&mut self) {
        // Over HTTP each poll says it.
        if let Some(mqtt) = &self.mqtt {
            mqtt.command(RouteCommand::Announce);
        }
    }

    fn claim(&mut self, connection: Connection) {
        for route in self.all() {
            route.command(RouteCommand::Claim(connection));
        }
    }

    fn prove(&mut self, route: Route) {
        if let Some(handle) = self.handle(route) {
            handle.command(RouteCommand::Prove);
        }
    }

    fn judge_link(&mut self, route: Route, mac: Mac) {
        let proof = self.link_proof.clone();
        let ends = self.handle(route).map(|handle| handle.health.ends()).unwrap_or_default();
        self.find_out(Box::pin(async move {
            let judged = match proof {
                Some(proof) => proof.judge(&ends, mac).await,
                None => Ok(()),
            };
            Some(Event::LinkJudged { mac, judged })
        }));
    }

    fn ask_again(&mut self, route: Route) {
        if let Some(handle) = self.handle(route) {
            handle.command(RouteCommand::AskAgain);
        }
    }
}

/// Asks the LAN and the broker at the same time. Nobody has the address if both say so. The LAN answers
/// within a second and comes first: only if nobody there has the address does it count that the broker
/// could not find out. A broker that is away is told apart: before a change it proves no conflict.
async fn look_up(
    mac: Mac,
    neighbours: Option<Arc<Neighbours>>,
    broker: Option<mpsc::Sender<RouteCommand>>,
) -> Event {
    debug!("the look-up of {mac} begins");
    let on_the_lan = async {
        match neighbours {
            Some(neighbours) => neighbours.owner(mac).await,
            None => MacOwner::Nobody,
        }
    };
    let at_the_broker = async {
        let Some(broker) = broker else { return Some(MacOwner::Nobody) };
        let (answer, owner) = oneshot::channel();
        broker.send(RouteCommand::LookUp(mac, answer)).await.ok()?;
        owner.await.ok()
    };
    let (mut on_the_lan, mut at_the_broker) = (pin!(on_the_lan), pin!(at_the_broker));
    let owner = tokio::select! {
        owner = &mut on_the_lan => match owner {
            MacOwner::Nobody => at_the_broker.await,
            other => Some(other),
        },
        owner = &mut at_the_broker => match owner {
            Some(MacOwner::AnotherBoard(_)) => owner,
            _ => match on_the_lan.await {
                MacOwner::Nobody => owner,
                other => Some(other),
            },
        },
    };
    debug!("the look-up of {mac} has ended");
    match owner {
        Some(owner) => Event::LookedUp { mac, owner },
        None => Event::BrokerAway { mac },
    }
}
