//! The network between the panel and what is off the board: it loses, doubles, delays, and comes and goes.

use intercom_agent::agent::Delivery;
use intercom_agent::agent::seams::{AckToken, Connection, Event, ReportId};
use intercom_agent::decide::{Delivered, MacOwner, Signature, Timing, Via};
use intercom_agent::record::Route;
use intercom_wire::{Mac, Request};

use super::cloud::{Message, Posted, Received};
use super::proof::Mutant;
use super::requests::{Asked, Topic, model_of};
use super::world::Hardware;

/// How many messages the broker sends ahead of their acknowledgements, as Mosquitto does.
const WINDOW: usize = 20;
const POLL_EVERY: u64 = 60_000;
const RECONNECT: u64 = 5_000;
const LATENCY: u64 = 20;
/// When a connection on a silent path is given up.
const KEEP_ALIVE: u64 = 45_000;
/// After `settle`, and before a look-up is answered.
const OLD_ECHO: u64 = 5_500;

/// What comes to the agent over the network, and what the network does by itself.
#[derive(Debug, Clone)]
pub enum Traffic {
    Tell(Event),
    Connect(Route, Connection),
    Poll(Connection),
    /// The broker gives the panel's own presence back.
    Echo(Connection),
    /// A connection without an answer is given up.
    KeepAlive(Connection),
    Deliver {
        request: usize,
        ack_token: AckToken,
        again: bool,
    },
    /// A report on its way.
    Arrive {
        route: Route,
        id: ReportId,
    },
}

/// What the network brings to the agent.
#[derive(Debug, Clone)]
pub enum Brought {
    Event(Event),
    Delivery(Box<Delivery>),
}

impl Hardware {
    /// Somebody sent a PATCH.
    pub fn post(&mut self, asked: Asked) {
        let topic = asked.topic;
        let posted = Posted { asked, done: false, delivered: false, acknowledged: false };
        self.cloud.requests.push(posted);
        if self.cloud.hears(topic) {
            self.queue_message(self.cloud.requests.len() - 1);
            self.pump(false);
        }
    }

    pub fn queue_message(&mut self, request: usize) {
        let message = Message { request, ack_token: None, done: false, sent_before: false };
        self.cloud.session.push(message);
    }

    /// Sends what the window has room for.
    pub fn pump(&mut self, again: bool) {
        if !self.cloud.mqtt_up {
            return;
        }
        for at in 0..self.cloud.session.len().min(WINDOW) {
            if self.cloud.session[at].ack_token.is_some() {
                continue;
            }
            self.cloud.ack_tokens += 1;
            let ack_token = AckToken(self.cloud.ack_tokens);
            let message = &mut self.cloud.session[at];
            message.ack_token = Some(ack_token);
            let again = again || std::mem::replace(&mut message.sent_before, true);
            let request = message.request;
            let delay = self.cloud.delay();
            self.later(delay, Traffic::Deliver { request, ack_token, again });
        }
    }

    /// The network is there for a new connection.
    pub fn reaches(&self, route: Route) -> bool {
        self.link.is_there
            && !self.link.lacks_address
            && !self.cloud.down(route)
            && !self.cloud.unreachable.contains(&self.link.mac)
    }

    /// It is there for one that stands.
    pub fn carries(&self, route: Route) -> bool {
        self.reaches(route) && self.cloud.carried_by == Some(self.link.mac)
    }

    /// Connections that are not carried any more.
    pub fn weather_changed(&mut self) {
        for route in self.rules.routes.clone() {
            if self.cloud.is_up(route) && !self.carries(route) {
                self.lose(route);
            }
        }
    }

    /// The path swallows everything from now on, or does so no more: then what was swallowed is missing
    /// on the connection, so that it ends.
    pub fn set_silent(&mut self, silent: bool) {
        let was_silent = std::mem::replace(&mut self.cloud.silent, silent);
        if silent {
            self.later(KEEP_ALIVE, Traffic::KeepAlive(self.cloud.connection));
        } else if was_silent && self.cloud.mqtt_up {
            self.lose(Route::Mqtt);
        }
    }

