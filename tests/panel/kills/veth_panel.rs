//! A panel whose link is the kernel's, with a redundant U-Boot environment, on a broker across the
//! cable; and a request for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use intercom_test_support::{
    Board, Broker, Directory, FACTORY_SERIAL, Fault, LAN, MODEL, Process, Strace, Watcher, ip,
    kernels_mac, lan,
};
use serde_json::{Value, json};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// More than any test here needs.
pub const CHANGES_PER_HOUR: usize = 100;
const ENVIRONMENT_SIZE: &str = "0x4000";

/// What ends between the agent's end and its next start.
#[derive(Clone, Copy)]
pub enum Restart {
    /// The daemon alone: init starts it again.
    Daemon,
    /// The whole board: the link has its first MAC again, and whatever was in memory is gone.
    Board,
}

/// The cable, the broker and whoever watches; in a namespace of the test's own.
pub struct Site {
    broker: Broker,
    watcher: Watcher,
    panels: u16,
    machine: Machine,
}

impl Site {
    pub fn new() -> Self {
        lan();
        let broker = Broker::start_in("lan", LAN);
        let watcher = Watcher::new(&broker);
        Site { broker, watcher, panels: 0, machine: Machine::new() }
    }

    /// The next panel on that cable.
    pub fn next_panel(&mut self) -> Panel<'_> {
        self.panels += 1;
        let number = self.panels;
        let [high, low] = number.to_be_bytes();
        let old = format!("AA:BB:CC:DD:{high:02X}:{low:02X}");
        let new = format!("22:0D:CE:38:{high:02X}:{low:02X}");
        ip(&format!("link set eth0 address {old}"));
        let board = Board::on_the_kernels_link(&format!("gate-{number}"));
        let settings = board.read("etc/intercom-agent.toml");
        let settings = settings
            .replace("settle = 1", "settle = 0")
            .replace("environment = \"never\"", &format!("changes_per_hour = {CHANGES_PER_HOUR}"));
        board.write("etc/intercom-agent.toml", settings);
        let board = board.with_mqtt(&self.broker.url());
        redundant_environment(&board, &old);
        Panel { watcher: &self.watcher, machine: &self.machine, board, old, new }
    }

    /// The next panel, with a request that is retained for it.
    pub fn next_asked_panel(&mut self) -> Panel<'_> {
        let panel = self.next_panel();
        panel.ask();
        panel
    }
}

/// What a panel has of its own and this machine lends: a directory /etc, and a boot id.
struct Machine(Directory);

impl Machine {
    fn new() -> Self {
        let dir = Directory::new();
        let (etc, boot_id) = (dir.path().join("etc"), dir.path().join("boot_id"));
        run(Command::new("cp").arg("-a").arg("/etc").arg(&etc));
        run(Command::new("mount").arg("--bind").arg(&etc).arg("/etc"));
        fs::write(&boot_id, "the-first-boot\n").expect("written");
        run(Command::new("mount").arg("--bind").arg(&boot_id).arg(BOOT_ID));
        Machine(dir)
    }

    fn boots_anew(&self) {
        let file = self.0.path().join("boot_id");
        let before = fs::read_to_string(&file).expect("readable");
        let count: u32 = before.trim().rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(1);
        fs::write(&file, format!("boot-{}\n", count + 1)).expect("written");
    }
}

/// Two copies in plain files; the tools' configuration is found where they look for it.
fn redundant_environment(board: &Board, mac: &str) {
    let [text, first, second, config] =
        ["text", "copy1", "copy2", "fw_env.config"].map(|name| board.path(name));
    fs::write(&text, format!("bootcmd=run it\nethaddr={mac}\n")).expect("written");
    for copy in [&first, &second] {
        let mut tool = Command::new("mkenvimage");
        tool.args(["-r", "-s", ENVIRONMENT_SIZE, "-o"]).arg(copy).arg(&text);
        assert!(tool.status().expect("mkenvimage runs").success());
    }
    let line = |copy: &Path| format!("{} 0x0 {ENVIRONMENT_SIZE}\n", copy.display());
    fs::write(&config, line(&first) + &line(&second)).expect("written");
    fs::copy(&config, "/etc/fw_env.config").expect("copied");
}

fn run(command: &mut Command) {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {output:?}");
}

pub struct Panel<'a> {
    watcher: &'a Watcher,
    machine: &'a Machine,
    pub board: Board,
    old: String,
    new: String,
}

