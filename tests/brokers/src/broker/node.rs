//! One server process of a broker, with its files.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use intercom_test_support::{Directory, Process};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is asked to.
    Terminated,
    /// `kill -9`.
    Killed,
}

/// A server.
pub struct Node {
    /// Where it speaks MQTT.
    pub port: u16,
    /// Its configuration and, in `data`, what it keeps.
    pub dir: Directory,
    pub(super) name: &'static str,
    pub(super) command: Command,
    /// It prints this when clients can come.
    pub(super) ready: &'static str,
    process: Option<Process>,
    /// Runs as long as the node is there, whether the server runs or not.
    _helper: Option<Process>,
}

impl Node {
    pub(super) fn new(
        name: &'static str,
        port: u16,
        dir: Directory,
        command: Command,
        ready: &'static str,
    ) -> Self {
        fs::create_dir_all(dir.path().join("data")).expect("a directory");
        Node { port, dir, name, command, ready, process: None, _helper: None }
    }

    pub(super) fn with_helper(self, helper: Process) -> Self {
        Node { _helper: Some(helper), ..self }
    }

    pub(super) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    pub(super) fn start(&mut self) {
        self.process = Some(Process::start(self.name, &mut self.command));
    }

    pub(super) fn wait_until_ready(&mut self) {
        self.process.as_mut().expect("it runs").wait_for(self.ready);
    }

    pub(super) fn end(&mut self, ending: Ending) {
        let Some(process) = self.process.take() else { return };
        match ending {
            // Not all end with 0.
            Ending::Terminated => drop(process.terminate()),
            Ending::Killed => process.kill(),
        }
    }

    /// Has it read its rules again, and waits until it says that it did.
    pub(super) fn reload(&mut self, says: &str) {
        let process = self.process.as_mut().expect("it runs");
        kill(Pid::from_raw(process.id().cast_signed()), Signal::SIGHUP).expect("it runs");
        process.wait_for(says);
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(super) fn copy_data(&self) -> Directory {
        let copy = Directory::new();
        copy_files(self.data(), copy.path().join("data"));
        copy
    }

    pub(super) fn put_back(&self, copy: &Directory) {
        fs::remove_dir_all(self.data()).expect("removed");
        copy_files(copy.path().join("data"), self.data());
    }
}

fn copy_files(from: PathBuf, to: PathBuf) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.expect("cp runs").success(), "the data cannot be copied");
}
