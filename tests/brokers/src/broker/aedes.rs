//! aedes, a broker for Node.js.

use std::fs;
use std::path::Path;
use std::process::Command;

use intercom_test_support::{Directory, free_port};

use super::node::Node;

/// The name of the board whose reports are dropped is in it.
const DROPPED: &str = "dropped";

pub(super) fn node() -> Node {
    let (port, dir) = (free_port(), Directory::new());
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("aedes/server.js");
    fs::write(dir.path().join(DROPPED), "").expect("written");
    let mut command = Command::new("node");
    command.arg(server).arg(port.to_string()).arg(dir.path().join(DROPPED));
    Node::new("aedes", port, dir, command, "listening")
}

pub(super) fn set_rules(node: &mut Node, dropped: Option<&str>) {
    fs::write(node.dir.path().join(DROPPED), dropped.unwrap_or_default()).expect("written");
}
