//! Three nodes of NATS: one of them may be away, and nobody else becomes one.

use std::fs;

use intercom_test_support::certificates::{Authority, NOW};
use intercom_test_support::{
    Billing, Board, Directory, Fate, MODEL, NEW, OLD, OTHER, Process, Relay,
};
use serde_json::json;

use crate::broker::Broker;
use crate::client::Client;
use crate::node::{Node, Ports};
use crate::panels::panel;
use crate::shipped::{Kind, NATS_USERS, password};

/// Has the panel that carries `from` take `to`, and waits for its report.
fn replace(billing: &Billing, board: &Board, daemon: &mut Process, [from, to]: [&str; 2]) {
    let (status, shown) = billing.patch(json!({
        "mac": from, "new_mac": to, "new_serial_number": "NEW-1", "model": MODEL,
        "group_external_id": "house-1",
    }));
    assert_eq!(status, 200, "{shown}");
    daemon.wait_for("the report has arrived over MQTT");
    assert_eq!(board.mac(), to);
    assert_eq!(billing.show(to).1["status"], "installed");
}

#[test]
fn a_change_goes_on_while_the_panels_node_is_away_and_a_node_without_its_disk_serves_again() {
    let dir = Directory::new();
    let [panels, billings] =
        ["gate-1", "billing"].map(|user| password(Kind::Nats, user, dir.path()));
    let mut broker = Broker::start(Kind::NatsCluster, dir);
    let ports = [0, 1, 2].map(|number| broker.nodes()[number].ports.mqtt);
    // A node that has had a client lets the next one in sooner.
    for port in ports {
        Client::connect(port, "first", Some(("billing", &billings))).expect("a user");
    }
    let url = format!("mqtt://billing:{billings}@127.0.0.1:{}", ports[2]);
    let billing = Billing::start_at(&url).connected();
    billing.create_old();
    // A name with the addresses of the other two nodes.
    let nodes = [ports[0], ports[1]].map(|port| ("127.0.0.1".to_owned(), port));
    let relay = Relay::start_to(nodes.to_vec(), |_, _| Fate::Pass);
    let board = panel(&format!("mqtt://127.0.0.1:{}", relay.port), &panels);
    let mut daemon = board.start();
    board.wait_until_reached();

    broker.nodes()[0].kill();
    replace(&billing, &board, &mut daemon, [OLD, NEW]);

    let back = &mut broker.nodes()[0];
    fs::remove_dir_all(back.dir.join("jetstream")).expect("removed");
    back.start();
    back.process().wait_for("Server is ready");
    back.assert_healthy();
    Client::connect(ports[0], "first", Some(("billing", &billings))).expect("a user");
    broker.nodes()[1].kill();
    replace(&billing, &board, &mut daemon, [NEW, OTHER]);
}

/// It would hear everything and might publish everything.
#[test]
fn nobody_becomes_a_node_without_a_certificate_of_the_nodes() {
    let dir = Directory::new();
    password(Kind::Nats, "billing", dir.path());
    let mut broker = Broker::start(Kind::NatsCluster, dir);
    let [known, other, _] = broker.nodes() else { panic!("three nodes") };
    let mut stranger = stranger(known);
    stranger.start();
    known.process().wait_for("TLS route handshake error");
    let routes = known.state("routez")["routes"].to_string();
    let has = |node: &Node| routes.contains(node.state("varz")["server_id"].as_str().expect("ID"));
    assert!(has(other), "{routes}");
    assert!(!has(&stranger), "{routes}");
}

/// Has the settings of this node, and trusts it, but has a certificate of another authority of that
/// name.
fn stranger(known: &Node) -> Node {
    let (dir, ports) = (known.dir.join("stranger"), Ports::new());
    fs::create_dir_all(dir.join("certs")).expect("a directory");
    fs::copy(known.dir.join(NATS_USERS), dir.join(NATS_USERS)).expect("copied");
    Authority::new("nodes").issue("localhost", NOW, &dir.join("certs/node"));
    fs::copy(known.dir.join("certs/nodes.pem"), dir.join("certs/nodes.pem")).expect("copied");
    let own = |file: &str| {
        let text = fs::read_to_string(known.dir.join(file)).expect("text");
        let at = |port: u16| format!("127.0.0.1:{port}");
        text.replace(&known.dir.display().to_string(), &dir.display().to_string())
            .replace("server_name: node-1", "server_name: stranger")
            .replace(&at(known.ports.mqtt), &at(ports.mqtt))
            .replace(&at(known.ports.native), &at(ports.native))
            .replace(&at(known.ports.monitoring), &at(ports.monitoring))
            .replace(&at(known.ports.routes), &at(ports.routes))
    };
    fs::write(dir.join("cluster.conf"), own("cluster.conf")).expect("written");
    let settings = own("broker.conf");
    Node::new("nats-server", ports, dir, &settings)
}
