//! Upstream: a broker that delivers again until it is told not to, a list of pending requests, and a
//! network between them and the panel that comes and goes.

use intercom_agent::agent::Delivery;
use intercom_agent::agent::seams::{Connection, Event, Face, ParcelId, Ticket, Upstream};
use intercom_agent::contract::{Mac, Report};
use intercom_agent::decide::{Delivered, Holder, Signature, Timing, Via};
use intercom_agent::record::Route;

use super::random_numbers::Random;
use super::requests::{Asked, Topic};
use super::world::{Hardware, Shared};

/// How many messages the broker sends ahead of their acknowledgements, as Mosquitto does.
const WINDOW: usize = 20;
pub const POLL_EVERY: u64 = 60_000;
const RECONNECT: u64 = 5_000;
const LATENCY: u64 = 20;

/// A message of the persistent session that was not acknowledged.
#[derive(Debug, Clone)]
struct Message {
    request: usize,
    ticket: Option<Ticket>,
    done: bool,
    sent_before: bool,
}

/// A report as it was received.
#[derive(Debug, Clone)]
pub struct Received {
    pub tag: String,
    pub report: Report,
}

/// What is off the board, and the board's connections to it.
#[derive(Debug, Clone, Default)]
pub struct Cloud {
    pub requests: Vec<Posted>,
    session: Vec<Message>,
    pub received: Vec<Received>,
    /// Nothing is reached now, by route.
    pub mqtt_down: bool,
    pub http_down: bool,
    /// Nothing is reached under these addresses.
    pub unreachable: Vec<Mac>,
    /// Another board has this address.
    pub taken: Vec<Mac>,
    /// Lost and doubled messages; without it none are.
    pub weather: Option<Random>,
    /// Acknowledges a message when it is delivered.
    pub acknowledges_early: bool,
    /// Says that a report has arrived when it is sent.
    pub believes_reports: bool,
    /// Says that a new connection stands when it is asked for.
    pub believes_connections: bool,
    /// The face of the last connection, for the messages of the session.
    face: Option<Face>,
    connection: Connection,
    mqtt_up: bool,
    http_up: bool,
    /// The link's address when the connections were made.
    carried_by: Option<Mac>,
    outgoing: Vec<(Route, ParcelId, Report)>,
    tickets: u64,
    /// How often the agent asked for what it had left.
    pub asked_again: u32,
}

/// A request upstream.
#[derive(Debug, Clone)]
pub struct Posted {
    pub asked: Asked,
    /// Its outcome was reported, so it is neither retained nor listed any more.
    pub done: bool,
    pub delivered: bool,
    pub acknowledged: bool,
}

/// What comes to the agent over the network, and what the network does by itself.
#[derive(Debug, Clone)]
pub enum Traffic {
    Tell(Event),
    Connect(Route, Connection),
    Poll(Connection),
    Deliver {
        request: usize,
        ticket: Ticket,
        again: bool,
    },
    /// A report on its way.
    Arrive {
        route: Route,
        parcel: ParcelId,
    },
}

impl Cloud {
    /// The board went dark; what the broker holds stays.
    pub fn board_is_gone(&mut self) {
        self.mqtt_up = false;
        self.http_up = false;
        self.outgoing.clear();
        self.connection = Connection::default();
        self.forget_tickets();
    }

    fn forget_tickets(&mut self) {
        for message in &mut self.session {
            message.ticket = None;
            message.done = false;
        }
    }

    fn is_up(&self, route: Route) -> bool {
        match route {
            Route::Mqtt => self.mqtt_up,
            Route::Http => self.http_up,
        }
    }

    fn down(&self, route: Route) -> bool {
        match route {
            Route::Mqtt => self.mqtt_down,
            Route::Http => self.http_down,
        }
    }

    /// Whether the broker would give a message of this topic to the board.
    fn hears(&self, topic: Topic) -> bool {
        let Some(face) = &self.face else { return false };
        match topic {
            Topic::Mac(mac) => face.identity.mac == mac,
            Topic::Board => true,
            Topic::List => false,
        }
    }

    fn unlucky(&mut self) -> bool {
        self.weather.as_mut().is_some_and(|weather| weather.one_in(6))
    }

    fn delay(&mut self) -> u64 {
        LATENCY + self.weather.as_mut().map_or(0, |weather| weather.below(800))
    }

