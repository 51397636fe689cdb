//! Client certificates in place of passwords: the common name is the board.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use intercom_test_support::certificates::{Authority, NOW};
use intercom_test_support::{Directory, Process};

use crate::shipped::{Broker, KINDS, Kind, WATCHER, add_watcher_with_certificate, enrol};

/// A client of Debian's package mosquitto-clients, with this certificate if it has one.
fn client(program: &str, broker: &Broker, certs: &Path, certificate: Option<&str>) -> Command {
    // Each line at once.
    let mut command = Command::new("stdbuf");
    command.args(["-oL", program]);
    command.args(["-h", "localhost", "-p", &broker.port.to_string(), "-q", "1", "-d"]);
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
    for user in ["gate-1", "gate-3", WATCHER] {
        panels.issue(user, NOW, &certs.join(user));
    }
    others.issue("gate-1", NOW, &certs.join("forged"));
    certs
}

#[test]
fn a_certificate_is_for_the_board_in_its_common_name() {
    for kind in KINDS {
        let dir = Directory::new();
        let certs = certificates(dir.path());
        match kind {
            // Everybody with a certificate of the panels' authority is let in.
            Kind::Mosquitto => fs::write(dir.path().join("intercoms.passwords"), "").expect("made"),
            Kind::Nats => {
                let done = enrol(kind, &["--certificate", "gate-1"], dir.path());
                assert!(done.status.success() && done.stdout.is_empty());
                add_watcher_with_certificate(dir.path());
            }
        }
        let broker = Broker::start_with_certificates(kind, dir);
        let mut watching = client("mosquitto_sub", &broker, &certs, Some(WATCHER));
        let mut watcher = Process::start("mosquitto_sub", watching.args(["-v", "-t", "#"]));
        watcher.wait_for("Subscribed");
        let publish = |certificate, topic: &str, payload: &str| {
            client("mosquitto_pub", &broker, &certs, certificate)
                // A user name in the packet does not count.
                .args(["-i", "gate-1", "-u", "gate-2", "-t", topic, "-m", payload])
                .output()
                .expect("mosquitto-clients; tests/run installs it")
        };
        let status = "intercoms/by-board/gate-1/status";
        publish(Some("gate-1"), "intercoms/by-board/gate-2/status", "of another board");
        publish(Some("gate-3"), status, "with another certificate");
        for certificate in [None, Some("forged")] {
            let refused = publish(certificate, status, "without a good certificate");
            assert!(!refused.status.success(), "{kind:?}: {certificate:?}");
        }
        assert!(publish(Some("gate-1"), status, "its own").status.success(), "{kind:?}");
        watcher.wait_for(&format!("{status} its own"));
        let published = |line: &&String| line.starts_with("intercoms/");
        assert_eq!(watcher.said().iter().filter(published).count(), 1, "{kind:?}");
    }
}
