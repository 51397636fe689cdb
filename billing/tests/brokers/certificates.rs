//! Client certificates in place of passwords: the common name is the board.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use intercom_test_support::certificates::{Authority, NOW};
use intercom_test_support::{Billing, Board, Directory, NEW, OLD, Process, request};

use crate::broker::Broker;
use crate::shipped::{Kind, WATCHER, add_watcher_with_certificate, enrol, on_each};

/// The users, beside the watcher, who may do everything.
const USERS: [&str; 3] = ["gate-1", "gate-3", "billing"];

/// Where `gate-1` reports.
const STATUS: &str = "intercoms/by-board/gate-1/status";

/// A client of Debian's package mosquitto-clients, with this certificate if it has one.
fn client(program: &str, broker: &Broker, certs: &Path, certificate: Option<&str>) -> Command {
    // Each line at once.
    let mut command = Command::new("stdbuf");
    command.args(["-oL", program]);
    command.args(["-h", "localhost", "-p", &broker.port().to_string(), "-q", "1", "-d"]);
    command.arg("--cafile").arg(certs.join("servers.pem"));
    if let Some(name) = certificate {
        let file = |ending: &str| certs.join(format!("{name}.{ending}"));
        command.arg("--cert").arg(file("pem")).arg("--key").arg(file("key"));
    }
    command
}

fn certificates(dir: &Path) -> PathBuf {
    let certs = dir.join("certs");
    fs::create_dir(&certs).expect("a directory");
    let [servers, panels, others] = ["servers", "panels", "others"].map(Authority::new);
    servers.save(&certs.join("servers.pem"));
    panels.save(&certs.join("panels.pem"));
    servers.issue("localhost", NOW, &certs.join("server"));
    for user in USERS.into_iter().chain([WATCHER]) {
        panels.issue(user, NOW, &certs.join(user));
    }
    others.issue("gate-1", NOW, &certs.join("forged"));
    certs
}

/// A running broker that has let the users in, and where the certificates are.
fn start(kind: Kind) -> (Broker, PathBuf) {
    let dir = Directory::new();
    let certs = certificates(dir.path());
    match kind {
        // Everybody with a certificate of the panels' authority is let in.
        Kind::Mosquitto => fs::write(dir.path().join("intercoms.passwords"), "").expect("made"),
        Kind::Nats | Kind::NatsCluster => {
            for user in USERS {
                let done = enrol(kind, &["--certificate", user], dir.path());
                assert!(done.status.success() && done.stdout.is_empty());
            }
            add_watcher_with_certificate(dir.path());
        }
    }
    (Broker::start_with_certificates(kind, dir), certs)
}

/// Hears what is published there from now on.
fn subscribed(broker: &Broker, certs: &Path, user: &str, filters: &[&str]) -> Process {
    let mut command = client("mosquitto_sub", broker, certs, Some(user));
    command.arg("-v");
    for filter in filters {
        command.args(["-t", filter]);
    }
    let mut process = Process::start(user, &mut command);
    process.wait_for("Subscribed");
    process
}

/// `gate-1`, with its certificate.
fn panel(broker: &Broker, certs: &Path) -> Board {
    let board =
        Board::sandboxed("gate-1", OLD).with_mqtt(&format!("mqtts://localhost:{}", broker.port()));
    for file in ["servers.pem", "gate-1.pem", "gate-1.key"] {
        fs::copy(certs.join(file), board.path(&format!("etc/{file}"))).expect("copied");
    }
    board.configure(
        "ca_file = \"/etc/servers.pem\"\nclient_cert_file = \"/etc/gate-1.pem\"\n\
         client_key_file = \"/etc/gate-1.key\"",
    );
    board
}

#[test]
fn a_certificate_is_for_the_board_in_its_common_name() {
    on_each(|kind| {
        let (broker, certs) = start(kind);
        let mut watcher = subscribed(&broker, &certs, WATCHER, &["#"]);
        let publish = |certificate, topic: &str, payload: &str| {
            client("mosquitto_pub", &broker, &certs, certificate)
                // A user name in the packet does not count.
                .args(["-i", "gate-1", "-u", "gate-2", "-t", topic, "-m", payload])
                .output()
                .expect("mosquitto-clients; tests/run installs it")
        };
        publish(Some("gate-1"), "intercoms/by-board/gate-2/status", "of another board");
        publish(Some("gate-3"), STATUS, "with another certificate");
        for certificate in [None, Some("forged")] {
            let refused = publish(certificate, STATUS, "without a good certificate");
            assert!(!refused.status.success(), "{kind:?}: {certificate:?}");
        }
        assert!(publish(Some("gate-1"), STATUS, "its own").status.success(), "{kind:?}");
        watcher.wait_for(&format!("{STATUS} its own"));
        let published = |line: &&String| line.starts_with("intercoms/");
        assert_eq!(watcher.said().iter().filter(published).count(), 1, "{kind:?}");
    });
}

#[test]
fn a_panel_with_a_certificate_does_its_work_and_no_other_one_hears_its_requests() {
    on_each(|kind| {
        let (broker, certs) = start(kind);
        let board = panel(&broker, &certs);
        let mut watcher = subscribed(&broker, &certs, WATCHER, &[STATUS]);
        let both = ["intercoms/by-board/gate-1/#", "intercoms/who"];
        let mut neighbour = subscribed(&broker, &certs, "gate-3", &both);
        let mut daemon = board.start();
        board.wait_until_reached();

        let publish = |topic: &str, payload: &str| {
            let mut billing = client("mosquitto_pub", &broker, &certs, Some("billing"));
            let done = billing.args(["-t", topic, "-m", payload]).output().expect("it runs");
            assert!(done.status.success(), "{kind:?}: {topic}");
        };
        publish("intercoms/by-board/gate-1/patch/r-1", &request("r-1").to_string());
        daemon.wait_for("the report has arrived");
        assert_eq!(board.mac(), NEW, "{kind:?}");
        watcher.wait_for(STATUS);
        publish("intercoms/who", "");
        neighbour.wait_for("intercoms/who");
        let heard = |line: &&String| line.starts_with("intercoms/by-board");
        assert_eq!(neighbour.said().iter().filter(heard).count(), 0, "{kind:?}");
    });
}

#[test]
fn on_nats_billing_comes_with_its_own_certificate() {
    let (broker, certs) = start(Kind::Nats);
    let [ca, certificate, key] = ["servers.pem", "billing.pem", "billing.key"]
        .map(|file| certs.join(file).display().to_string());
    let options = ["--broker-ca", &ca, "--broker-certificate", &certificate, "--broker-key", &key];
    let url = format!("mqtts://localhost:{}", broker.port());
    let billing = Billing::start_at_with(&url, &options).connected();
    billing.create_old();
    let board = panel(&broker, &certs);
    let mut daemon = board.start();
    board.wait_until_reached();
    billing.replace_old();
    daemon.wait_for("the report has arrived over MQTT");
    assert_eq!(board.mac(), NEW);
    assert_eq!(billing.show(NEW).1["status"], "installed");
}