    /// In MQTT a message is acknowledged after all before it.
    fn acknowledge(&mut self, ticket: Ticket) {
        if let Some(message) = self.session.iter_mut().find(|m| m.ticket == Some(ticket)) {
            message.done = true;
        }
        let ready = self.session.iter().take_while(|message| message.done).count();
        let gone: Vec<Message> = self.session.drain(..ready).collect();
        for Message { request, .. } in gone {
            // While another copy of it is left, it comes again.
            let is_left = self.session.iter().any(|message| message.request == request);
            self.requests[request].acknowledged |= !is_left;
        }
    }

    /// Whether the outcome of this request was ever reported.
    pub fn was_told(&self, tag: &str) -> bool {
        self.received.iter().any(|received| received.tag == tag)
    }

    /// How many messages the broker holds.
    pub fn queued(&self) -> usize {
        self.session.len()
    }
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

    fn queue_message(&mut self, request: usize) {
        let message = Message { request, ticket: None, done: false, sent_before: false };
        self.cloud.session.push(message);
    }

    /// Sends what the window has room for.
    fn pump(&mut self, again: bool) {
        if !self.cloud.mqtt_up {
            return;
        }
        for at in 0..self.cloud.session.len().min(WINDOW) {
            if self.cloud.session[at].ticket.is_some() {
                continue;
            }
            self.cloud.tickets += 1;
            let ticket = Ticket(self.cloud.tickets);
            let message = &mut self.cloud.session[at];
            message.ticket = Some(ticket);
            let again = again || std::mem::replace(&mut message.sent_before, true);
            let request = message.request;
            let delay = self.cloud.delay();
            self.later(delay, Traffic::Deliver { request, ticket, again });
        }
    }

    /// The network is there for a new connection.
    fn reaches(&self, route: Route) -> bool {
        !self.cloud.down(route) && !self.cloud.unreachable.contains(&self.link.mac)
    }

    /// It is there for one that stands.
    fn carries(&self, route: Route) -> bool {
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

    fn lose(&mut self, route: Route) {
        let connection = self.cloud.connection;
        match route {
            Route::Mqtt => {
                self.cloud.mqtt_up = false;
                self.cloud.forget_tickets();
            }
            Route::Http => self.cloud.http_up = false,
        }
        self.later(LATENCY, Traffic::Tell(Event::Lost { route, connection }));
        self.later(RECONNECT, Traffic::Connect(route, connection));
    }

    /// What the network does; what it brings to the agent is given back.
    pub fn carry(&mut self, traffic: Traffic) -> Option<Brought> {
        if self.watch.tells {
            println!("{:>9}   {traffic:?}", self.now);
        }
        match traffic {
            Traffic::Tell(event) => return Some(Brought::Event(event)),
            Traffic::Connect(route, connection) if connection == self.cloud.connection => {
                return self.connect(route, connection);
            }
            Traffic::Poll(connection) if connection == self.cloud.connection => {
                return self.poll(connection);
            }
            Traffic::Connect(..) | Traffic::Poll(_) => {}
            Traffic::Deliver { request, ticket, again } => {
                let still = self.cloud.session.iter().any(|m| m.ticket == Some(ticket));
                if still && self.cloud.mqtt_up {
                    if self.cloud.acknowledges_early {
                        self.cloud.acknowledge(ticket);
                    }
                    return Some(self.bring(request, Some(ticket), again));
                }
            }
            Traffic::Arrive { route, parcel } => self.arrive(route, parcel),
        }
        None
    }

    fn bring(&mut self, request: usize, ticket: Option<Ticket>, again: bool) -> Brought {
        let posted = &mut self.cloud.requests[request];
        posted.delivered = true;
        let own = self.cloud.face.as_ref().map(|face| face.identity.mac);
        let via = match posted.asked.topic {
            Topic::Mac(mac) if Some(mac) == own => Via::MacTopic,
            // Of a session from before the change, what is left of it comes again.
            Topic::Mac(_) | Topic::Board => Via::BoardTopic,
            Topic::List => Via::PendingList,
        };
        let timing = if again { Timing::Again } else { Timing::Live };
        Brought::Delivery(Box::new(Delivery {
            request: posted.asked.request.clone(),
            delivered: Delivered { via, timing, signature: Signature::Missing, put_offs: 0 },
            ticket,
            route: Some(if ticket.is_some() { Route::Mqtt } else { Route::Http }),
            offline: false,
        }))
    }

    fn connect(&mut self, route: Route, connection: Connection) -> Option<Brought> {
        let believes = self.cloud.believes_connections;
        if !believes && (!self.reaches(route) || self.cloud.unlucky()) {
            self.later(RECONNECT, Traffic::Connect(route, connection));
            return None;
        }
        if route == Route::Http {
            return self.poll(connection);
        }
        self.cloud.mqtt_up = true;
        self.cloud.carried_by = Some(self.link.mac);
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
        if !self.reaches(route) || self.cloud.unlucky() {
            let was_up = std::mem::take(&mut self.cloud.http_up);
            return was_up.then_some(Brought::Event(Event::Lost { route, connection }));
        }
        self.cloud.http_up = true;
        self.cloud.carried_by = Some(self.link.mac);
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
        let waiting: Vec<ParcelId> = self
            .cloud
            .outgoing
            .iter()
            .filter(|(on, ..)| *on == route)
            .map(|(_, parcel, _)| *parcel)
            .collect();
        for parcel in waiting {
            let delay = self.cloud.delay();
            self.later(delay, Traffic::Arrive { route, parcel });
        }
    }

    /// A report comes to the other end, and its acknowledgement back; either may be lost.
    fn arrive(&mut self, route: Route, parcel: ParcelId) {
        let sent = self.cloud.outgoing.iter().position(|(on, p, _)| (*on, *p) == (route, parcel));
        let Some(sent) = sent else { return };
        if !self.cloud.is_up(route) || !self.carries(route) {
            return;
        }
        if self.cloud.unlucky() {
            return self.later(RECONNECT, Traffic::Arrive { route, parcel });
        }
        let report = self.cloud.outgoing[sent].2.clone();
        let tag = super::requests::tag(&report);
        for posted in self.cloud.requests.iter_mut().filter(|posted| posted.asked.tag == tag) {
            posted.done = true;
        }
        self.cloud.received.push(Received { tag, report });
        if self.cloud.unlucky() {
            return self.later(RECONNECT, Traffic::Arrive { route, parcel });
        }
        self.cloud.outgoing.remove(sent);
        let delay = self.cloud.delay();
        self.later(delay, Traffic::Tell(Event::Reported { parcel, route }));
    }
}

/// What the network brings to the agent.
#[derive(Debug)]
pub enum Brought {
    Event(Event),
    Delivery(Box<Delivery>),
}

/// The agent's side of it.
pub struct SimulatedUpstream(pub Shared);

impl SimulatedUpstream {
    /// One operation, which needs power.
    fn order(&self, effect: impl FnOnce(&mut Hardware)) {
        let power = self.0.borrow().power.clone();
        power.tell(|| effect(&mut self.0.borrow_mut()));
    }
}

impl Upstream for SimulatedUpstream {
    fn connect_as(&mut self, face: Face, connection: Connection) {
        self.order(|world| {
            world.cloud.board_is_up_as(face, connection);
            for route in world.rules.routes.clone() {
                let delay = world.cloud.delay();
                world.later(delay, Traffic::Connect(route, connection));
            }
        });
    }

