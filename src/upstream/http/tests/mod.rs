//! The HTTP route as a specification, against a scripted server on the loopback interface.

mod billing;
mod hostile;
mod peer;
mod polls;
mod reports;
mod secure;

use std::path::Path;
use std::time::Duration;

use intercom_wire::Identity;
use intercom_wire::signature::SigningKey;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::agent::seams::{ConnectIdentity, Connection, Event};
use crate::agent::{Delivery, Handling};
use crate::config;
use crate::record::Route;
use crate::root::Root;
use crate::upstream::{Place, RouteCommand, RouteHandle, route};

/// Nothing here takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// The key that billing signs with.
fn signing_key() -> SigningKey {
    SigningKey::new(&[7; 32]).unwrap()
}

/// The keys of a panel that trusts that key.
fn keys() -> Keys {
    let key = signing_key();
    [(key.key_id().to_owned(), key.public_key())].into_iter().collect()
}

const QUICK: TimeLimits = TimeLimits {
    resolve: Duration::from_secs(5),
    connect: Duration::from_secs(5),
    send: Duration::from_secs(5),
    answer: Duration::from_secs(5),
    silence: Duration::from_millis(300),
    whole: Duration::from_secs(15),
};

/// The agent's side of a route.
struct Panel {
    handle: RouteHandle,
    events: mpsc::Receiver<RouteEvent>,
    connection: Connection,
    /// The answer to each delivery.
    handling: Handling,
}

impl Panel {
    /// Starts a route to `url`; `more` goes into the `[http]` section.
    fn start(url: &str, more: &str) -> Self {
        Self::start_in(Root::system(), url, more)
    }

    fn start_in(root: Root, url: &str, more: &str) -> Self {
        Self::on(Route::Http, settings(url, more), root)
    }

    /// Starts the billing route to `url`.
    fn reporting_to(url: &str) -> Self {
        Self::on(Route::Billing, billing_settings(url), Root::system())
    }

    fn on(which: Route, settings: HttpSettings, root: Root) -> Self {
        let (handle, end) = route();
        let (events, events_end) = mpsc::channel(4);
        tokio::spawn(run_within(
            QUICK,
            which,
            settings,
            Place::new(root, None),
            keys(),
            end,
            events,
        ));
        let handling = Handling::Decided;
        let mut panel =
            Panel { handle, events: events_end, connection: Connection::default(), handling };
        panel.connect_as("08:00:00:00:00:01");
        panel
    }

    /// Shows the board under another MAC address.
    fn connect_as(&mut self, mac: &str) {
        self.connection = self.connection.next();
        self.handle.connect_as.send_replace(Some((connect_as(mac), self.connection)));
    }

    fn command(&self, command: RouteCommand) {
        self.handle.command(command);
    }

    async fn route_event(&mut self) -> RouteEvent {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("no event in time")
            .expect("the route ended")
    }

    /// The next thing except the end of a list.
    async fn next(&mut self) -> RouteEvent {
        loop {
            match self.route_event().await {
                RouteEvent::Event(Event::Listed { .. }) => {}
                other => return other,
            }
        }
    }

    /// The next thing, which must be an event.
    async fn event(&mut self) -> Event {
        match self.next().await {
            RouteEvent::Event(event) => event,
            RouteEvent::Delivery(delivery, _) => panic!("a delivery: {delivery:?}"),
        }
    }

    /// The next thing, which must be the end of a list.
    async fn listed(&mut self) {
        match self.route_event().await {
            RouteEvent::Event(Event::Listed { connection }) => {
                assert_eq!(connection, self.connection);
            }
            other => panic!("not the end of a list: {other:?}"),
        }
    }

    /// The next thing, which must be a delivery.
    async fn delivery(&mut self) -> Delivery {
        match self.next().await {
            RouteEvent::Delivery(delivery, answer) => {
                let _ = answer.send(self.handling);
                *delivery
            }
            RouteEvent::Event(event) => panic!("an event: {event:?}"),
        }
    }

    fn reachable(&self) -> Event {
        Event::Reachable { route: Route::Http, connection: self.connection }
    }

    fn lost(&self) -> Event {
        Event::Lost { route: Route::Http, connection: self.connection }
    }
}

fn settings(url: &str, more: &str) -> HttpSettings {
    let text = format!("[http]\nurl = \"{url}\"\npoll_every = 1\n{more}");
    config::parse(&text, Path::new("test.toml")).unwrap().http.unwrap()
}

fn billing_settings(url: &str) -> HttpSettings {
    let text = format!("[billing]\nurl = \"{url}\"");
    let mut settings = config::parse(&text, Path::new("test.toml")).unwrap().billing.unwrap();
    settings.poll_every = Duration::from_secs(1);
    settings
}

fn connect_as(mac: &str) -> ConnectIdentity {
    ConnectIdentity {
        has_mac: true,
        changing_from: None,
        new_record: false,
        identity: Identity {
            mac: mac.parse().unwrap(),
            serial_number: Some("SN 1/2".parse().unwrap()),
        },
        board: "board-1".parse().unwrap(),
        id: Some(7),
        model: Some("X".to_owned()),
    }
}

/// A pending request with this ID.
fn request(id: &str) -> String {
    format!(
        r#"{{"request_id":"{id}","mac":"08:00:00:00:00:01","new_mac":"08:00:00:00:00:02","model":"X"}}"#
    )
}

fn id(delivery: &Delivery) -> String {
    let request = delivery.request.as_ref().expect("a readable request");
    request.id.as_ref().expect("a request id").as_str().to_owned()
}
