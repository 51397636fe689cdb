//! What is off the board: requests that are retained or listed, messages that come again until they are
//! acknowledged, and the reports that have arrived.

use intercom_agent::agent::seams::{AckToken, ConnectIdentity, Connection, ReportId};
use intercom_agent::record::Route;
use intercom_wire::{Mac, Report};

use super::proof::Mutant;
use super::random_numbers::Random;
use super::requests::{Asked, Topic};

const LATENCY: u64 = 20;

/// A message of the persistent session that was not acknowledged.
#[derive(Debug, Clone)]
pub struct Message {
    pub request: usize,
    pub ack_token: Option<AckToken>,
    pub done: bool,
    pub sent_before: bool,
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
    pub session: Vec<Message>,
    pub received: Vec<Received>,
    /// Nothing is reached now, by route.
    pub mqtt_down: bool,
    pub http_down: bool,
    /// Nothing is reached under these addresses.
    pub unreachable: Vec<Mac>,
    /// The traffic leaves by a link that does not bear the identity.
    pub by_another_link: bool,
    /// Since when it does, or does so no more.
    pub other_link_at: u64,
    /// Another board has this address.
    pub taken: Vec<Mac>,
    /// Since when it has.
    pub taken_at: Vec<(Mac, u64)>,
    /// The path swallows everything, and no connection is closed.
    pub silent: bool,
    /// What of the proof of a change is broken on purpose.
    pub proof: Mutant,
    /// Lost and doubled messages; without it none are.
    pub weather: Option<Random>,
    /// Acknowledges a message when it is delivered.
    pub acknowledges_early: bool,
    /// Says that a report has arrived when it is sent.
    pub believes_reports: bool,
    /// Says that a new connection stands when it is asked for.
    pub believes_connections: bool,
    /// Delivers requests with a model of so many characters, past its bound.
    pub model_chars: Option<usize>,
    /// The identity of the last connection, for the messages of the session.
    pub connect_as: Option<ConnectIdentity>,
    pub connection: Connection,
    pub mqtt_up: bool,
    pub http_up: bool,
    /// The link's address when the connections were made.
    pub carried_by: Option<Mac>,
    pub outgoing: Vec<(Route, ReportId, Report)>,
    pub ack_tokens: u64,
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

impl Cloud {
    /// The board went dark; what the broker holds stays.
    pub fn board_is_gone(&mut self) {
        self.mqtt_up = false;
        self.http_up = false;
        self.outgoing.clear();
        self.connection = Connection::default();
        self.forget_ack_tokens();
    }

    pub fn forget_ack_tokens(&mut self) {
        for message in &mut self.session {
            message.ack_token = None;
            message.done = false;
        }
    }

    pub fn is_up(&self, route: Route) -> bool {
        match route {
            Route::Mqtt => self.mqtt_up,
            Route::Http | Route::Billing => self.http_up,
        }
    }

    pub fn down(&self, route: Route) -> bool {
        match route {
            Route::Mqtt => self.mqtt_down,
            Route::Http | Route::Billing => self.http_down,
        }
    }

    /// Whether the broker would give a message of this topic to the board.
    pub fn hears(&self, topic: Topic) -> bool {
        let Some(connect_as) = &self.connect_as else { return false };
        match topic {
            Topic::Mac(mac) => connect_as.identity.mac == mac,
            Topic::Board => true,
            Topic::List => false,
        }
    }

    pub fn unlucky(&mut self) -> bool {
        self.weather.as_mut().is_some_and(|weather| weather.one_in(6))
    }

    pub fn delay(&mut self) -> u64 {
        LATENCY + self.weather.as_mut().map_or(0, |weather| weather.below(800))
    }

    /// In MQTT a message is acknowledged after all before it.
    pub fn acknowledge(&mut self, ack_token: AckToken) {
        if let Some(message) = self.session.iter_mut().find(|m| m.ack_token == Some(ack_token)) {
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

    pub fn board_is_up_as(&mut self, connect_as: ConnectIdentity, connection: Connection) {
        self.connect_as = Some(connect_as);
        self.connection = connection;
        self.mqtt_up = false;
        self.http_up = false;
        self.forget_ack_tokens();
    }
}
