//! One panel: the agent's own MQTT route, and an identity in memory in place of a board.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};
use intercom_agent::agent::seams::{ConnectIdentity, Connection, Event, ReportId, Upstream};
use intercom_agent::agent::{Delivery, Handling};
use intercom_agent::config::{self, MqttSettings};
use intercom_agent::record::Route;
use intercom_agent::root::Root;
use intercom_agent::upstream::{self, Place, RouteEvent, Routes, mqtt};
use intercom_wire::signature::Keys;
use intercom_wire::{
    FactoryIdentity, Identity, IntercomBody, Outcome, Report, RequestId, SOURCE_AUTO_REPLACE,
};
use tokio::sync::{mpsc, watch};

use crate::identities::{self, MODEL};

/// What is known of the panels while they run.
#[derive(Clone)]
pub(super) struct Fleet {
    settings: MqttSettings,
    connected: watch::Sender<usize>,
    since: Arc<Mutex<Vec<Instant>>>,
}

impl Fleet {
    /// A fleet for this broker, with the configuration of a panel.
    pub(super) fn new(broker: std::net::SocketAddr) -> Result<Self> {
        let text = format!("[mqtt]\nurl = \"mqtt://{broker}\"\n");
        let settings = config::parse(&text, Path::new("the fleet's configuration"))?;
        Ok(Fleet {
            settings: settings.mqtt.context("no broker")?,
            connected: watch::Sender::new(0),
            since: Arc::default(),
        })
    }

    /// Starts a panel.
    pub(super) fn add(&self, number: usize) -> Result<()> {
        let connect_as = ConnectIdentity {
            has_mac: true,
            changing_from: None,
            new_record: false,
            identity: identities::old(number)?,
            board: identities::board(number)?,
            id: None,
            model: Some(MODEL.to_owned()),
        };
        let (handle, end) = upstream::route();
        let (events_in, events) = mpsc::channel(16);
        let place = Place::new(Root::sandbox("/nonexistent"), None);
        tokio::spawn(mqtt::run(self.settings.clone(), place, Keys::default(), end, events_in));
        let routes = Routes { mqtt: Some(handle), ..Routes::default() };
        let panel = Panel {
            fleet: self.clone(),
            factory: connect_as.identity.clone(),
            connect_as,
            connection: Connection::default(),
            is_connected: false,
            routes,
            change: None,
            decided: None,
            reports: 0,
            unreported: false,
        };
        tokio::spawn(panel.run(events));
        Ok(())
    }

    /// How many panels are subscribed to their topics now.
    pub(super) fn connected(&self) -> watch::Receiver<usize> {
        self.connected.subscribe()
    }

    /// When panels have connected, since the last call.
    pub(super) fn take_connections(&self) -> Vec<Instant> {
        std::mem::take(&mut self.since.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, is_connected: bool) {
        if is_connected {
            self.since.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        }
        self.connected.send_modify(|count| {
            *count = if is_connected { *count + 1 } else { count.saturating_sub(1) };
        });
    }
}

struct Panel {
    fleet: Fleet,
    connect_as: ConnectIdentity,
    factory: Identity,
    connection: Connection,
    is_connected: bool,
    routes: Routes,
    /// The request that is being carried out, and the identity before.
    change: Option<(RequestId, Identity)>,
    /// The last report, for a request that is delivered again.
    decided: Option<Report>,
    /// How many reports were sent; the last one's number.
    reports: u64,
    /// Whether the last one is not acknowledged yet.
    unreported: bool,
}

impl Panel {
    async fn run(mut self, mut events: mpsc::Receiver<RouteEvent>) {
        self.routes.connect_as(self.connect_as.clone(), self.connection);
        while let Some(event) = events.recv().await {
            match event {
                RouteEvent::Delivery(delivery, answer) => {
                    let ack_token = delivery.ack_token;
                    let handling = self.decide(*delivery);
                    if let (Handling::Decided, Some(ack_token)) = (handling, ack_token) {
                        self.routes.acknowledge(ack_token);
                    }
                    // The MQTT route may not wait for the answer.
                    let _ = answer.send(handling);
                }
                RouteEvent::Event(event) => self.on_event(&event),
            }
        }
    }

    /// Carries out a request that changes the identity, as a panel does.
    fn decide(&mut self, delivery: Delivery) -> Handling {
        let Ok(request) = delivery.request else { return Handling::Decided };
        let (Some(id), Ok(patch)) = (request.id, request.content) else { return Handling::Decided };
        if self.change.is_some() {
            return Handling::Kept;
        }
        if self.decided.as_ref().is_some_and(|report| report.request_id.as_ref() == Some(&id)) {
            self.report();
            return Handling::Decided;
        }
        let previous = self.connect_as.identity.clone();
        if let Some(mac) = patch.new_mac {
            self.connect_as.identity.mac = mac;
        }
        if patch.new_serial_number.is_some() {
            self.connect_as.identity.serial_number = patch.new_serial_number;
        }
        self.change = Some((id, previous));
        self.disconnected();
        self.connection = self.connection.next();
        self.routes.connect_as(self.connect_as.clone(), self.connection);
        Handling::Decided
    }

    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Reachable { connection, .. } if *connection == self.connection => {
                if !std::mem::replace(&mut self.is_connected, true) {
                    self.fleet.count(true);
                }
                if let Some((id, previous)) = self.change.take() {
                    let factory = self.factory.clone();
                    self.decided = Some(installed(id, &self.connect_as, previous, factory));
                    self.report();
                } else if self.unreported {
                    self.send();
                }
            }
            Event::Lost { connection, .. } if *connection == self.connection => self.disconnected(),
            Event::Reported { id, .. } if *id == ReportId::Durable(self.reports) => {
                self.unreported = false;
            }
            _ => {}
        }
    }

    fn disconnected(&mut self) {
        if std::mem::replace(&mut self.is_connected, false) {
            self.fleet.count(false);
        }
    }

    fn report(&mut self) {
        self.reports += 1;
        self.unreported = true;
        self.send();
    }

    fn send(&mut self) {
        if let Some(report) = &self.decided {
            self.routes.send(Route::Mqtt, ReportId::Durable(self.reports), report);
        }
    }
}

/// The report of a change that was carried out.
pub(super) fn installed(
    request_id: RequestId,
    connect_as: &ConnectIdentity,
    previous: Identity,
    factory: Identity,
) -> Report {
    Report {
        intercom: IntercomBody {
            id: connect_as.id,
            external_id: None,
            department: None,
            title: None,
            mac: Some(connect_as.identity.mac),
            model: connect_as.model.clone(),
            serial_number: connect_as.identity.serial_number.clone(),
            status: Some(Outcome::Installed.to_string()),
            flat_from: None,
            flat_to: None,
            source: Some(SOURCE_AUTO_REPLACE.to_owned()),
            group: None,
        },
        request_id: Some(request_id),
        issuer: None,
        board: connect_as.board.clone(),
        target: None,
        outcome_identity: None,
        previous,
        factory: FactoryIdentity::Known(factory),
        reason: None,
        deferred_seconds: None,
        seq_mark: None,
        log_extra: None,
        message: None,
        errors: None,
        outcomes_not_told: None,
        unclean_ends: None,
    }
}
