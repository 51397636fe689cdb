//! A mosquitto of the test's own.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use crate::{Directory, Process};

/// Whoever comes is let in, and nothing outlives the broker.
const OPEN: &str = "allow_anonymous true\npersistence false\n";

/// A mosquitto, gone with the value.
pub struct Broker {
    address: Ipv4Addr,
    port: u16,
    namespace: Option<String>,
    process: Option<Process>,
    dir: Directory,
}

impl Broker {
    /// On the loopback and any free port.
    pub fn start() -> Self {
        Self::start_with(OPEN)
    }

    /// The same, with settings of the test's own; in them `DIR` stands for the broker's directory.
    pub fn start_with(settings: &str) -> Self {
        Self::prepared(Directory::new(), None, Ipv4Addr::LOCALHOST, free_port(), settings)
    }

    /// The same, with a directory that already holds the files that the settings name.
    pub fn start_from(dir: Directory, settings: &str) -> Self {
        Self::prepared(dir, None, Ipv4Addr::LOCALHOST, free_port(), settings)
    }

    /// At `address` in another network namespace.
    pub fn start_in(namespace: &str, address: Ipv4Addr) -> Self {
        Self::prepared(Directory::new(), Some(namespace), address, 1883, OPEN)
    }

    /// The same, with a directory and settings of the test's own.
    pub fn start_from_in(
        dir: Directory,
        namespace: &str,
        address: Ipv4Addr,
        settings: &str,
    ) -> Self {
        Self::prepared(dir, Some(namespace), address, 1883, settings)
    }

    fn prepared(
        dir: Directory,
        namespace: Option<&str>,
        address: Ipv4Addr,
        port: u16,
        settings: &str,
    ) -> Self {
        let settings = settings.replace("DIR", &dir.path().display().to_string());
        // As the user who starts it: another one could not read this directory.
        let text = format!("listener {port} {address}\nuser root\n{settings}\n");
        fs::write(dir.path().join("mosquitto.conf"), text).expect("written");
        let namespace = namespace.map(str::to_owned);
        let mut broker = Broker { address, port, namespace, process: None, dir };
        broker.start_again();
        broker
    }

    /// After it was killed: at the same address, with the files that it left.
    pub fn start_again(&mut self) {
        let mut command = match &self.namespace {
            None => Command::new("mosquitto"),
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace, "mosquitto"]);
                command
            }
        };
        // Debian has it where only root's PATH leads.
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").expect("a PATH"));
        command.arg("-c").arg(self.dir.path().join("mosquitto.conf")).env("PATH", path);
        // What a test wants of TLS beyond mosquitto's own settings.
        let openssl = self.dir.path().join("openssl.cnf");
        if openssl.exists() {
            command.env("OPENSSL_CONF", openssl);
        }
        let mut process = Process::start("mosquitto", &mut command);
        process.wait_for(" running");
        self.process = Some(process);
    }

    /// Pulls its plug.
    pub fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    /// The running broker.
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("it runs")
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        self.dir.path()
    }

    /// Where it listens.
    pub fn address(&self) -> (String, u16) {
        (self.address.to_string(), self.port)
    }

    /// Where it listens, as the agent is told.
    pub fn url(&self) -> String {
        format!("mqtt://{}:{}", self.address, self.port)
    }
}

/// One that nobody listens on, below those that the kernel gives to clients: a broker must get it
/// again after it was away. No other test that runs now gets it too, in this program or another:
/// whoever got it need not have taken it yet, so the name of an abstract socket holds it until the
/// test ends.
pub fn free_port() -> u16 {
    static HELD: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());
    let random = || (RandomState::new().build_hasher().finish() % 20_000) as u16;
    let hold = |port: &u16| {
        let name = SocketAddr::from_abstract_name(format!("intercom-test-port-{port}"));
        UnixListener::bind_addr(&name.expect("a short name"))
    };
    let (port, held) = std::iter::repeat_with(|| 10_000 + random())
        .take(1000)
        .filter_map(|port| Some((port, hold(&port).ok()?)))
        .find(|(port, _)| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a port");
    HELD.lock().expect("nobody panics with it").push(held);
    port
}
