//! A broker with its shipped files, in a directory of a test's own.

use std::cell::Cell;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use intercom_test_support::Directory;

use crate::nats;
use crate::node::{Node, Ports};
use crate::shipped::{Kind, NATS_USERS, WATCHER, from_readme, read};

pub(crate) struct Broker {
    kind: Kind,
    /// Before the directory: they end before their files are gone.
    nodes: Vec<Node>,
    next: Cell<usize>,
    /// Where the first node has its files, and `enrol` writes.
    pub(crate) dir: Directory,
}

/// The settings of mosquitto for a listener of its own at this port.
fn mosquitto(settings: &str, listener: &str, port: u16, dir: &Path) -> String {
    let settings = settings
        .replace(listener, &format!("listener {port} {}", Ipv4Addr::LOCALHOST))
        .replace("/etc/mosquitto", &dir.display().to_string());
    // As the user who starts it: another one could not read this directory.
    format!("{settings}\nuser root\npersistence false\nlog_type all\n")
}

impl Broker {
    /// Users with passwords, which are in the directory already, over plain connections.
    pub(crate) fn start(kind: Kind, dir: Directory) -> Self {
        match kind {
            Kind::Mosquitto => {
                let settings = read(kind, "mosquitto.conf");
                let (before, panels) = settings.split_once("# The panels.").expect("a part");
                let rest = panels.split_once("# Nobody without").expect("a part").1;
                let settings = format!("{before}# Nobody without{rest}");
                Self::start_mosquitto(&settings, "listener 1883 127.0.0.1", dir)
            }
            Kind::Nats | Kind::NatsCluster => {
                let settings = read(kind, "nats.conf");
                let (before, tls) = settings.split_once("  tls {").expect("a part");
                let rest = tls.split_once("  }\n").expect("a part").1;
                Self::start_nats(kind, &format!("{before}{rest}"), dir)
            }
        }
    }

    /// Users with certificates over TLS. The server's own certificate is `certs/server`, and
    /// `certs/panels.pem` the authority of the users'.
    pub(crate) fn start_with_certificates(kind: Kind, dir: Directory) -> Self {
        match kind {
            Kind::Mosquitto => {
                let common = read(kind, "mosquitto.conf");
                let common = common.split_once("# Nobody without").expect("a part").1;
                let common = format!("# Nobody without{common}");
                let settings = format!("{}\n{common}", read(kind, "certificates.conf"));
                Self::start_mosquitto(&settings, "listener 8884", dir)
            }
            Kind::Nats | Kind::NatsCluster => {
                let lines = from_readme(
                    "    ca_file: \"/etc/nats/certs/panels.pem\"\n    verify_and_map: true\n",
                );
                let settings = read(kind, "nats.conf");
                let settings = settings.replacen("  tls {\n", &format!("  tls {{\n{lines}"), 1);
                Self::start_nats(kind, &settings, dir)
            }
        }
    }

    fn start_mosquitto(settings: &str, listener: &str, dir: Directory) -> Self {
        let kind = Kind::Mosquitto;
        // The shipped rules, and the watcher's.
        let rules = format!("{}\nuser {WATCHER}\ntopic readwrite #\n", read(kind, "intercoms.acl"));
        fs::write(dir.path().join("intercoms.acl"), rules).expect("written");
        let ports = Ports::new();
        let settings = mosquitto(settings, listener, ports.mqtt, dir.path());
        let node = Node::new("mosquitto", ports, dir.path().to_owned(), &settings);
        Self::start_nodes(kind, vec![node], dir)
    }

    fn start_nats(kind: Kind, settings: &str, dir: Directory) -> Self {
        let nodes = match kind {
            Kind::NatsCluster => nats::cluster(settings, dir.path()),
            Kind::Mosquitto | Kind::Nats => {
                vec![nats::node(settings, Ports::new(), dir.path())]
            }
        };
        Self::start_nodes(kind, nodes, dir)
    }

    fn start_nodes(kind: Kind, nodes: Vec<Node>, dir: Directory) -> Self {
        let mut broker = Broker { kind, nodes, next: Cell::new(0), dir };
        broker.nodes.iter_mut().for_each(Node::start);
        let says = match kind {
            Kind::Mosquitto => " running",
            Kind::Nats | Kind::NatsCluster => "Server is ready",
        };
        broker.nodes.iter_mut().for_each(|node| drop(node.process().wait_for(says)));
        if kind == Kind::NatsCluster {
            // Clients can come when each of them knows who leads.
            broker.nodes.iter().for_each(Node::assert_healthy);
        }
        broker
    }

    /// Where MQTT is spoken without TLS, or with it where the users have certificates. Of several nodes
    /// it is each in turn.
    pub(crate) fn port(&self) -> u16 {
        let next = self.next.get();
        self.next.set((next + 1) % self.nodes.len());
        self.nodes[next].ports.mqtt
    }

    /// Each node, the first one first.
    pub(crate) fn nodes(&mut self) -> &mut [Node] {
        &mut self.nodes
    }

    /// As `systemctl reload` does it, with the users of the first node on the others.
    pub(crate) fn reload(&mut self) {
        let says = match self.kind {
            Kind::Mosquitto => "Reloading config",
            Kind::Nats | Kind::NatsCluster => "Reloaded server configuration",
        };
        let [first, others @ ..] = &mut self.nodes[..] else { return };
        for node in others.iter() {
            let copied = fs::copy(first.dir.join(NATS_USERS), node.dir.join(NATS_USERS));
            copied.expect("copied");
        }
        for node in [first].into_iter().chain(others) {
            node.process().hang_up();
            node.process().wait_for(says);
        }
    }
}
