//! What a step happens on: one broker, billing on it, and the panels.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use intercom_test_support::{Billing, Board, MODEL, Process, Publish, Watcher};
use serde_json::{Value, json};

use crate::broker::{Broker, Kind};

/// How long whatever must happen may take. Billing asks boards for up to two minutes whether they are
/// still there.
const LIMIT: Duration = Duration::from_secs(180);

/// A broker, billing on it, and the panels.
pub struct Site {
    /// The broker that panels and billing are connected to.
    pub broker: Broker,
    /// The billing service.
    pub billing: Billing,
    route: Route,
    boards: Vec<Rc<Board>>,
    /// How often it was waited for the end of a grace time.
    waits: u8,
}

/// How the panels speak with billing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Over the broker.
    Mqtt,
    /// By polling alone.
    Http,
}

/// A board with the agent on it.
pub struct Panel {
    /// The board's name.
    pub name: String,
    /// Its files and link.
    pub board: Rc<Board>,
    /// Its serial number as it was made.
    pub serial_number: String,
    daemon: Option<Process>,
}

impl Site {
    /// A new broker with billing on it, and nobody else.
    pub fn new(kind: Kind) -> Self {
        let broker = Broker::start(kind);
        let observer = Watcher::at(broker.address());
        let billing = Billing::start_at(&broker.url());
        // From now on it hears each board that says that it is there; what is retained tells it nothing.
        observer.wait_for("billing's question", |message| message.topic == "intercoms/who");
        Site { broker, billing, route: Route::Mqtt, boards: Vec::new(), waits: 0 }
    }

    /// Panels that are made from now on poll, and do not know the broker.
    pub fn panels_poll(&mut self) {
        self.route = Route::Http;
    }

    /// A panel that is not switched on yet.
    pub fn panel(&mut self, name: &str, mac: &str) -> Panel {
        let board = Board::sandboxed(name, mac);
        let board = match self.route {
            Route::Mqtt => board.with_mqtt(&self.broker.url()),
            Route::Http => board.with_polling(&self.billing.url),
        };
        // No two boards have one serial number.
        let serial_number = format!("S-{}", mac.replace(':', ""));
        board.write("etc/serial", format!("{serial_number}\n"));
        let board = Rc::new(board);
        self.boards.push(board.clone());
        Panel { name: name.to_owned(), board, serial_number, daemon: None }
    }

    /// A panel that is switched on, and the intercom in billing that it belongs to.
    pub fn panel_at_a_door(&mut self, name: &str, mac: &str) -> (Panel, i64) {
        let mut panel = self.panel(name, mac);
        let id = self.create(mac, &panel.serial_number);
        self.switch_on(&mut panel);
        (panel, id)
    }

    /// Switches a panel on, and waits until billing can know of it.
    pub fn switch_on(&self, panel: &mut Panel) {
        let observer = (self.route == Route::Mqtt).then(|| self.observer());
        panel.switch_on();
        if let Some(observer) = observer {
            observer.wait_for("its presence", |message| says(message, &panel.name, "online"));
        }
    }

    /// Kills a panel, and waits until the broker tells it.
    pub fn unplug(&self, panel: &mut Panel) {
        let observer = self.observer();
        panel.kill();
        observer.wait_for("its last will", |message| says(message, &panel.name, "offline"));
    }

    /// An operator makes the record of an intercom; its id.
    pub fn create(&self, mac: &str, serial_number: &str) -> i64 {
        let body = json!({
            "mac": mac, "serial_number": serial_number, "model": MODEL, "vendor": "vendor",
            "name": mac, "department": 1, "group_external_id": "house-1",
        });
        let (status, shown) = self.billing.call("POST", "/api/v1/billing/intercoms", body);
        assert_eq!(status, 201, "{shown}");
        shown["id"].as_i64().expect("an ID")
    }

    /// An operator asks that an intercom has this MAC and serial number.
    pub fn patch(&self, id: i64, new_mac: &str, new_serial_number: &str) {
        let body = json!({
            "id": id, "new_mac": new_mac, "new_serial_number": new_serial_number,
            "model": MODEL, "group_external_id": "house-1",
        });
        let (status, shown) = self.billing.patch(body);
        assert_eq!(status, 200, "{shown}");
    }

    /// The same, for the MAC and serial number of a spare.
    pub fn replace_by(&self, id: i64, spare: &Panel, mac: &str) {
        self.patch(id, mac, &spare.serial_number);
    }

