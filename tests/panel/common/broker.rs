//! A mosquitto of the test's own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use super::{Directory, Process};

pub struct Broker {
    address: Ipv4Addr,
    port: u16,
    _process: Process,
    _dir: Directory,
}

impl Broker {
    /// On the loopback and any free port.
    pub fn start() -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr();
        Self::start_with(
            Command::new("mosquitto"),
            Ipv4Addr::LOCALHOST,
            port.expect("a port").port(),
        )
    }

    /// At `address` in another network namespace.
    pub fn start_in(namespace: &str, address: Ipv4Addr) -> Self {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, "mosquitto"]);
        Self::start_with(command, address, 1883)
    }

    fn start_with(mut command: Command, address: Ipv4Addr, port: u16) -> Self {
        let dir = Directory::new();
        let config = dir.path().join("mosquitto.conf");
        // As the user who starts it: another one could not read this directory.
        let text = format!(
            "listener {port} {address}\nallow_anonymous true\nuser root\npersistence false\n"
        );
        fs::write(&config, text).expect("written");
        // Debian has it where only root's PATH leads.
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").expect("a PATH"));
        let mut process =
            Process::start("mosquitto", command.arg("-c").arg(&config).env("PATH", path));
        process.wait_for(" running");
        Broker { address, port, _process: process, _dir: dir }
    }

    pub fn address(&self) -> (String, u16) {
        (self.address.to_string(), self.port)
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}:{}", self.address, self.port)
    }
}
