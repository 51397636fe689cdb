//! A board with the agent on it: sandboxed in a directory, or on the kernel's own link.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use serde_json::Value;

use crate::{Directory, FACTORY_SERIAL, LIMIT, MODEL, Process, Strace, built};

/// A panel, gone with the value.
pub struct Board {
    dir: Directory,
    sandboxed: bool,
}

/// How a command ended.
#[derive(Debug)]
pub struct Answer {
    /// The exit code.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Answer {
    /// Its standard output, which is JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }
}

impl Board {
    /// A board that is nothing but files.
    pub fn sandboxed(name: &str, mac: &str) -> Self {
        let board = Board { dir: Directory::new(), sandboxed: true };
        board.write("sys/class/net/eth0/address", format!("{}\n", mac.to_lowercase()));
        board.first_files(name);
        board
    }

    /// A board whose link is the kernel's `eth0`; for a test in a namespace.
    pub fn on_the_kernels_link(name: &str) -> Self {
        let board = Board { dir: Directory::new(), sandboxed: false };
        board.first_files(name);
        board
    }

    fn first_files(&self, name: &str) {
        self.write("etc/serial", format!("{FACTORY_SERIAL}\n"));
        let prefix = if self.sandboxed { "".into() } else { self.dir.path().display().to_string() };
        self.write(
            "etc/intercom-agent.toml",
            format!(
                "board_name = \"{name}\"\nmodels = [\"{MODEL}\"]\nsettle = 1\nconfirm_within = 60\n\
                 environment = \"never\"\nstate_dir = \"{prefix}/state\"\nruntime_dir = \"{prefix}/run\"\n\
                 hooks_dir = \"{prefix}/hooks\"\n\
                 [serial_number]\nsources = [\"file:{prefix}/etc/serial\"]\n"
            ),
        );
        fs::create_dir_all(self.path("state")).expect("a directory");
    }

    /// Adds to the configuration.
    pub fn configure(&self, text: &str) {
        let file = "etc/intercom-agent.toml";
        let before = self.read(file);
        self.write(file, format!("{before}{text}\n"));
    }

    /// With an upstream: the broker at this URL.
    pub fn with_mqtt(self, url: &str) -> Self {
        self.configure(&format!("[mqtt]\nurl = \"{url}\""));
        self
    }

    /// With an upstream: a broker at these URLs.
    pub fn with_brokers(self, urls: &[String]) -> Self {
        self.configure(&format!("[mqtt]\nurl = {urls:?}"));
        self
    }

    /// With an upstream: the service at this URL, asked every second.
    pub fn with_polling(self, url: &str) -> Self {
        self.configure(&format!("[http]\nurl = \"{url}\"\npoll_every = 1"));
        self
    }

    /// Where the board's file or directory of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file of the board; its directory is made.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let file = self.path(name);
        fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
        fs::write(file, text).expect("written");
    }

    /// What is in a file of the board.
    pub fn read(&self, name: &str) -> String {
        let file = self.path(name);
        fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
    }

    /// The agent on this board.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(built::agent());
        command.args(arguments).env_remove("JOURNAL_STREAM");
        match self.sandboxed {
            true => command.arg("--root").arg(self.dir.path()),
            false => command.arg("--config").arg(self.path("etc/intercom-agent.toml")),
        };
        command
    }

    /// Starts the daemon.
    pub fn start(&self) -> Process {
        self.start_with(&[])
    }

    /// Starts the daemon with these environment variables.
    pub fn start_with(&self, variables: &[(&str, &str)]) -> Process {
        let mut command = self.command(&["run"]);
        command.envs(variables.iter().copied());
        let mut daemon = Process::start("intercom-agent", &mut command);
        daemon.wait_for("board ");
        daemon
    }

    /// Starts the daemon and does not wait for anything.
    pub fn start_at_once(&self) -> Process {
        Process::start("intercom-agent", &mut self.command(&["run"]))
    }

    /// Starts the daemon with a fault ahead of it.
    pub fn start_under(&self, strace: &Strace) -> Process {
        Process::start("intercom-agent", &mut strace.over(&self.command(&["run"])))
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        self.run_with(arguments, b"")
    }

    /// The same, with something on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Answer {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the agent");
        // It need not read to the end.
        let _ = child.stdin.take().expect("piped").write_all(input);
        let output = child.wait_with_output().expect("the agent ends");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Answer {
            code: output.status.code().expect("no signal"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Waits until the daemon has reached upstream.
    pub fn wait_until_reached(&self) {
        let end = Instant::now() + LIMIT;
        // Before the daemon listens, there is no status of it.
        let reached = |status: Answer| {
            status.code == 0 && status.json()["reached"].as_array().is_some_and(|r| !r.is_empty())
        };
        while !reached(self.run(&["status", "--json"])) {
            assert!(Instant::now() < end, "upstream is not reached");
        }
    }

    /// The MAC of a sandboxed board's link.
    pub fn mac(&self) -> String {
        self.read("sys/class/net/eth0/address").trim().to_uppercase()
    }

    /// What the agent tells other programs that the board is.
    pub fn runtime_identity(&self) -> Value {
        serde_json::from_str(&self.read("run/identity.json")).expect("JSON")
    }

    /// Every file of a sandboxed board but the record and the count of the daemon's runs, with when it
    /// was last written.
    pub fn files(&self) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let mut files = BTreeMap::new();
        for part in ["sys", "etc", "run"] {
            if self.path(part).exists() {
                collect(&self.path(part), &mut files);
            }
        }
        files.remove(&self.path("run/runs.json"));
        files
    }
}

fn collect(dir: &Path, files: &mut BTreeMap<PathBuf, (Vec<u8>, SystemTime)>) {
    for entry in fs::read_dir(dir).expect("readable") {
        let entry = entry.expect("readable");
        let kind = entry.file_type().expect("readable");
        if kind.is_dir() {
            collect(&entry.path(), files);
        } else if kind.is_file() {
            let written = entry.metadata().expect("readable").modified().expect("a time");
            files.insert(entry.path(), (fs::read(entry.path()).expect("readable"), written));
        }
    }
}
