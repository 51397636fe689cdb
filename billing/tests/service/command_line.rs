//! The program as it is started by hand.

use std::path::Path;
use std::process::{Command, Output};

use intercom_test_support::Process;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_intercom-billing");

/// `intercom-billing serve` on free ports of loopback.
fn serve(database: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0"]);
    command.arg("--database").arg(database);
    command
}

/// What it says as it ends, which it must do with an error.
fn fails(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().expect("it runs");
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

#[test]
fn a_second_service_on_one_database_says_who_has_it_and_ends() {
    let dir = TempDir::new().expect("a directory");
    let database = dir.path().join("billing.sqlite");
    let mut first = Process::start("intercom-billing", &mut serve(&database));
    first.wait_for("serving on http://");
    let holder = std::fs::read_to_string(dir.path().join("billing.sqlite.lock")).expect("the lock");
    let said = fails(&mut serve(&database));
    assert!(said.contains(holder.trim()) && said.contains("another intercom-billing"), "{said}");
    drop(first);
    let mut next = Process::start("intercom-billing", &mut serve(&database));
    next.wait_for("serving on http://");
}

#[test]
fn without_tokens_it_listens_for_nobody_but_this_machine_unless_told_so() {
    let dir = TempDir::new().expect("a directory");
    let database = dir.path().join("billing.sqlite");
    let serve = |http: &str, mqtt: &str| {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", http, "--mqtt-listen", mqtt, "--database"]);
        command.arg(&database);
        command
    };
    let (own, all) = ("127.0.0.1:0", "0.0.0.0:0");
    for (http, mqtt, wrong) in [
        (all, own, "0.0.0.0:0 (HTTP)"),
        (own, all, "0.0.0.0:0 (MQTT)"),
        ("[::]:0", own, "[::]:0 (HTTP)"),
    ] {
        let said = fails(&mut serve(http, mqtt));
        for part in [wrong, "token add --role operator", "--open"] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
    Process::start("intercom-billing", serve(all, all).arg("--open"))
        .wait_for("serving on http://");
    let added = Command::new(PROGRAM)
        .args(["token", "add", "--role", "operator", "--database"])
        .arg(&database)
        .output();
    assert!(added.expect("it runs").status.success());
    Process::start("intercom-billing", &mut serve(all, all)).wait_for("serving on http://");
}
