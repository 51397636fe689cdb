//! TLS: the service's own certificate, and a broker that is spoken to by TLS.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use intercom_test_support::certificates::{Authority, NOW};
use intercom_test_support::{Broker, Database, Directory, Process};
use serde_json::Value;
use tempfile::TempDir;
use ureq::http::Method;

use crate::common::program::{Program, command};

/// A service with a certificate of `authority` for `localhost`.
pub(crate) fn with_certificate(authority: &Authority) -> (TempDir, Program) {
    let dir = TempDir::new().expect("a directory");
    authority.save(&dir.path().join("ca.pem"));
    authority.issue("localhost", NOW, &dir.path().join("server"));
    let file = |name| text(&dir.path().join(name));
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let service =
        Program::start("the office", &["--tls-certificate", &certificate, "--tls-key", &key]);
    (dir, service)
}

fn text(path: &Path) -> String {
    path.to_str().expect("text").to_owned()
}

/// `intercom-billing health` by the name in the certificate.
fn health(service: &Program, ca: &Path) -> Output {
    let port = service.caller.url.rsplit(':').next().expect("a port").to_owned();
    let url = format!("https://localhost:{port}");
    command().args(["health", "--url", &url, "--ca", &text(ca)]).output().expect("it runs")
}

#[test]
fn https_is_served_with_the_certificate_and_nothing_else_is() {
    let authority = Authority::new("ours");
    let (dir, service) = with_certificate(&authority);
    assert!(service.caller.url.starts_with("https://"), "{}", service.caller.url);
    let Output { status, stderr, .. } = health(&service, &dir.path().join("ca.pem"));
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let plain = service.caller.at(&service.caller.url.replace("https", "http"));
    assert!(plain.try_call(Method::GET, "/healthz", &Value::Null).is_none());
    let another = dir.path().join("another.pem");
    Authority::new("another").save(&another);
    let Output { status, stderr, .. } = health(&service, &another);
    let said = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && said.contains("UnknownIssuer"), "{said}");
}

#[test]
fn the_certificate_is_read_again_on_sighup_and_a_wrong_one_changes_nothing() {
    let (dir, mut service) = with_certificate(&Authority::new("ours"));
    let (old, new) = (dir.path().join("ca.pem"), dir.path().join("new.pem"));
    fs::write(dir.path().join("server.key"), "nothing").expect("written");
    service.process.hang_up();
    service.process.wait_for("the certificate stays as it was");
    assert!(health(&service, &old).status.success());
    let authority = Authority::new("new");
    authority.save(&new);
    authority.issue("localhost", NOW, &dir.path().join("server"));
    service.process.hang_up();
    service.process.wait_for("the certificate was read again");
    assert!(health(&service, &new).status.success());
    assert!(!health(&service, &old).status.success());
}

#[test]
fn a_key_that_others_can_read_or_that_does_not_fit_is_refused_at_the_start() {
    let dir = TempDir::new().expect("a directory");
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    for file in [&one, &two] {
        Authority::new("ours").issue("localhost", NOW, file);
    }
    let key = one.with_extension("key");
    let serve = |key: &Path| {
        let Output { status, stderr, .. } = command()
            .args(["serve", "--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0"])
            .args(["--database", &text(&dir.path().join("billing.sqlite"))])
            .args(["--tls-certificate", &text(&one.with_extension("pem"))])
            .args(["--tls-key", &text(key)])
            .output()
            .expect("it runs");
        assert_eq!(status.code(), Some(1));
        String::from_utf8(stderr).expect("text")
    };
    let said = serve(&two.with_extension("key"));
    assert!(said.contains("do not fit"), "{said}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("set");
    let said = serve(&key);
    assert!(said.contains("chmod 600"), "{said}");
    let said = serve(&dir.path().join("absent"));
    assert!(said.contains("cannot read the TLS key") && said.contains("absent"), "{said}");
}

/// A mosquitto that speaks TLS alone.
struct TlsBroker {
    broker: Broker,
    dir: PathBuf,
    database: Database,
}

impl TlsBroker {
    fn start(settings: &str) -> Self {
        let dir = Directory::new();
        let authority = Authority::new("the broker's");
        authority.save(&dir.path().join("ca.pem"));
        authority.issue("localhost", NOW, &dir.path().join("server"));
        authority.issue("billing", NOW, &dir.path().join("billing"));
        let made = Command::new("mosquitto_passwd")
            .args(["-b", "-c"])
            .arg(dir.path().join("passwords"))
            .args(["billing", "its password"])
            .output()
            .expect("mosquitto_passwd runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let path = dir.path().to_owned();
        let broker = Broker::start_from(
            dir,
            &format!(
                "persistence false\ncafile DIR/ca.pem\ncertfile DIR/server.pem\n\
                 keyfile DIR/server.key\n{settings}"
            ),
        );
        TlsBroker { broker, dir: path, database: Database::new() }
    }

    fn file(&self, name: &str) -> String {
        text(&self.dir.join(name))
    }

    /// The service with this broker and these options besides.
    fn serve(&self, options: &[&str]) -> Process {
        let url = format!("mqtts://localhost:{}", self.broker.address().1);
        let mut serve = command();
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--broker", &url])
            .args(["--database", &self.database.location()])
            .args(options);
        Process::start("intercom-billing", &mut serve)
    }
}

#[test]
fn a_broker_is_spoken_to_by_tls_with_a_client_certificate() {
    let broker = TlsBroker::start("require_certificate true\nuse_identity_as_username true\n");
    let ca = broker.file("ca.pem");
    let (certificate, key) = (broker.file("billing.pem"), broker.file("billing.key"));
    let options = ["--broker-certificate", &certificate, "--broker-key", &key];
    let mut service = broker.serve(&[&["--broker-ca", &ca][..], &options].concat());
    let line = service.wait_for("connected to the broker");
    assert!(line.contains("(TLS)"), "{line}");
    service.kill();
    let mut without = broker.serve(&["--broker-ca", &ca]);
    without.wait_for("lost the broker");
}

#[test]
fn a_broker_is_logged_in_to_with_the_password_in_a_file() {
    let broker = TlsBroker::start("allow_anonymous false\npassword_file DIR/passwords\n");
    let (ca, file) = (broker.file("ca.pem"), broker.file("password"));
    let options = ["--broker-ca", &ca, "--broker-user", "billing", "--broker-password-file", &file];
    for (password, says) in
        [("its password\n", "connected to the broker"), ("another", "NotAuthorized")]
    {
        fs::write(&file, password).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
        let mut service = broker.serve(&options);
        service.wait_for(says);
        assert!(!service.said().iter().any(|line| line.contains(password.trim())));
        service.kill();
    }
}

#[test]
fn a_broker_that_the_authority_does_not_vouch_for_is_refused_with_the_reason() {
    let broker = TlsBroker::start("allow_anonymous true\n");
    let another = broker.dir.join("another.pem");
    Authority::new("another").save(&another);
    let mut service = broker.serve(&["--broker-ca", &text(&another)]);
    let line = service.wait_for("lost the broker");
    assert!(line.contains("UnknownIssuer"), "{line}");
}

#[test]
fn options_of_tls_without_mqtts_are_refused() {
    let Output { status, stderr, .. } = command()
        .args(["serve", "--database", "/nowhere/b", "--broker", "mqtt://localhost"])
        .args(["--broker-ca", "/nowhere/ca.pem"])
        .output()
        .expect("it runs");
    let said = String::from_utf8(stderr).expect("text");
    assert!(status.code() == Some(1) && said.contains("for mqtts:// alone"), "{said}");
}
