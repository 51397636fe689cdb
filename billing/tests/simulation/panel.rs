//! A panel: the shipped agent on its hardware, and its connections to what is upstream.
//!
//! The agent's own MQTT and HTTP clients need sockets. What they promise is here in a few lines: a new
//! nonce for each connection, an answer to every question who is there, a request that does not name
//! the nonce passed on as an old one.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use intercom_agent::agent::seams::{ConnectIdentity, Connection};
use intercom_agent::agent::{Agent, Restorer, Rules, restore};
use intercom_agent::environment::Policy;
use intercom_agent::record::Route;
use intercom_wire::{BoardName, Mac, Nonce, Presence, PresenceState, RequestId};

use super::broker::LinkId;
use super::hardware::{Hardware, Simulated};

pub const MODEL: &str = "M-1";

/// A panel on a wall, on a workbench or in a bag.
pub struct Panel {
    pub name: BoardName,
    pub rules: Rules,
    pub hardware: Rc<RefCell<Hardware>>,
    pub agent: Option<Agent<Simulated>>,
    /// Tells one run of the agent from those before it.
    pub life: u32,
    /// Its network cable is in.
    pub is_plugged: bool,
    /// A call goes on: the hooks say "not now".
    pub is_busy: bool,
    pub connect_as: Option<ConnectIdentity>,
    pub connection: Connection,
    pub mqtt: MqttLine,
    pub http: HttpLine,
    /// The MAC addresses that it was given by hand. Billing need not follow: they may be taken.
    pub by_hand: BTreeSet<Mac>,
    /// The MAC address that it took last by a request of billing's.
    pub took: Option<Took>,
    /// The requests of which it has reported that it tries them again by itself, and how often it has.
    pub own_tries: BTreeMap<RequestId, u32>,
}

/// A MAC address that a board has taken.
#[derive(Debug)]
pub struct Took {
    pub mac: Mac,
    /// Another board that had it, and was there for long enough for everybody to know.
    pub from: Option<BoardName>,
}

/// Its side of the broker.
#[derive(Debug, Default)]
pub struct MqttLine {
    pub link: Option<LinkId>,
    /// Since when.
    pub since: u64,
    /// The nonces of this connection, the last one last.
    pub nonces: Vec<Nonce>,
    /// The presence with the last nonce is to come back.
    pub waits_for_echo: bool,
    /// It has come back once.
    pub is_reached: bool,
    pub announces_at: Option<u64>,
    /// The longest delay of the next announcement.
    pub announce_delay: u64,
    /// When the last message that it published arrives.
    pub arrives: u64,
    pub attempts: u32,
    /// The requests that it was told are over, since they were offered on this connection.
    pub over: BTreeSet<RequestId>,
    /// For each that is over, the nonces of before: it counts with a later one alone.
    pub spent: BTreeMap<RequestId, Vec<Nonce>>,
    /// One has come with such a nonce: the next announcement has a new one.
    pub wants_nonce: bool,
}

/// Its side of the HTTP service.
#[derive(Debug, Default)]
pub struct HttpLine {
    /// Of this run of the agent.
    pub nonce: Option<Nonce>,
    pub is_reached: bool,
    /// What the last poll has brought.
    pub listed: BTreeSet<RequestId>,
}

impl Panel {
    pub fn new(name: &str, hardware: Hardware, routes: &[Route], id: Option<i64>) -> Self {
        Panel {
            name: name.parse().expect("a name"),
            rules: Rules {
                interface: "eth0".into(),
                configured_id: id,
                models: vec![MODEL.into()],
                require_signature: false,
                confirm_within: Duration::from_secs(180),
                settle: Duration::from_secs(5),
                changes_per_hour: 50,
                routes: routes.to_vec(),
                tells_billing: false,
                environment: Policy::Never,
                mac_variable: None,
                serial_number_variable: None,
            },
            hardware: Rc::new(RefCell::new(hardware)),
            agent: None,
            life: 0,
            is_plugged: true,
            is_busy: false,
            connect_as: None,
            connection: Connection::default(),
            mqtt: MqttLine::default(),
            http: HttpLine::default(),
            by_hand: BTreeSet::new(),
            took: None,
            own_tries: BTreeMap::new(),
        }
    }

    /// Boots: `restore` before the network is up, and the daemon after it.
    pub fn boot(&mut self, nonce: Nonce) {
        self.hardware.borrow_mut().power_on();
        self.life += 1;
        self.own_tries.clear();
        self.mqtt = MqttLine::default();
        self.http = HttpLine { nonce: Some(nonce), ..HttpLine::default() };
        for restorer in [Restorer::Boot, Restorer::Daemon] {
            let reading = self.hardware.borrow().reading(&self.name);
            let mut seams = Simulated::on(&self.hardware);
            let restored = restore(&mut seams, &self.rules, restorer, reading);
            let restored = restored.expect("a board with a MAC address");
            if restorer == Restorer::Daemon {
                self.agent = Some(Agent::start(seams, self.rules.clone(), restored));
            }
        }
    }

    pub fn has(&self, route: Route) -> bool {
        self.rules.routes.contains(&route)
    }

    pub fn link_mac(&self) -> Mac {
        self.hardware.borrow().link_mac
    }

    pub fn is_on(&self) -> bool {
        self.agent.is_some()
    }

    pub fn is_on_line(&self) -> bool {
        self.is_on() && self.is_plugged
    }

    /// What it says of itself on this connection, as the agent's MQTT route has it.
    pub fn presence(&self) -> Option<Presence> {
        let connect_as = self.connect_as.as_ref()?;
        let changing = connect_as.changing_from.is_some();
        let claims = !changing && connect_as.has_mac;
        Some(Presence {
            mac: claims.then_some(connect_as.identity.mac),
            serial_number: connect_as.identity.serial_number.clone().filter(|_| claims),
            model: connect_as.model.clone().filter(|_| !changing),
            nonce: self.mqtt.nonces.last().cloned(),
            changing,
            new_record: connect_as.new_record,
            ..Presence::of(self.name.clone(), PresenceState::Online)
        })
    }

    /// When its agent wants to be woken, in milliseconds since the beginning.
    pub fn due(&self) -> Option<u64> {
        let due = self.agent.as_ref()?.next_tick()?;
        Some(self.hardware.borrow().booted + due.as_millis())
    }
}