    fn acknowledge(&mut self, ticket: Ticket) {
        self.order(|world| {
            if world.watch.tells {
                println!("{:>9}   acknowledged {ticket:?}", world.now);
            }
            world.cloud.acknowledge(ticket);
            world.pump(false);
        });
    }

    fn look_up(&mut self, mac: Mac) {
        self.order(|world| {
            if world.cloud.mqtt_up {
                let taken = world.cloud.taken.contains(&mac);
                let holder = if taken { Holder::AnotherBoard(None) } else { Holder::Nobody };
                world.later(1000, Traffic::Tell(Event::LookedUp { mac, holder }));
            }
        });
    }

    fn send(&mut self, route: Route, parcel: ParcelId, report: &Report) {
        self.order(|world| {
            let known = world.cloud.outgoing.iter().any(|(r, p, _)| (*r, *p) == (route, parcel));
            if known {
                return;
            }
            world.cloud.outgoing.push((route, parcel, report.clone()));
            let delay = world.cloud.delay();
            world.later(delay, Traffic::Arrive { route, parcel });
            if world.cloud.believes_reports {
                world.later(0, Traffic::Tell(Event::Reported { parcel, route }));
            }
        });
    }

    fn give_up(&mut self, _: Mac) {
        self.order(|_| {});
    }

    fn ask_again(&mut self, route: Route) {
        self.order(|world| {
            world.cloud.asked_again += 1;
            match route {
                Route::Mqtt if world.cloud.mqtt_up => world.lose(route),
                Route::Mqtt => {}
                Route::Http => world.poll_now(),
            }
        });
    }
}

impl Cloud {
    fn board_is_up_as(&mut self, face: Face, connection: Connection) {
        self.face = Some(face);
        self.connection = connection;
        self.mqtt_up = false;
        self.http_up = false;
        self.forget_tickets();
    }
}
