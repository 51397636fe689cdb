//! One panel: the agent's own MQTT route, and an identity in memory in place of a board.
//!
//! The route speaks for it: presence with a nonce and last will, the answers to `who`, and look-ups.
//! What the panel decides itself is what a panel with a good board does. Only `settle` is left out:
//! the proof at its end is asked for at once.

use intercom_agent::agent::seams::{ConnectIdentity, Connection, Event, Upstream};
use intercom_agent::agent::{Delivery, Handling};
use intercom_agent::decide::MacOwner;
use intercom_agent::record::Route;
use intercom_agent::upstream::{RouteEvent, Routes};
use intercom_wire::{Identity, Mac, Request};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::outbox::Outbox;
use crate::report::installed;
use crate::told::Told;

pub(super) struct Panel {
    /// How many panels of this process are connected.
    connected: watch::Sender<usize>,
    connect_as: ConnectIdentity,
    factory: Identity,
    connection: Connection,
    is_connected: bool,
    routes: Routes,
    change: Option<Change>,
    outbox: Outbox,
}

/// A request that is being carried out.
struct Change {
    request: Request,
    from: Identity,
    to: Identity,
    step: Step,
}

/// What a change waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Whether another board has the new MAC address.
    LookUp,
    /// The first proof: a connection under the new identity.
    Connect,
    /// The second proof.
    Prove,
    /// Whether another board has taken the new MAC address meanwhile.
    LookUpAgain,
}

impl Panel {
    pub(super) fn new(
        connect_as: ConnectIdentity,
        routes: Routes,
        connected: watch::Sender<usize>,
    ) -> Self {
        Panel {
            connected,
            factory: connect_as.identity.clone(),
            connect_as,
            connection: Connection::default(),
            is_connected: false,
            routes,
            change: None,
            outbox: Outbox::default(),
        }
    }

    /// Goes on until the route ends.
    pub(super) async fn run(mut self, mut events: mpsc::Receiver<RouteEvent>) {
        self.routes.connect_as(self.connect_as.clone(), self.connection);
        loop {
            let due = self.outbox.due();
            tokio::select! {
                event = events.recv() => match event {
                    Some(RouteEvent::Delivery(delivery, answer)) => {
                        // The MQTT route does not wait for the answer.
                        let _ = answer.send(self.on_delivery(*delivery));
                    }
                    Some(RouteEvent::Event(event)) => self.on_event(&event),
                    None => return,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if self.outbox.take_due(Instant::now()) {
                        Told::ReportAgain.tell();
                        self.send();
                    }
                }
            }
        }
    }

    /// Every request here has an issuer. It is offered again on the next connection, so the broker need
    /// not keep it.
    fn on_delivery(&mut self, delivery: Delivery) -> Handling {
        if let Some(ack_token) = delivery.ack_token {
            self.routes.acknowledge(ack_token);
        }
        let Ok(request) = delivery.request else { return Handling::Decided };
        if request.issuer.is_some() && !delivery.delivered.is_fresh {
            Told::OldRequest.tell();
            self.routes.announce();
            return Handling::Kept;
        }
        if self.change.is_some() {
            return Handling::Kept;
        }
        if request.id.as_ref().is_some_and(|id| self.outbox.is_about(id)) {
            self.outbox.ask_again();
            self.send();
        } else {
            self.begin(request);
        }
        Handling::Decided
    }

    fn begin(&mut self, request: Request) {
        let Ok(patch) = &request.content else { return };
        let from = self.connect_as.identity.clone();
        let serial_number = patch.new_serial_number.clone().or_else(|| from.serial_number.clone());
        let to = Identity { mac: patch.new_mac.unwrap_or(from.mac), serial_number };
        self.routes.look_up(to.mac);
        self.change = Some(Change { request, from, to, step: Step::LookUp });
    }

    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Reachable { connection, .. } if *connection == self.connection => {
                self.reachable();
            }
            Event::Lost { connection, .. } if *connection == self.connection => self.disconnected(),
            Event::LookedUp { mac, owner } => self.looked_up(*mac, owner),
            Event::Reported { id, .. } => self.outbox.published(*id, Instant::now()),
            Event::Over { request_id } => self.outbox.over(request_id),
            _ => {}
        }
    }

    fn reachable(&mut self) {
        let is_new = !std::mem::replace(&mut self.is_connected, true);
        if is_new {
            self.connected.send_modify(|count| *count += 1);
            Told::Connected.tell();
            self.send();
        }
        let Some(change) = &mut self.change else { return };
        match change.step {
            Step::Connect => {
                change.step = Step::Prove;
                self.routes.prove(Route::Mqtt);
            }
            Step::Prove => {
                change.step = Step::LookUpAgain;
                self.routes.look_up(change.to.mac);
            }
            // The answer to what was asked on another connection does not come any more.
            Step::LookUp | Step::LookUpAgain if is_new => self.routes.look_up(change.to.mac),
            Step::LookUp | Step::LookUpAgain => {}
        }
    }

    fn looked_up(&mut self, mac: Mac, owner: &MacOwner) {
        let Some(change) = self.change.take_if(|change| change.to.mac == mac) else { return };
        match (owner, change.step) {
            (MacOwner::Nobody, Step::LookUp) => self.apply(change),
            (MacOwner::Nobody, Step::LookUpAgain) => self.commit(change),
            (MacOwner::AnotherBoard(_), _) => Told::Conflict.tell(),
            _ => {
                self.routes.look_up(mac);
                self.change = Some(change);
            }
        }
    }

    fn apply(&mut self, change: Change) {
        self.connect_as.identity = change.to.clone();
        self.connect_as.changing_from = Some(change.from.mac);
        self.change = Some(Change { step: Step::Connect, ..change });
        self.disconnected();
        self.connection = self.connection.next();
        self.routes.connect_as(self.connect_as.clone(), self.connection);
    }

    fn commit(&mut self, change: Change) {
        Told::Installed.tell();
        self.connect_as.confirm();
        self.routes.claim(self.connection);
        let factory = self.factory.clone();
        self.outbox.add(installed(&change.request, &self.connect_as, change.from, factory));
        self.send();
    }

    fn disconnected(&mut self) {
        if std::mem::replace(&mut self.is_connected, false) {
            self.connected.send_modify(|count| *count -= 1);
            Told::Lost.tell();
        }
    }

    fn send(&mut self) {
        if let Some((id, report)) = self.outbox.unread() {
            self.routes.send(Route::Mqtt, id, report);
        }
    }
}
