//! A billing process, by its command line.

use std::process::{Command, Output};

use intercom_test_support::{Process, curl};
use serde_json::Value;

/// The program with these arguments.
pub(crate) fn billing(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intercom-billing"));
    command.args(arguments);
    command
}

/// What a program has said on both streams.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

pub(crate) struct Billing {
    pub(crate) process: Process,
    pub(crate) url: String,
}

impl Billing {
    /// On a database that others may share, or a file.
    pub(crate) fn start(database: &str, broker: &str) -> Self {
        let mut command = billing(&["serve", "--database", database, "--broker", broker]);
        command.args(["--listen", "127.0.0.1:0"]);
        let mut process = Process::start("intercom-billing", &mut command);
        let line = process.wait_for("serving on http");
        let url = line.split("serving on ").nth(1).expect("where").trim().to_owned();
        Billing { process, url }
    }

    /// Waits until it leads those that share its database.
    pub(crate) fn leads(&mut self) {
        let leads = "this process leads, epoch";
        if !self.process.said().iter().any(|line| line.contains(leads)) {
            self.process.wait_for(leads);
        }
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        curl(method, &format!("{}{path}", self.url), body.as_bytes())
    }
}
