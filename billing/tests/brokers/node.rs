//! One server process of a broker, with its files.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use intercom_test_support::{Process, curl_with, free_port};
use serde_json::Value;

/// Where a node listens.
pub(crate) struct Ports {
    pub(crate) mqtt: u16,
    /// NATS's own protocol.
    pub(crate) native: u16,
    /// NATS's state, over HTTP.
    pub(crate) monitoring: u16,
    /// What nodes of NATS say to each other.
    pub(crate) routes: u16,
}

impl Ports {
    pub(crate) fn new() -> Self {
        let [mqtt, native, monitoring, routes] = std::array::from_fn(|_| free_port());
        Ports { mqtt, native, monitoring, routes }
    }
}

pub(crate) struct Node {
    pub(crate) ports: Ports,
    /// Its files.
    pub(crate) dir: PathBuf,
    program: &'static str,
    process: Option<Process>,
}

impl Node {
    /// It does not run yet.
    pub(crate) fn new(program: &'static str, ports: Ports, dir: PathBuf, settings: &str) -> Self {
        fs::write(dir.join("broker.conf"), settings).expect("written");
        Node { ports, dir, program, process: None }
    }

    pub(crate) fn start(&mut self) {
        // Debian has them where only root's PATH leads.
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").expect("a PATH"));
        let mut command = Command::new(self.program);
        command.arg("-c").arg(self.dir.join("broker.conf")).env("PATH", path);
        self.process = Some(Process::start(self.program, &mut command));
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("it runs")
    }

    /// A node of NATS that knows who leads, and has what the others have. It is asked until it says so.
    pub(crate) fn assert_healthy(&self) {
        assert_eq!(self.state("healthz")["status"], "ok");
    }

    /// A part of NATS's state. Asked for again where NATS says that it is not well.
    pub(crate) fn state(&self, part: &str) -> Value {
        let url = format!("http://127.0.0.1:{}/{part}", self.ports.monitoring);
        let (status, state) =
            curl_with(&["--fail", "--retry", "60", "--retry-delay", "1"], "GET", &url, b"");
        assert_eq!(status, 200, "{part}");
        state
    }

    pub(crate) fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }
}
