//! A tinyproxy of the test's own.

use std::fs;
use std::process::Command;

use crate::{Directory, Process, free_port};

/// A tinyproxy, gone with the value.
pub struct Proxy {
    /// Where it listens.
    pub url: String,
    /// The running proxy, for what it logs.
    pub process: Process,
    _dir: Directory,
}

impl Proxy {
    /// On the loopback and any free port; `more` goes into its configuration.
    pub fn start(more: &str) -> Self {
        let port = free_port();
        let dir = Directory::new();
        let config = dir.path().join("tinyproxy.conf");
        let text =
            format!("Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nLogLevel Info\n{more}\n");
        fs::write(&config, text).expect("written");
        let mut process =
            Process::start("tinyproxy", Command::new("tinyproxy").arg("-d").arg("-c").arg(&config));
        process.wait_for("Accepting connections");
        Proxy { url: format!("http://127.0.0.1:{port}"), process, _dir: dir }
    }
}
