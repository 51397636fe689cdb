//! The commands on a sandboxed board, as an installer without an uplink gives them: `apply --offline`
//! and the `restore` of the next boot.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use intercom_test_support::{Directory, Fault, Strace, at_every};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{FAULTS, FILE_CALLS as CALLS};

const OLD: (&str, &str) = ("AA:BB:CC:DD:EE:FF", "OLD-1");
const NEW: (&str, &str) = ("22:0D:CE:38:E7:15", "NEW-1");
const APPLY: [&str; 3] = ["apply", "--offline", "request.json"];
/// The files that a change touches; calls on others (libraries, configuration) are let be.
const FILES: [&str; 12] = [
    "var/lib/intercom-agent",
    "var/lib/intercom-agent/record.json",
    "var/lib/intercom-agent/record.json.new",
    "var/lib/intercom-agent/record.json.link",
    "var/lib/intercom-agent/record.json.previous",
    "var/lib/intercom-agent/reserve",
    "sys/class/net/eth0/address",
    "sys/class/net/eth0/.address.new",
    "run/intercom-agent/identity.json",
    "run/intercom-agent/.identity.json.new",
    "run/intercom-agent/identity.env",
    "run/intercom-agent/.identity.env.new",
];

/// A sandboxed board of its own, removed with it.
struct Board(Directory);

impl Board {
    fn new() -> Self {
        let board = Board(Directory::new());
        board.write("sys/class/net/eth0/address", OLD.0);
        board.write("etc/serial", OLD.1);
        board.write(
            "etc/intercom-agent.toml",
            "models = [\"3516EV200\"]\nchanges_per_hour = 100\nlog_level = \"off\"\n\
             [serial_number]\nsources = [\"file:/etc/serial\"]\n",
        );
        let payload = json!({
            "mac": OLD.0, "new_mac": NEW.0, "new_serial_number": NEW.1, "model": "3516EV200"
        });
        board.write("request.json", &payload.to_string());
        board
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("written");
    }

    /// Runs a command of the agent on this board to its end.
    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("the agent runs")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_intercom-agent"));
        command.args(words).arg("--root").arg(self.0.path()).arg("--json");
        command.current_dir(self.0.path());
        command
    }

    /// The same with a fault ahead of it; and whether it came that far.
    fn run_with(
        &self,
        words: &[&str],
        call: &'static str,
        number: usize,
        fault: Fault,
    ) -> (Output, bool) {
        let files = FILES.map(|file| self.path(file)).to_vec();
        let strace = Strace { call, number, fault, files, trace: self.path("trace") };
        let output = strace.over(&self.command(words)).output().expect("strace runs");
        let reached = match fault {
            Fault::Kill => output.status.signal() == Some(Signal::SIGKILL as i32),
            Fault::Error(_) => strace.has_failed_it(),
        };
        (output, reached)
    }

    /// After a restart: exactly the old identity or exactly the new one, wherever it is told.
    fn identity_after_restart(&self, context: &str) -> (String, String) {
        let restored = self.run(&["restore"]);
        assert!(restored.status.success(), "{context}: {restored:?}");
        let file = |name: &str| fs::read(self.path(name)).expect("readable");
        let runtime: Value =
            serde_json::from_slice(&file("run/intercom-agent/identity.json")).expect("JSON");
        let link = String::from_utf8(file("sys/class/net/eth0/address")).expect("text");
        let identity = [&runtime["mac"], &runtime["serial_number"]]
            .map(|value| value.as_str().expect("a string").to_owned());
        assert_eq!(link.trim().to_uppercase(), identity[0], "{context}: the link differs");
        let record = self.run(&["status"]);
        let record: Value = serde_json::from_slice(&record.stdout).expect("the record");
        let says =
            if record["change"].is_null() { &record["current"] } else { &record["change"]["to"] };
        assert_eq!(says["mac"], identity[0].as_str(), "{context}: the record differs");
        assert_eq!(says["serial_number"], identity[1].as_str(), "{context}: the record differs");
        let [mac, serial] = identity;
        assert!(
            [OLD, NEW].contains(&(mac.as_str(), serial.as_str())),
            "{context}: a mix of both: {mac} {serial}"
        );
        assert!(!self.path("var/lib/intercom-agent/record.json.damaged").exists(), "{context}");
        (mac, serial)
    }

    /// Whatever has happened: the installer can always try again.
    fn ends_with_the_new_identity(&self, context: &str) {
        let again = self.run(&APPLY);
        let (mac, serial) = self.identity_after_restart(context);
        assert_eq!((mac.as_str(), serial.as_str()), NEW, "{context}: {again:?}");
    }
}