    /// Another board has this address from now on, and says so to whoever is connected with it.
    pub fn take(&mut self, mac: Mac) {
        self.cloud.taken.push(mac);
        self.cloud.taken_at.retain(|(taken, _)| *taken != mac);
        self.cloud.taken_at.push((mac, self.now));
        let own = self.cloud.connect_as.as_ref().map(|connect_as| connect_as.identity.mac);
        let is_heard = self.cloud.mqtt_up && !self.cloud.silent;
        if own == Some(mac) && is_heard && self.cloud.proof != Mutant::NoOthers {
            let owner = MacOwner::AnotherBoard(None);
            self.later(LATENCY, Traffic::Tell(Event::LookedUp { mac, owner }));
        }
    }

    pub fn lose(&mut self, route: Route) {
        let connection = self.cloud.connection;
        match route {
            Route::Mqtt => {
                self.cloud.mqtt_up = false;
                self.cloud.forget_ack_tokens();
            }
            Route::Http | Route::Billing => self.cloud.http_up = false,
        }
        self.later(LATENCY, Traffic::Tell(Event::Lost { route, connection }));
        self.later(RECONNECT, Traffic::Connect(route, connection));
    }

    /// What the network does; what it brings to the agent is given back.
    pub fn carry(&mut self, traffic: Traffic) -> Option<Brought> {
        self.log.tell(self.now, || format!("  {traffic:?}"));
        match traffic {
            Traffic::Tell(event) => return Some(Brought::Event(event)),
            Traffic::Connect(route, connection) if connection == self.cloud.connection => {
                return self.connect(route, connection);
            }
            Traffic::Poll(connection) if connection == self.cloud.connection => {
                return self.poll(connection);
            }
            Traffic::Echo(connection) if connection == self.cloud.connection => {
                let route = Route::Mqtt;
                let comes = self.cloud.mqtt_up && self.carries(route) && !self.cloud.silent;
                if comes {
                    self.heard(route);
                }
                let believes = self.cloud.believes_connections
                    || matches!(self.cloud.proof, Mutant::NoFirstEcho | Mutant::NoSecondEcho);
                return (comes || believes)
                    .then_some(Brought::Event(Event::Reachable { route, connection }));
            }
            Traffic::KeepAlive(connection) if connection == self.cloud.connection => {
                if self.cloud.silent && self.cloud.mqtt_up {
                    self.lose(Route::Mqtt);
                }
            }
            Traffic::Connect(..) | Traffic::Poll(_) | Traffic::Echo(_) | Traffic::KeepAlive(_) => {}
            Traffic::Deliver { request, ack_token, again } => {
                let still = self.cloud.session.iter().any(|m| m.ack_token == Some(ack_token));
                if still && self.cloud.mqtt_up && !self.cloud.silent {
                    if self.cloud.acknowledges_early {
                        self.cloud.acknowledge(ack_token);
                    }
                    return Some(self.bring(request, Some(ack_token), again));
                }
            }
            Traffic::Arrive { route, id } => self.arrive(route, id),
        }
        None
    }

    fn bring(&mut self, request: usize, ack_token: Option<AckToken>, again: bool) -> Brought {
        let posted = &mut self.cloud.requests[request];
        posted.delivered = true;
        let own = self.cloud.connect_as.as_ref().map(|connect_as| connect_as.identity.mac);
        let via = match posted.asked.topic {
            Topic::Mac(mac) if Some(mac) == own => Via::MacTopic,
            // Of a session from before the change, what is left of it comes again.
            Topic::Mac(_) | Topic::Board => Via::BoardTopic,
            Topic::List => Via::PendingList,
        };
        let mut request = posted.asked.request.clone();
        if let (Some(chars), Ok(Request { content: Ok(patch), .. })) =
            (self.cloud.model_chars, &mut request)
        {
            patch.model = Some(model_of(chars));
        }
        let timing = if again { Timing::Again } else { Timing::Live };
        Brought::Delivery(Box::new(Delivery {
            request,
            delivered: Delivered {
                via,
                timing,
                signature: Signature::Missing,
                is_fresh: true,
                deferrals: 0,
            },
            ack_token,
            route: Some(if ack_token.is_some() { Route::Mqtt } else { Route::Http }),
            offline: false,
        }))
    }

