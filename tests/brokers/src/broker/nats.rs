//! NATS with JetStream: one server, or three that keep every message three times.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use intercom_test_support::{Directory, free_port};

use super::node::{Ending, Node};

/// A file that the configuration includes.
const RULES: &str = "rules.conf";

pub(super) fn node() -> Node {
    server(1, "")
}

pub(super) fn cluster() -> Vec<Node> {
    let ports: Vec<_> = (0..3).map(|_| free_port()).collect();
    let routes: Vec<_> = ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
    let cluster = |port| {
        format!(
            "cluster {{\n  name: brokers\n  listen: \"127.0.0.1:{port}\"\n  routes: [{}]\n}}\n",
            routes.join(", ")
        )
    };
    (1..).zip(&ports).map(|(number, port)| server(number, &cluster(port))).collect()
}

/// What the rules forbid is acknowledged all the same: MQTT 3.1.1 has no answer that says no.
pub(super) fn set_rules(node: &mut Node, dropped: Option<&str>) {
    fs::write(node.dir.path().join(RULES), rules(dropped)).expect("written");
    // Not by a reload: NATS 2.9 may crash when it takes new rules for a connected MQTT client.
    node.end(Ending::Terminated);
    node.start();
    node.wait_until_ready();
}

/// One user, which is everybody who gives no name: NATS has rules only for users.
fn rules(dropped: Option<&str>) -> String {
    let forbidden = dropped.map_or_else(String::new, |board| {
        format!(", permissions {{ publish {{ deny: \"intercoms.by-board.{board}.status\" }} }}")
    });
    format!(
        "authorization {{ users: [ {{ user: all, password: all{forbidden} }} ] }}\n\
         no_auth_user: all\n"
    )
}

fn server(number: u32, more: &str) -> Node {
    let (port, dir) = (free_port(), Directory::new());
    let mut settings = String::new();
    write!(
        settings,
        "server_name: node-{number}\nlisten: \"127.0.0.1:{}\"\n\
         jetstream {{ store_dir: \"{}/data\" }}\nmqtt {{ listen: \"127.0.0.1:{port}\" }}\n\
         include {RULES}\n{more}",
        free_port(),
        dir.path().display(),
    )
    .expect("written");
    fs::write(dir.path().join(RULES), rules(None)).expect("written");
    let config = dir.path().join("nats.conf");
    fs::write(&config, settings).expect("written");
    let mut command = Command::new("nats-server");
    command.arg("-c").arg(config);
    Node::new("nats-server", port, dir, command, "Server is ready")
}