    /// Waits until billing shows that an intercom is installed with this MAC, and holds it against
    /// the board that is to carry it.
    pub fn installed(&mut self, id: i64, mac: &str, on: &Panel) {
        self.billing_shows(id, mac, "installed");
        assert_eq!(on.board.mac(), mac, "what the board carries");
        self.no_mac_twice();
    }

    /// Waits until a board carries this MAC, whatever billing knows of it.
    pub fn carries(&mut self, panel: &Panel, mac: &str) {
        let came = self.billing.comes_to(LIMIT, |_| panel.board.mac() == mac);
        assert!(came, "{} does not come to carry {mac}", panel.name);
    }

    /// Waits until billing shows this of the intercom with this MAC.
    pub fn billing_shows(&mut self, id: i64, mac: &str, status: &str) {
        let mut shown = Value::Null;
        let came = self.billing.comes_to(LIMIT, |billing| {
            shown = billing.show(mac).1;
            shown["status"] == status && shown["id"] == id
        });
        assert!(
            came,
            "intercom {id} is not {status} at {mac}: {shown}\n{}",
            requests(&self.billing)
        );
    }

    /// Waits until billing says that the open request of an intercom waits for this.
    pub fn waits_for(&mut self, id: i64, whom: &str) {
        self.open_request(id, |open| {
            open["waits_for"].as_str().is_some_and(|text| text.contains(whom))
        });
    }

    /// Waits until billing offers the open request of an intercom to this board alone.
    pub fn is_offered_to(&mut self, id: i64, board: &str) {
        self.open_request(id, |open| open["offered_to"] == json!([board]));
    }

    fn open_request(&mut self, id: i64, fits: impl Fn(&Value) -> bool) {
        let mut shown = Value::Null;
        let came = self.billing.comes_to(LIMIT, |billing| {
            shown = requests(billing);
            let mut all = shown.as_array().into_iter().flatten();
            all.any(|one| one["intercom_id"] == id && one["state"] == "pending" && fits(one))
        });
        assert!(came, "the requests: {shown}");
    }

    /// Somebody who sees what goes through the broker from now on.
    fn observer(&self) -> Watcher {
        Watcher::at(self.broker.address())
    }

    /// A panel is thrown away.
    pub fn scrap(&mut self, panel: Panel) {
        self.boards.retain(|board| !Rc::ptr_eq(board, &panel.board));
    }

    /// No two boards carry one MAC, switched on or off.
    pub fn no_mac_twice(&self) {
        let macs: Vec<_> = self.boards.iter().map(|board| board.mac()).collect();
        let different: BTreeSet<_> = macs.iter().collect();
        assert_eq!(different.len(), macs.len(), "one MAC on two boards: {macs:?}");
    }

    /// Waits until the grace time of every request up to now is over: a request that is made after
    /// them has been through its own.
    pub fn the_grace_time_is_over(&mut self) {
        self.waits += 1;
        let (name, wait) = (format!("other-{}", self.waits), self.waits);
        let (before, after) =
            (format!("AA:BB:CC:01:00:{wait:02}"), format!("AA:BB:CC:02:00:{wait:02}"));
        let (other, id) = self.panel_at_a_door(&name, &before);
        self.patch(id, &after, &format!("S-{name}"));
        self.installed(id, &after, &other);
    }
}

/// Whether a message is the presence of this board, with this state.
fn says(message: &Publish, board: &str, state: &str) -> bool {
    let told: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
    told["board"] == board && told["state"] == state
}

/// Every request that billing has had, with whom it waits for.
fn requests(billing: &Billing) -> Value {
    billing.call("GET", "/api/v1/agent/requests", Value::Null).1
}

impl Panel {
    /// Starts its agent, and waits until that has reached billing or the broker.
    pub fn switch_on(&mut self) {
        self.daemon = Some(self.board.start());
        self.board.wait_until_reached();
    }

    /// `kill -9` of its agent; the board stays as it is.
    pub fn kill(&mut self) {
        self.daemon.take().expect("it runs").kill();
    }

    /// Its running agent.
    pub fn daemon(&mut self) -> &mut Process {
        self.daemon.as_mut().expect("it runs")
    }

    /// How many changes it has begun since it was made.
    pub fn changes_begun(&self) -> Value {
        self.board.run(&["status", "--json"]).json()["counters"]["begun"].clone()
    }
}
