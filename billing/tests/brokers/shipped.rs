//! A broker with its shipped files, in a directory of a test's own.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use intercom_test_support::{Directory, Process, free_port};

/// Which broker, and whether its users have passwords or certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Mosquitto,
    Nats,
}

pub(crate) const KINDS: [Kind; 2] = [Kind::Mosquitto, Kind::Nats];

/// A user for tests alone, who may do everything.
pub(crate) const WATCHER: &str = "watcher";

pub(crate) struct Broker {
    pub(crate) kind: Kind,
    /// Where MQTT is spoken without TLS, or with it where the users have certificates.
    pub(crate) port: u16,
    /// Where NATS speaks its own protocol.
    pub(crate) native_port: u16,
    pub(crate) dir: Directory,
    process: Process,
}

fn shipped(kind: Kind, file: &str) -> PathBuf {
    let folder = match kind {
        Kind::Mosquitto => "mosquitto",
        Kind::Nats => "nats",
    };
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(file)
}

/// The text of a shipped file.
pub(crate) fn read(kind: Kind, file: &str) -> String {
    let file = shipped(kind, file);
    fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
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
        Kind::Nats => {
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
    let file = dir.join("intercoms-users.conf");
    let users = fs::read_to_string(&file).expect("users");
    fs::write(&file, users.replace("\n]", &format!("\n  {{ {user} }}\n]"))).expect("written");
}

/// The settings of mosquitto for a listener of its own at this port.
fn mosquitto(settings: &str, listener: &str, port: u16, dir: &Path) -> String {
    settings
        .replace(listener, &format!("listener {port} {}", Ipv4Addr::LOCALHOST))
        .replace("/etc/mosquitto", &dir.display().to_string())
}

impl Broker {
    /// Users with passwords, which are in the directory already, over plain connections.
    pub(crate) fn start(kind: Kind, dir: Directory) -> Self {
        let port = free_port();
        match kind {
            Kind::Mosquitto => {
                let settings = read(kind, "mosquitto.conf");
                let (before, panels) = settings.split_once("# The panels.").expect("a part");
                let rest = panels.split_once("# Nobody without").expect("a part").1;
                let settings = format!("{before}# Nobody without{rest}");
                let settings = mosquitto(&settings, "listener 1883 127.0.0.1", port, dir.path());
                Self::run(kind, port, &settings, dir)
            }
            Kind::Nats => {
                let settings = read(kind, "nats.conf");
                let (before, tls) = settings.split_once("  tls {").expect("a part");
                let rest = tls.split_once("  }\n").expect("a part").1;
                Self::run(kind, port, &format!("{before}{rest}"), dir)
            }
        }
    }

    /// Users with certificates over TLS. The server's own certificate is `certs/server`, and
    /// `certs/panels.pem` the authority of the users'.
    pub(crate) fn start_with_certificates(kind: Kind, dir: Directory) -> Self {
        let port = free_port();
        match kind {
            Kind::Mosquitto => {
                let common = read(kind, "mosquitto.conf");
                let common = common.split_once("# Nobody without").expect("a part").1;
                let common = format!("# Nobody without{common}");
                let settings = format!("{}\n{common}", read(kind, "certificates.conf"));
                let settings = mosquitto(&settings, "listener 8884", port, dir.path());
                Self::run(kind, port, &settings, dir)
            }
            Kind::Nats => {
                let lines =
                    "    ca_file: \"/etc/nats/certs/panels.pem\"\n    verify_and_map: true\n";
                let settings = read(kind, "nats.conf");
                assert!(read(kind, "README.md").contains(lines), "as the README says");
                let settings = settings.replacen("  tls {\n", &format!("  tls {{\n{lines}"), 1);
                Self::run(kind, port, &settings, dir)
            }
        }
    }

    fn run(kind: Kind, port: u16, settings: &str, dir: Directory) -> Self {
        let (file, native_port) = (dir.path().join("broker.conf"), free_port());
        let own = dir.path().display().to_string();
        let (mut command, settings) = match kind {
            Kind::Mosquitto => {
                fs::write(dir.path().join("intercoms.acl"), Self::rules(kind)).expect("written");
                let mut command = Command::new("mosquitto");
                command.arg("-c").arg(&file);
                // As the user who starts it: another one could not read this directory.
                (command, format!("{settings}\nuser root\npersistence false\nlog_type all\n"))
            }
            Kind::Nats => {
                let mut command = Command::new("nats-server");
                command.arg("-c").arg(&file);
                let settings = settings
                    .replace("/etc/nats", &own)
                    .replace("/var/lib/nats", &format!("{own}/jetstream"))
                    .replace("0.0.0.0:8883", &format!("127.0.0.1:{port}"))
                    .replace("127.0.0.1:4222", &format!("127.0.0.1:{native_port}"));
                (command, settings)
            }
        };
        fs::write(&file, settings).expect("written");
        // Debian has them where only root's PATH leads.
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").expect("a PATH"));
        let mut process = Process::start("the broker", command.env("PATH", path));
        process.wait_for(match kind {
            Kind::Mosquitto => " running",
            Kind::Nats => "Server is ready",
        });
        Broker { kind, port, native_port, dir, process }
    }

    /// The shipped rules, and the watcher's.
    fn rules(kind: Kind) -> String {
        format!("{}\nuser {WATCHER}\ntopic readwrite #\n", read(kind, "intercoms.acl"))
    }

    /// As `systemctl reload` does it.
    pub(crate) fn reload(&mut self) {
        self.process.hang_up();
        self.process.wait_for(match self.kind {
            Kind::Mosquitto => "Reloading config",
            Kind::Nats => "Reloaded",
        });
    }
}
