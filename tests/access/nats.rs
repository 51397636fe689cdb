//! A NATS server that lets everybody do everything. `billing/nats` ships none.

use std::fs;
use std::process::Command;

use intercom_test_support::{Directory, Process, free_port};

pub struct Nats {
    port: u16,
    _process: Process,
    _dir: Directory,
}

impl Nats {
    pub fn start() -> Self {
        let (port, dir) = (free_port(), Directory::new());
        let settings = format!(
            "server_name: open\nlisten: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{}\" }}\n\
             mqtt {{ listen: \"127.0.0.1:{port}\" }}\n",
            free_port(),
            dir.path().join("data").display()
        );
        let file = dir.path().join("nats.conf");
        fs::write(&file, settings).expect("written");
        // Debian has it where only root's PATH leads.
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").expect("a PATH"));
        let mut command = Command::new("nats-server");
        let mut process =
            Process::start("nats-server", command.arg("-c").arg(file).env("PATH", path));
        process.wait_for("Server is ready");
        Nats { port, _process: process, _dir: dir }
    }

    /// Where it speaks MQTT.
    pub fn address(&self) -> (String, u16) {
        ("127.0.0.1".to_owned(), self.port)
    }
}
