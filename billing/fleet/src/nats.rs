//! Three nodes of NATS as one broker, each a process of its own.

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use intercom_test_support::{Process, free_port};

/// The running nodes.
pub(super) struct Nats {
    nodes: Vec<Node>,
}

struct Node {
    config: PathBuf,
    mqtt: SocketAddr,
    process: Option<Process>,
}

impl Nats {
    /// Starts three nodes, which keep every message three times, in `dir`; returns when they have found
    /// each other.
    pub(super) fn start(dir: &Path) -> Result<Self> {
        let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
        let routes: Vec<String> =
            ports.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let mut nodes = Vec::new();
        for (number, port) in ports.iter().enumerate() {
            let mqtt = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
            let mut text = String::new();
            write!(
                text,
                "server_name: node-{number}\nlisten: \"127.0.0.1:{}\"\n\
                 jetstream {{ store_dir: \"{}/node-{number}\" }}\nmqtt {{ listen: \"{mqtt}\" }}\n\
                 cluster {{ name: intercoms, listen: \"127.0.0.1:{port}\", routes: [{}] }}\n",
                free_port(),
                dir.display(),
                routes.join(", ")
            )?;
            let config = dir.join(format!("node-{number}.conf"));
            fs::write(&config, text)?;
            let mut process = start(&config);
            // Of two nodes that dial each other in the same moment, NATS 2.9 sometimes ends both routes, and
            // one stays alone.
            process.wait_for("Listening for route connections");
            nodes.push(Node { process: Some(process), config, mqtt });
        }
        for node in &mut nodes {
            // The nodes begin to wait for each other, so that none is ready before all are there.
            if let Some(process) = &mut node.process {
                process.wait_for("metadata leader");
            }
        }
        Ok(Nats { nodes })
    }

    /// Where each node takes MQTT.
    pub(super) fn mqtt(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.mqtt).collect()
    }

    /// The process of each node that runs.
    pub(super) fn processes(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().filter_map(|node| node.process.as_ref()).map(Process::id)
    }

    /// Kills one of them.
    pub(super) fn kill(&mut self, number: usize) -> Result<()> {
        self.nodes[number].process.take().context("it runs")?.kill();
        Ok(())
    }

    /// Starts it again, with what it has kept.
    pub(super) fn start_again(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.process = Some(start(&node.config));
    }
}

fn start(config: &Path) -> Process {
    // Debian has it where only root's PATH leads.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("nats-server");
    Process::start("nats-server", command.arg("-c").arg(config).env("PATH", path))
}