#[test]
fn killed_at_every_call_of_a_change() {
    let mut points = 0;
    for call in CALLS {
        points += at_every(call, |number| {
            let board = Board::new();
            let context = format!("killed at {call} number {number}");
            let (_, reached) = board.run_with(&APPLY, call, number, Fault::Kill);
            board.identity_after_restart(&context);
            board.ends_with_the_new_identity(&context);
            reached
        });
    }
    println!("killed at {points} points of a change");
    assert!(points > 50, "only {points} points: the change makes more calls than that");
}

#[test]
fn killed_at_every_call_of_the_restore_after_a_cut() {
    let mut points = 0;
    for call in CALLS {
        points += at_every(call, |number| {
            let board = Board::new();
            let context = format!("restore killed at {call} number {number}");
            // Cut right after the intention is durable: the link is still the old one.
            board.run_with(&APPLY, "rename", 6, Fault::Kill);
            board.write("proc/sys/kernel/random/boot_id", "the-next-boot\n");
            let (_, reached) = board.run_with(&["restore"], call, number, Fault::Kill);
            board.identity_after_restart(&context);
            board.ends_with_the_new_identity(&context);
            reached
        });
    }
    println!("killed at {points} points of a restore");
    assert!(points > 20, "only {points} points: a restore makes more calls than that");
}

#[test]
fn failed_by_every_call_of_a_change() {
    let kinds = CALLS.into_iter().flat_map(|call| FAULTS.map(|fault| (call, fault)));
    // Side by side: a commit that failed is tried again after some seconds.
    let faults: usize = thread::scope(|scope| {
        let running: Vec<_> =
            kinds.map(|(call, fault)| scope.spawn(move || failed_by(call, fault))).collect();
        running.into_iter().map(|one| one.join().expect("the rules hold")).sum()
    });
    println!("failed by {faults} calls");
    assert!(faults > 100, "only {faults} faults: the change makes more calls than that");
}

fn failed_by(call: &'static str, fault: &'static str) -> usize {
    at_every(call, |number| {
        let board = Board::new();
        let context = format!("{call} number {number} fails with {fault}");
        let (ended, reached) = board.run_with(&APPLY, call, number, Fault::Error(fault));
        let (mac, _) = board.identity_after_restart(&context);
        match ended.status.code() {
            Some(0) => assert_eq!(mac, NEW.0, "{context}: told as installed"),
            Some(16 | 17) => assert_eq!(mac, OLD.0, "{context}: told as not installed"),
            _ => {}
        }
        board.ends_with_the_new_identity(&context);
        reached
    })
}

#[test]
fn a_board_that_is_as_the_record_says_is_not_written_to() {
    let board = Board::new();
    board.run(&APPLY);
    let listing = |dir: &Path| -> Vec<_> {
        let mut files: Vec<_> = fs::read_dir(dir)
            .expect("a directory")
            .map(|entry| entry.expect("an entry"))
            .map(|entry| {
                let data = entry.metadata().expect("metadata");
                (entry.file_name(), data.modified().expect("a time"), data.len())
            })
            .filter(|(name, ..)| name != "lock")
            .collect();
        files.sort();
        files
    };
    let places = ["var/lib/intercom-agent", "run/intercom-agent", "sys/class/net/eth0"];
    let before: Vec<_> = places.iter().map(|place| listing(&board.path(place))).collect();
    assert!(board.run(&["restore"]).status.success());
    let after: Vec<_> = places.iter().map(|place| listing(&board.path(place))).collect();
    assert_eq!(before, after);
}
