//! The brokers: how each one is started, ended, and started again with what it had kept or with an
//! older copy of it.

mod aedes;
mod mosquitto;
mod nats;
mod node;
mod rabbitmq;
mod rumqttd;

use std::fmt;
use std::str::FromStr;

use intercom_test_support::{Directory, Fate, Relay};
pub use node::Ending;
use node::Node;

use crate::outcome::Skipped;

/// The brokers that there is something to run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Eclipse mosquitto.
    Mosquitto,
    /// One NATS server with JetStream.
    Nats,
    /// Three of them, of which one may be away.
    NatsCluster,
    /// RabbitMQ with its MQTT plugin.
    RabbitMq,
    /// aedes, which keeps everything in memory here.
    Aedes,
    /// rumqttd, which keeps everything in memory.
    Rumqttd,
}

impl Kind {
    /// Each of them, in the order of the table.
    pub const ALL: [Kind; 6] = [
        Kind::Mosquitto,
        Kind::Nats,
        Kind::NatsCluster,
        Kind::RabbitMq,
        Kind::Aedes,
        Kind::Rumqttd,
    ];

    /// What the command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Mosquitto => "mosquitto",
            Kind::Nats => "nats",
            Kind::NatsCluster => "nats-cluster",
            Kind::RabbitMq => "rabbitmq",
            Kind::Aedes => "aedes",
            Kind::Rumqttd => "rumqttd",
        }
    }

    fn nodes(self) -> Vec<Node> {
        match self {
            Kind::Mosquitto => vec![mosquitto::node()],
            Kind::Nats => vec![nats::node()],
            Kind::NatsCluster => nats::cluster(),
            Kind::RabbitMq => vec![rabbitmq::node()],
            Kind::Aedes => vec![aedes::node()],
            Kind::Rumqttd => vec![rumqttd::node()],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Kind::ALL.into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}

/// A broker of the step's own, gone with the value.
pub struct Broker {
    kind: Kind,
    nodes: Vec<Node>,
    /// As a load balancer does: whoever connects gets to the first node that is there.
    front: Relay,
}

impl Broker {
    /// Started, with whoever comes let in and everything allowed.
    pub fn start(kind: Kind) -> Self {
        let nodes = kind.nodes();
        let addresses = nodes.iter().map(|node| ("127.0.0.1".to_owned(), node.port)).collect();
        let front = Relay::start_to(addresses, |_, _| Fate::Pass);
        let mut broker = Broker { kind, nodes, front };
        broker.start_again();
        broker
    }

    /// Where clients connect.
    pub fn address(&self) -> (String, u16) {
        ("127.0.0.1".to_owned(), self.front.port)
    }

    /// Where clients connect, as they are told.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.front.port)
    }

    /// Ends the node that the clients are connected to.
    pub fn end(&mut self, ending: Ending) {
        let node = self.nodes.iter_mut().find(|node| node.is_running());
        node.expect("it runs").end(ending);
    }

    /// Whether clients find a node, though one has ended.
    pub fn is_there(&self) -> bool {
        self.nodes.len() > 1 && self.nodes.iter().any(Node::is_running)
    }

    /// Starts what has ended, with the data that it left.
    pub fn start_again(&mut self) {
        let mut started: Vec<_> = self.nodes.iter_mut().filter(|node| !node.is_running()).collect();
        for node in &mut started {
            node.start();
        }
        for node in started {
            node.wait_until_ready();
        }
    }

    /// A copy of its data as they are now, taken while it is down for a moment.
    pub fn copy_data(&mut self) -> Result<Vec<Directory>, Skipped> {
        if matches!(self.kind, Kind::Aedes | Kind::Rumqttd) {
            return Err(Skipped("it keeps nothing on disk"));
        }
        for node in &mut self.nodes {
            node.end(Ending::Terminated);
        }
        let copies = self.nodes.iter().map(Node::copy_data).collect();
        self.start_again();
        Ok(copies)
    }

    /// The power fails, and the disk comes back with what it had when the copy was made.
    pub fn go_back_to(&mut self, copies: &[Directory]) {
        for node in &mut self.nodes {
            node.end(Ending::Killed);
        }
        for (node, copy) in self.nodes.iter().zip(copies) {
            node.put_back(copy);
        }
        self.start_again();
    }

    /// Acknowledges a panel's reports from now on, and drops them.
    pub fn drop_reports_of(&mut self, board: &str) -> Result<(), Skipped> {
        self.set_rules(Some(board))
    }

    /// Delivers all reports again.
    pub fn deliver_reports(&mut self) -> Result<(), Skipped> {
        self.set_rules(None)
    }

    fn set_rules(&mut self, dropped: Option<&str>) -> Result<(), Skipped> {
        let set = match self.kind {
            Kind::Mosquitto => mosquitto::set_rules,
            Kind::Nats | Kind::NatsCluster => nats::set_rules,
            Kind::Aedes => aedes::set_rules,
            Kind::RabbitMq => {
                return Err(Skipped("it ends the connection over a message that it forbids"));
            }
            Kind::Rumqttd => return Err(Skipped("it has no access rules")),
        };
        self.nodes.iter_mut().for_each(|node| set(node, dropped));
        Ok(())
    }
}
