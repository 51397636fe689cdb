//! The files of `billing/mosquitto` and `billing/nats`, and what their `enrol` does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

/// Which broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Mosquitto,
    /// One node.
    Nats,
    /// Three nodes.
    NatsCluster,
}

/// Runs a test on each of them at the same time: it mostly waits.
pub(crate) fn on_each(test: impl Fn(Kind) + Sync) {
    thread::scope(|scope| {
        for kind in [Kind::Mosquitto, Kind::Nats, Kind::NatsCluster] {
            let test = &test;
            scope.spawn(move || test(kind));
        }
    });
}

/// A user for tests alone, who may do everything.
pub(crate) const WATCHER: &str = "watcher";

/// The file that NATS's `enrol` writes.
pub(crate) const NATS_USERS: &str = "intercoms-users.conf";

fn shipped(kind: Kind, file: &str) -> PathBuf {
    let folder = match kind {
        Kind::Mosquitto => "mosquitto",
        Kind::Nats | Kind::NatsCluster => "nats",
    };
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(file)
}

/// The text of a shipped file.
pub(crate) fn read(kind: Kind, file: &str) -> String {
    let file = shipped(kind, file);
    fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
}

/// Lines that NATS's README says to write into a file.
pub(crate) fn from_readme(lines: &str) -> &str {
    assert!(read(Kind::Nats, "README.md").contains(lines), "as the README says: {lines}");
    lines
}

/// What `enrol` says.
pub(crate) fn enrol(kind: Kind, arguments: &[&str], dir: &Path) -> Output {
    let mut enrol = Command::new(shipped(kind, "enrol"));
    enrol.args(arguments).arg(dir).output().expect("it runs; tests/run installs what it needs")
}

/// Enrols a board; its password.
pub(crate) fn password(kind: Kind, board: &str, dir: &Path) -> String {
    let done = enrol(kind, &[board], dir);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text").trim_end().to_owned()
}

/// Lets the watcher in; its password. In mosquitto its rules come with the broker's.
pub(crate) fn add_watcher(kind: Kind, dir: &Path) -> String {
    match kind {
        Kind::Mosquitto => password(kind, WATCHER, dir),
        Kind::Nats | Kind::NatsCluster => {
            add_nats_user(&format!("user: {WATCHER}, password: secret"), dir);
            "secret".to_owned()
        }
    }
}

/// The same in NATS with a certificate.
pub(crate) fn add_watcher_with_certificate(dir: &Path) {
    add_nats_user(&format!("user: \"CN={WATCHER}\""), dir);
}

fn add_nats_user(user: &str, dir: &Path) {
    let file = dir.join(NATS_USERS);
    let users = fs::read_to_string(&file).expect("users");
    fs::write(&file, users.replace("\n]", &format!("\n  {{ {user} }}\n]"))).expect("written");
}
