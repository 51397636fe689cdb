//! RabbitMQ with its MQTT plugin, as Debian has it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use intercom_test_support::{Directory, Process, free_port};

use super::node::Node;

/// The one version that the package brings.
const VERSIONS: &str = "/usr/lib/rabbitmq/lib";

pub(super) fn node() -> Node {
    let (port, dir) = (free_port(), Directory::new());
    let at = |name: &str| dir.path().join(name);
    fs::write(at("enabled_plugins"), "[rabbitmq_mqtt].\n").expect("written");
    fs::write(
        at("rabbitmq.conf"),
        format!(
            "listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{port}\nlog.console = true\n\
             log.console.level = info\n"
        ),
    )
    .expect("written");
    // Otherwise it starts one that stays when everything is over.
    let names = free_port().to_string();
    let helper = Process::start(
        "epmd",
        Command::new("epmd").args(["-port", &names, "-address", "127.0.0.1"]),
    );
    let mut command = Command::new(server());
    command
        .env("HOME", dir.path())
        // Without this a shell is between it and whoever kills it.
        .env("RUNNING_UNDER_SYSTEMD", "true")
        .env("ERL_EPMD_PORT", names)
        .env("RABBITMQ_NODENAME", format!("rabbit-{port}@localhost"))
        .env("RABBITMQ_DIST_PORT", free_port().to_string())
        .env("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("enabled_plugins"))
        .env("RABBITMQ_MNESIA_BASE", at("data"))
        .env("RABBITMQ_LOG_BASE", at("log"))
        .env("RABBITMQ_PID_FILE", at("pid"))
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}");
    Node::new("rabbitmq", port, dir, command, "Server startup complete").with_helper(helper)
}

fn server() -> PathBuf {
    let mut versions = fs::read_dir(VERSIONS).expect("rabbitmq-server is installed");
    let version = versions.next().expect("a version").expect("readable");
    version.path().join("sbin/rabbitmq-server")
}