    fn connect(&mut self, route: Route, connection: Connection) -> Option<Brought> {
        let is_first = self.cloud.proof == Mutant::NoFirstEcho && route == Route::Mqtt;
        let believes = self.cloud.believes_connections || is_first;
        let reaches = self.reaches(route) && !self.cloud.silent;
        if !believes && (!reaches || self.cloud.unlucky()) {
            self.later(RECONNECT, Traffic::Connect(route, connection));
            return None;
        }
        if route == Route::Http {
            return self.poll(connection);
        }
        self.cloud.mqtt_up = true;
        self.cloud.carried_by = Some(self.link.mac);
        self.heard(route);
        if self.cloud.proof == Mutant::OldNonce {
            self.later(OLD_ECHO, Traffic::Tell(Event::Reachable { route, connection }));
        }
        let retained = |posted: &Posted| posted.asked.retained && !posted.done;
        for request in 0..self.cloud.requests.len() {
            let posted = &self.cloud.requests[request];
            if retained(posted) && self.cloud.hears(posted.asked.topic) {
                self.queue_message(request);
            }
        }
        self.pump(true);
        self.send_reports(route);
        Some(Brought::Event(Event::Reachable { route, connection }))
    }

    fn poll(&mut self, connection: Connection) -> Option<Brought> {
        let route = Route::Http;
        self.later(POLL_EVERY, Traffic::Poll(connection));
        if !self.reaches(route) || self.cloud.silent || self.cloud.unlucky() {
            let was_up = std::mem::take(&mut self.cloud.http_up);
            return was_up.then_some(Brought::Event(Event::Lost { route, connection }));
        }
        self.cloud.http_up = true;
        self.cloud.carried_by = Some(self.link.mac);
        self.heard(route);
        for request in 0..self.cloud.requests.len() {
            let posted = &self.cloud.requests[request];
            if posted.asked.topic == Topic::List && !posted.done {
                let brought = self.bring(request, None, true);
                self.at_hand.push(brought);
            }
        }
        self.send_reports(route);
        Some(Brought::Event(Event::Reachable { route, connection }))
    }

    fn send_reports(&mut self, route: Route) {
        let waiting: Vec<ReportId> = self
            .cloud
            .outgoing
            .iter()
            .filter(|(on, ..)| *on == route)
            .map(|(_, id, _)| *id)
            .collect();
        for id in waiting {
            let delay = self.cloud.delay();
            self.later(delay, Traffic::Arrive { route, id });
        }
    }

    /// A report comes to the other end, and its acknowledgement back; either may be lost.
    fn arrive(&mut self, route: Route, id: ReportId) {
        let sent = self.cloud.outgoing.iter().position(|(on, p, _)| (*on, *p) == (route, id));
        let Some(sent) = sent else { return };
        if !self.cloud.is_up(route) || !self.carries(route) {
            return;
        }
        if self.cloud.silent {
            return self.later(RECONNECT, Traffic::Arrive { route, id });
        }
        if self.cloud.unlucky() {
            return self.later(RECONNECT, Traffic::Arrive { route, id });
        }
        let report = self.cloud.outgoing[sent].2.clone();
        let tag = super::requests::tag(&report);
        for posted in self.cloud.requests.iter_mut().filter(|posted| posted.asked.tag == tag) {
            posted.done = true;
        }
        self.cloud.received.push(Received { tag, report });
        if self.cloud.unlucky() {
            return self.later(RECONNECT, Traffic::Arrive { route, id });
        }
        self.cloud.outgoing.remove(sent);
        let delay = self.cloud.delay();
        self.later(delay, Traffic::Tell(Event::Reported { id, route }));
    }
}
