//! Real TLS ends: mosquitto's own, and stunnel in front of billing.

use std::fs;
use std::path::Path;
use std::process::Command;

use intercom_test_support::certificates::{Authority, NOW};
use intercom_test_support::{Billing, Board, Broker, Directory, OLD, Process, free_port};

/// The name by which the panel knows both ends.
const HOST: &str = "localhost";

/// A TLS end and its files: `server.pem`, `server.key` and `clients.pem`.
pub enum End {
    Mosquitto(Broker),
    Stunnel { port: u16, _process: Process, _dir: Directory, billing: Box<Billing> },
}

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Mosquitto,
    Stunnel,
}

/// What the end is like.
pub struct Terms<'a> {
    pub certificate_by: &'a Authority,
    pub certificate_for: &'a str,
    pub years: (i32, i32),
    /// Whose client certificates it wants; none for no client certificates.
    pub clients: Option<&'a Authority>,
    pub speaks: Speaks<'a>,
}

/// What an end speaks of TLS, in OpenSSL's words; whatever it likes unless told.
#[derive(Clone, Copy, Default)]
pub struct Speaks<'a> {
    /// The only version.
    pub version: Option<&'a str>,
    /// The only ciphers of TLS 1.2 and before.
    pub ciphers: Option<&'a str>,
    /// The only ciphers of TLS 1.3.
    pub ciphersuites: Option<&'a str>,
}

impl<'a> Speaks<'a> {
    pub fn only(version: &'a str) -> Self {
        Speaks { version: Some(version), ..Self::default() }
    }
}

impl<'a> Terms<'a> {
    pub fn good(authority: &'a Authority) -> Self {
        Terms {
            certificate_by: authority,
            certificate_for: HOST,
            years: NOW,
            clients: None,
            speaks: Speaks::default(),
        }
    }
}

impl End {
    pub fn start(kind: Kind, terms: &Terms) -> Self {
        let dir = Directory::new();
        terms.certificate_by.issue(terms.certificate_for, terms.years, &dir.path().join("server"));
        if let Some(clients) = terms.clients {
            clients.save(&dir.path().join("clients.pem"));
        }
        match kind {
            Kind::Mosquitto => {
                let mut settings =
                    "allow_anonymous true\ncertfile DIR/server.pem\nkeyfile DIR/server.key\n"
                        .to_owned();
                let Speaks { version, ciphers, ciphersuites } = terms.speaks;
                if let Some(version) = version {
                    // mosquitto's own setting is a lowest version.
                    fs::write(dir.path().join("openssl.cnf"), openssl_conf(version))
                        .expect("written");
                }
                let lists = [("ciphers", ciphers), ("ciphers_tls1.3", ciphersuites)];
                for (setting, list) in lists {
                    if let Some(list) = list {
                        settings.push_str(&format!("{setting} {list}\n"));
                    }
                }
                if terms.clients.is_some() {
                    settings.push_str("cafile DIR/clients.pem\nrequire_certificate true\n");
                }
                End::Mosquitto(Broker::start_from(dir, &settings))
            }
            Kind::Stunnel => {
                let billing = Box::new(Billing::start());
                let to = billing.url.trim_start_matches("http://").to_owned();
                let (port, process) = stunnel(dir.path(), &to, terms);
                End::Stunnel { port, _process: process, _dir: dir, billing }
            }
        }
    }

    /// A panel that is configured for this end and trusts `trusted`.
    pub fn board(&self, trusted: &Authority) -> Board {
        let board = Board::sandboxed("gate-1", OLD);
        trusted.save(&board.path("etc/ca.pem"));
        let section = match self {
            End::Mosquitto(broker) => {
                format!("[mqtt]\nurl = \"mqtts://{HOST}:{}\"\n", broker.address().1)
            }
            End::Stunnel { port, .. } => {
                format!("[http]\nurl = \"https://{HOST}:{port}\"\npoll_every = 1\n")
            }
        };
        board.configure(&format!("{section}ca_file = \"/etc/ca.pem\""));
        board
    }

    pub fn billing(&self) -> Option<&Billing> {
        match self {
            End::Mosquitto(_) => None,
            End::Stunnel { billing, .. } => Some(billing),
        }
    }
}

/// Gives the panel a certificate of its own.
pub fn prove_by(board: &Board, authority: &Authority) {
    authority.issue("gate-1", NOW, &board.path("etc/panel"));
    board.configure("client_cert_file = \"/etc/panel.pem\"\nclient_key_file = \"/etc/panel.key\"");
}

/// TLS on a port of its own, in front of a plain service.
fn stunnel(dir: &Path, to: &str, terms: &Terms) -> (u16, Process) {
    let port = free_port();
    let dir_shown = dir.display();
    let mut text = format!(
        "foreground = yes\npid =\n[end]\naccept = 127.0.0.1:{port}\nconnect = {to}\n\
         cert = {dir_shown}/server.pem\nkey = {dir_shown}/server.key\n"
    );
    if terms.clients.is_some() {
        text.push_str(&format!("CAfile = {dir_shown}/clients.pem\nverifyChain = yes\n"));
    }
    let Speaks { version, ciphers, ciphersuites } = terms.speaks;
    // Debian's OpenSSL does without the old versions unless told.
    let ciphers = version.map(|_| ciphers.unwrap_or("ALL:@SECLEVEL=0")).or(ciphers);
    for (setting, value) in
        [("sslVersion", version), ("ciphers", ciphers), ("ciphersuites", ciphersuites)]
    {
        if let Some(value) = value {
            text.push_str(&format!("{setting} = {value}\n"));
        }
    }
    let file = dir.join("stunnel.conf");
    fs::write(&file, text).expect("written");
    let mut process = Process::start(
        "stunnel",
        Command::new("stunnel4").arg(&file).env("OPENSSL_CONF", "/dev/null"),
    );
    process.wait_for("Configuration successful");
    (port, process)
}

fn openssl_conf(version: &str) -> String {
    format!(
        "openssl_conf = start\n[start]\nssl_conf = ssl\n[ssl]\nsystem_default = limits\n[limits]\n\
         MinProtocol = {version}\nMaxProtocol = {version}\n"
    )
}
