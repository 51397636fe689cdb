//! `enrol`: one command lets one panel in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use intercom_agent::config;
use intercom_agent::root::Root;
use serde_json::json;

use crate::common::{NEW, OLD, Running};

/// Runs `enrol gate-1` on the database of the running service; the panel's files are at `files`.
fn enrol(billing: &Running, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_intercom-billing"))
        .args(["enrol", "gate-1", "--database"])
        .arg(billing.database.location())
        .arg("--output")
        .arg(files(billing))
        .args(more)
        .output()
        .expect("it runs")
}

fn files(billing: &Running) -> PathBuf {
    billing.dir.path().join("gate-1")
}

/// The files, as `intercom-agent config` judges them: the configuration, every file that it names, and
/// whether there is a way upstream.
fn are_accepted(files: &Path) {
    let root = Root::sandbox(files);
    let settings = config::load(&root, None).expect("a good configuration");
    let unusable = settings.unusable_files(&root);
    assert!(unusable.is_empty(), "{}", unusable[0]);
    settings.require_upstream(&root).expect("a way upstream");
}

fn secret(files: &Path, name: &str) -> String {
    let file = files.join("etc/intercom-agent").join(name);
    fs::read_to_string(file).expect("a secret").trim_end().to_owned()
}

const BOTH: [&str; 4] =
    ["--mqtt-url", "mqtt://127.0.0.1:1883", "--http-url", "http://127.0.0.1:8080/"];

#[test]
fn the_agent_accepts_the_files_and_the_service_the_token() {
    let mut billing = Running::start();
    billing.old_intercom();
    let done = enrol(&billing, &BOTH);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && done.stdout.is_empty(), "the broker is the service: {said}");
    are_accepted(&files(&billing));
    billing.bearer = Some(secret(&files(&billing), "token"));
    let poll = |board: &str| billing.pending(&format!("mac={OLD}&board={board}")).status;
    assert_eq!((poll("gate-1"), poll("gate-2")), (200, 403));
    assert!(!said.contains(&secret(&files(&billing), "token")), "{said}");
}

#[test]
fn a_broker_of_its_own_has_a_password_that_is_not_the_token() {
    for (kind, begins) in [("mosquitto", "gate-1:$7$101$"), ("nats", "  { user: \"gate-1\", ")] {
        let billing = Running::start();
        let done = enrol(&billing, &[&BOTH[..], &["--broker", kind]].concat());
        let user = String::from_utf8(done.stdout).expect("text");
        assert!(user.starts_with(begins) && user.lines().count() == 1, "{user}");
        are_accepted(&files(&billing));
        let (token, password) =
            (secret(&files(&billing), "token"), secret(&files(&billing), "mqtt-password"));
        assert_ne!(token, password);
        assert!(!user.contains(&token) && !user.contains(&password), "{user}");
    }
}

#[test]
fn the_panel_trusts_the_authorities_that_are_given() {
    let billing = Running::start();
    let pem = billing.dir.path().join("authority.pem");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=authority", "-keyout", "/dev/null", "-out"])
        .arg(&pem)
        .output();
    assert!(made.expect("openssl; tests/run installs it").status.success());
    let urls = ["--mqtt-url", "mqtts://broker.example", "--http-url", "https://billing.example"];
    let done = enrol(&billing, &[&urls[..], &["--ca-file", pem.to_str().expect("text")]].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    are_accepted(&files(&billing));
    let lines = fs::read_to_string(files(&billing).join("etc/intercom-agent.toml")).expect("lines");
    assert_eq!(lines.matches("ca_file = \"/etc/intercom-agent/ca.pem\"").count(), 2, "{lines}");
}

#[test]
fn the_files_are_their_owners_alone_and_never_written_over() {
    let billing = Running::start();
    assert!(enrol(&billing, &BOTH).status.success());
    let mut waiting = vec![files(&billing)];
    while let Some(path) = waiting.pop() {
        let mode = fs::metadata(&path).expect("its mode").permissions().mode();
        // An archive takes the modes of directories along, to the panel's own /etc.
        assert_eq!(mode & 0o777, if path.is_dir() { 0o755 } else { 0o600 }, "{}", path.display());
        if path.is_dir() {
            waiting
                .extend(fs::read_dir(path).expect("files").map(|file| file.expect("one").path()));
        }
    }
    let token = secret(&files(&billing), "token");
    let again = enrol(&billing, &BOTH);
    assert!(!again.status.success() && again.stdout.is_empty());
    assert_eq!(secret(&files(&billing), "token"), token);
    let listed = String::from_utf8(billing.token(&["list"]).stdout).expect("text");
    assert_eq!(listed.lines().count(), 1, "what failed has made no token: {listed}");
}

#[test]
fn what_is_no_panel_or_leads_nowhere_is_not_enrolled() {
    let billing = Running::start();
    for wrong in [
        &[][..],
        &["--mqtt-url", "broker.example"],
        &["--mqtt-url", "http://broker.example"],
        &["--mqtt-url", "mqtt://gate-1:secret@broker.example"],
        &["--http-url", "mqtt://billing.example"],
        &["--http-url", "http://billing.example", "--broker", "mosquitto"],
        &["--http-url", "http://billing.example", "--mac", "01:00:5E:00:00:01"],
        &["--http-url", "http://billing.example", "--ca-file", "/nowhere"],
    ] {
        let refused = enrol(&billing, wrong);
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{wrong:?}");
        assert!(!files(&billing).exists(), "{wrong:?}");
    }
    assert_eq!(billing.show("id=1").status, 404, "no token was made");
}

#[test]
fn an_enrolled_mac_address_belongs_to_the_board() {
    let billing = Running::start_with(|settings| {
        settings.boards = intercom_billing::store::macs::Believed::Known;
    });
    assert!(enrol(&billing, &[&BOTH[..], &["--mac", NEW]].concat()).status.success());
    let mut operated = billing;
    operated.bearer = Some(operated.add_token(&["--role", "operator"]));
    operated.old_intercom();
    let request_id = operated.ask();
    operated.bearer = Some(secret(&files(&operated), "token"));
    let offered = operated.pending(&format!("mac={NEW}&board=gate-1")).body;
    assert_eq!(offered[0]["request_id"], json!(request_id), "{offered}");
}
