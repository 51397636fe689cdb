//! The shipped binary on a sandboxed board, killed at every system call that matters and failed by
//! every one of them, by strace. After a restart the board has exactly the old identity or exactly
//! the new one, and knows which.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use serde_json::{Value, json};

const OLD: (&str, &str) = ("AA:BB:CC:DD:EE:FF", "OLD-1");
const NEW: (&str, &str) = ("22:0D:CE:38:E7:15", "NEW-1");
/// Whatever changes something on the board or makes it durable.
const CALLS: [&str; 6] = ["openat", "write", "fsync", "rename", "linkat", "unlink"];
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
const FAULTS: [&str; 3] = ["ENOSPC", "EIO", "EROFS"];
/// More calls of one kind than any command here makes.
const MOST: usize = 400;

/// A sandboxed board of its own, removed with it.
struct Board(PathBuf);

impl Board {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("kills-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let board = Board(dir);
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

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("written");
    }

    /// Runs a command of the agent on this board, through `strace` if there is something to inject.
    fn run(&self, words: &[&str], inject: Option<&str>) -> Output {
        let agent = env!("CARGO_BIN_EXE_intercom-agent");
        let mut command = match inject {
            None => Command::new(agent),
            Some(inject) => {
                let mut strace = Command::new("strace");
                let call = inject.split(':').next().expect("a call");
                strace.args(["-f", "-o"]).arg(self.0.join("trace"));
                strace.args(["-e", &format!("trace={call}"), "-e", &format!("inject={inject}")]);
                for file in FILES {
                    strace.arg("-P").arg(self.0.join(file));
                }
                strace.arg(agent);
                strace
            }
        };
        command.args(words).arg("--root").arg(&self.0).arg("--json");
        command.output().expect("strace and the agent run; install strace")
    }

    fn apply(&self, inject: Option<&str>) -> Output {
        let request = self.0.join("request.json");
        self.run(&["apply", "--offline", request.to_str().expect("UTF-8")], inject)
    }

    /// Whether the injection took place: the kernel was asked for that call often enough.
    fn was_injected(&self) -> bool {
        let trace = fs::read_to_string(self.0.join("trace")).unwrap_or_default();
        trace.contains("INJECTED") || trace.contains("killed by SIGKILL")
    }

    /// After a restart: exactly the old identity or exactly the new one, wherever it is told.
    fn identity_after_restart(&self, context: &str) -> (String, String) {
        let restored = self.run(&["restore"], None);
        assert!(restored.status.success(), "{context}: {restored:?}");
        let file = |name: &str| fs::read(self.0.join(name)).expect("readable");
        let runtime: Value =
            serde_json::from_slice(&file("run/intercom-agent/identity.json")).expect("JSON");
        let link = String::from_utf8(file("sys/class/net/eth0/address")).expect("text");
        let identity = [&runtime["mac"], &runtime["serial_number"]]
            .map(|value| value.as_str().expect("a string").to_owned());
        assert_eq!(link.trim().to_uppercase(), identity[0], "{context}: the link differs");
        let record = self.run(&["status"], None);
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
        assert!(!self.0.join("var/lib/intercom-agent/record.json.damaged").exists(), "{context}");
        (mac, serial)
    }

    /// Whatever has happened: the installer can always try again.
    fn ends_with_the_new_identity(&self, context: &str) {
        let again = self.apply(None);
        let (mac, serial) = self.identity_after_restart(context);
        assert_eq!((mac.as_str(), serial.as_str()), NEW, "{context}: {again:?}");
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs `one` for every call number until the command makes no more such calls; how many there were.
fn at_every(call: &str, mut one: impl FnMut(usize) -> bool) -> usize {
    let reached = (1..MOST).take_while(|number| one(*number)).count();
    assert!(reached < MOST - 1, "{call}: too many calls");
    reached
}

#[test]
fn killed_at_every_call_of_a_change() {
    let mut points = 0;
    for call in CALLS {
        points += at_every(call, |number| {
            let board = Board::new(&format!("change-{call}"));
            let context = format!("killed at {call} number {number}");
            board.apply(Some(&format!("{call}:signal=KILL:when={number}")));
            let reached = board.was_injected();
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
            let board = Board::new(&format!("restore-{call}"));
            let context = format!("restore killed at {call} number {number}");
            // Cut right after the intention is durable: the link is still the old one.
            board.apply(Some("rename:signal=KILL:when=6"));
            board.write("proc/sys/kernel/random/boot_id", "the-next-boot\n");
            board.run(&["restore"], Some(&format!("{call}:signal=KILL:when={number}")));
            let reached = board.was_injected();
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

fn failed_by(call: &str, fault: &str) -> usize {
    at_every(call, |number| {
        let board = Board::new(&format!("fault-{call}-{fault}"));
        let context = format!("{call} number {number} fails with {fault}");
        let ended = board.apply(Some(&format!("{call}:error={fault}:when={number}")));
        let reached = board.was_injected();
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
    let board = Board::new("idle");
    board.apply(None);
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
    let before: Vec<_> = places.iter().map(|place| listing(&board.0.join(place))).collect();
    assert!(board.run(&["restore"], None).status.success());
    let after: Vec<_> = places.iter().map(|place| listing(&board.0.join(place))).collect();
    assert_eq!(before, after);
}
