//! mosquitto, which keeps sessions and retained messages in one file.

use std::fs;
use std::process::Command;

use intercom_test_support::{Directory, free_port};

use super::node::Node;

const ANYTHING: &str = "topic readwrite #\n";

pub(super) fn node() -> Node {
    let (port, dir) = (free_port(), Directory::new());
    let at = dir.path().display().to_string();
    // Root: another user could not read this directory.
    let settings = format!(
        "listener {port} 127.0.0.1\nuser root\nallow_anonymous true\nacl_file {at}/rules\n\
         persistence true\npersistence_location {at}/data/\nautosave_interval 1\n"
    );
    let config = dir.path().join("mosquitto.conf");
    fs::write(&config, settings).expect("written");
    fs::write(dir.path().join("rules"), ANYTHING).expect("written");
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(config);
    Node::new("mosquitto", port, dir, command, " running")
}

/// What the rules forbid is acknowledged all the same: MQTT 3.1.1 has no answer that says no.
pub(super) fn set_rules(node: &mut Node, dropped: Option<&str>) {
    let mut rules = ANYTHING.to_owned();
    if let Some(board) = dropped {
        rules += &format!("topic deny intercoms/by-board/{board}/status\n");
    }
    fs::write(node.dir.path().join("rules"), rules).expect("written");
    node.reload("Reloading config");
}
