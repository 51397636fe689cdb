//! rumqttd, built from `tests/brokers/rumqttd`.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use intercom_test_support::{Directory, free_port};

use super::node::Node;

pub(super) fn node() -> Node {
    let (port, dir) = (free_port(), Directory::new());
    let settings = format!(
        "id = 0\n\
         [router]\nid = 0\nmax_connections = 100\nmax_outgoing_packet_count = 200\n\
         max_segment_size = 1048576\nmax_segment_count = 10\n\
         [v4.1]\nname = \"v4-1\"\nlisten = \"127.0.0.1:{port}\"\nnext_connection_delay_ms = 1\n\
         [v4.1.connections]\nconnection_timeout_ms = 60000\nmax_payload_size = 1048576\n\
         max_inflight_count = 100\ndynamic_filters = true\n"
    );
    let config = dir.path().join("rumqttd.toml");
    fs::write(&config, settings).expect("written");
    let mut command = Command::new(program());
    command.arg(config);
    Node::new("rumqttd", port, dir, command, "Listening for remote connections")
}

/// In a directory beside that of this program's profile.
fn program() -> PathBuf {
    let mut target = env::current_exe().expect("this program");
    target.pop();
    target.with_file_name("rumqttd").join("debug/intercom-rumqttd")
}