impl Panel<'_> {
    /// Publishes the request that gives the panel its new identity.
    pub fn ask(&self) {
        let request = json!({
            "request_id": "r-1", "mac": self.old, "target": {"mac": self.old},
            "new_mac": self.new, "new_serial_number": "NEW-1", "model": MODEL,
        });
        self.watcher.retain(&format!("intercoms/{}/patch/r-1", self.old), request.to_string());
    }

    /// Publishes a request that no panel can carry out; it is answered with a rejection.
    pub fn ask_in_vain(&self, number: usize) {
        let request = json!({
            "request_id": format!("vain-{number}"), "mac": self.new, "new_mac": self.old,
            "model": "another",
        });
        self.watcher.publish(&format!("intercoms/{}/patch/vain", self.new), request.to_string());
    }

    /// Publishes a request for the identity that the panel has already, each in other words.
    pub fn ask_for_what_is(&self, number: usize) {
        let request = json!({
            "request_id": format!("same-{number}"), "mac": self.new, "new_mac": self.new,
            "model": MODEL, "log_extra": {"number": number},
        });
        self.watcher.publish(&format!("intercoms/{}/patch/same", self.new), request.to_string());
    }

    /// Waits for its next report under the new MAC address.
    pub fn reports(&self, outcome: &str) {
        assert_eq!(self.watcher.report(&self.new)["status"], outcome);
    }

    /// The files that a change touches.
    pub fn files(&self) -> Vec<PathBuf> {
        let state = ["", "record.json", "record.json.new", "record.json.link"]
            .into_iter()
            .chain(["record.json.previous", "reserve", "environment.backup"])
            .map(|name| self.board.path("state").join(name));
        let runtime = ["identity.json", ".identity.json.new", "identity.env", ".identity.env.new"]
            .map(|name| self.board.path("run").join(name));
        let environment = ["copy1", "copy2"].map(|name| self.board.path(name));
        state.chain(runtime).chain(environment).collect()
    }

    pub fn strace(&self, call: &'static str, number: usize, fault: Fault) -> Strace {
        // The link is no file: its calls go through a socket.
        let files = if call == "ioctl" { Vec::new() } else { self.files() };
        Strace { call, number, fault, files, trace: self.board.path("trace") }
    }

    /// Starts the daemon and waits until it has come to the end of the request, or has to wait since what
    /// the board itself is cannot be read; nothing if it ended before that.
    pub fn runs_until_reported(&self, strace: &Strace) -> Option<Process> {
        let mut daemon = self.board.start_under(strace);
        if daemon.says_any(&["the report has arrived", " ended as ", "cannot be read yet"]) {
            // Answered only after the record has been told, too.
            self.board.run(&["status"]);
        }
        daemon.is_running().then_some(daemon)
    }

    /// Whether the request waits until what the board itself is can be read.
    pub fn awaits_its_board(&self) -> bool {
        self.board.run(&["status", "--json"]).json()["waiting"] == 1
    }

    /// What the next start finds is exactly one of both identities, and all agree on which.
    pub fn starts_again(&self, restart: Restart, context: &str) -> Process {
        if let Restart::Board = restart {
            ip(&format!("link set eth0 address {}", self.old));
            self.machine.boots_anew();
            fs::remove_dir_all(self.board.path("run")).ok();
            let restored = self.board.run(&["restore", "--json"]);
            assert_eq!(restored.code, 0, "{context}: {restored:?}");
            self.agrees(context);
        }
        let daemon = self.board.start();
        self.agrees(context);
        daemon
    }

    fn agrees(&self, context: &str) {
        let runtime = self.board.runtime_identity();
        let identity = [&runtime["mac"], &runtime["serial_number"]];
        let (old, new) = ([&self.old, FACTORY_SERIAL], [&self.new, "NEW-1"]);
        let is = |wanted: [&str; 2]| identity.iter().zip(wanted).all(|(has, want)| *has == want);
        assert!(is(old) || is(new), "{context}: a mix: {runtime}");
        assert_eq!(kernels_mac(), runtime["mac"], "{context}: the link differs");
        let status = self.board.run(&["status", "--json"]).json();
        let says = match &status["change"] {
            Value::Null => &status["current"],
            change => &change["to"],
        };
        assert_eq!(says["mac"], runtime["mac"], "{context}: the record differs: {status}");
        assert!(!self.board.path("state/record.json.damaged").exists(), "{context}: damaged");
        // Both copies may never be bad at once.
        self.environment_says("bootcmd", "run it", context);
    }

    /// The board is what the outcome says, and became it once.
    pub fn is_as_told(&self, outcome: &str, context: &str) {
        let (mac, times) = if outcome == "installed" { (&self.new, 1) } else { (&self.old, 0) };
        let status = self.board.run(&["status", "--json"]).json();
        assert_eq!(kernels_mac(), *mac, "{context}: {outcome}");
        assert_eq!(status["current"]["mac"], **mac, "{context}: {outcome}");
        assert_eq!(status["counters"]["installed"], times, "{context}: {status}");
        assert_eq!(status["factory"]["mac"], *self.old, "{context}");
    }

    pub fn environment_follows(&self, outcome: &str, context: &str) {
        let mac = if outcome == "installed" { &self.new } else { &self.old };
        self.environment_says("ethaddr", mac, context);
    }

    fn environment_says(&self, name: &str, wanted: &str, context: &str) {
        let config = self.board.path("fw_env.config");
        let output = Command::new("fw_printenv").arg("-c").arg(config).args(["-n", name]).output();
        let output = output.expect("fw_printenv runs");
        let value = String::from_utf8_lossy(&output.stdout);
        assert_eq!(value.trim(), wanted, "{context}: {name} in the environment: {output:?}");
    }

    /// The outcome is reported; installed exactly once, or not at all with the old identity kept.
    pub fn ends_as_reported(&self, daemon: Process, context: &str) -> String {
        let is_ours =
            |report: &Value| [&self.old, &self.new].iter().any(|mac| report["mac"] == **mac);
        let message = self.watcher.wait_for(&format!("report: {context}"), |message| {
            message.topic.starts_with("intercoms/by-board/")
                && message.topic.ends_with("/status")
                && serde_json::from_slice(&message.payload).is_ok_and(|report| is_ours(&report))
        });
        let report: Value = serde_json::from_slice(&message.payload).expect("JSON");
        assert_eq!(report["request_id"], "r-1", "{context}");
        let outcome = report["status"].as_str().expect("a status").to_owned();
        self.is_as_told(&outcome, context);
        daemon.kill();
        outcome
    }
}

impl Drop for Panel<'_> {
    fn drop(&mut self) {
        self.watcher.retain(&format!("intercoms/{}/patch/r-1", self.old), "");
    }
}
