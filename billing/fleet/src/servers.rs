//! The servers beside the simulator: the billing service, with its own broker, one mosquitto or three nodes
//! of NATS.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::nats::Nats;
use crate::processes::{self, Process};

/// Which broker the panels connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broker {
    /// Billing's own: it restarts with the service.
    BuiltIn,
    /// A mosquitto.
    Mosquitto,
    /// The same, with each message in its log.
    LoggingMosquitto,
    /// Three nodes of NATS.
    Nats,
}

/// The broker beside billing.
enum Beside {
    Nothing,
    Mosquitto(Process),
    Nats(Nats),
}

/// The running servers, and where they listen.
pub(super) struct Servers {
    /// The program whose `serve` is the billing service.
    program: PathBuf,
    dir: PathBuf,
    broker: Broker,
    /// Where the broker listens: each of its nodes.
    pub(super) mqtt: Vec<SocketAddr>,
    pub(super) http: SocketAddr,
    beside: Beside,
    billing: Process,
    /// The database, as `serve` takes it.
    database: String,
}

impl Servers {
    /// Starts them with the database in `dir`; returns when both accept connections.
    pub(super) async fn start(program: PathBuf, dir: &Path, broker: Broker) -> Result<Self> {
        let database = Self::database(dir).display().to_string();
        Self::start_on(program, dir, broker, database).await
    }

    /// The same with another database.
    pub(super) async fn start_on(
        program: PathBuf,
        dir: &Path,
        broker: Broker,
        database: String,
    ) -> Result<Self> {
        let http = free_port()?;
        let (mqtt, beside) = match broker {
            Broker::BuiltIn => (vec![free_port()?], Beside::Nothing),
            Broker::Mosquitto | Broker::LoggingMosquitto => {
                let mqtt = free_port()?;
                (vec![mqtt], Beside::Mosquitto(mosquitto(dir, mqtt, broker).await?))
            }
            Broker::Nats => {
                let nats = Nats::start(dir)?;
                (nats.mqtt(), Beside::Nats(nats))
            }
        };
        let billing = billing(&program, dir, &database, http, &mqtt, broker).await?;
        let dir = dir.to_owned();
        Ok(Servers { program, dir, broker, mqtt, http, beside, billing, database })
    }

    /// One more billing process on the same database and broker, and where it serves HTTP.
    pub(super) async fn another(&self) -> Result<(Process, SocketAddr)> {
        let http = free_port()?;
        let (program, dir) = (&self.program, &self.dir);
        let process = billing(program, dir, &self.database, http, &self.mqtt, self.broker).await?;
        Ok((process, http))
    }

    /// Where billing keeps its records in `dir`.
    pub(super) fn database(dir: &Path) -> PathBuf {
        dir.join("billing.sqlite")
    }

    /// Where mosquitto writes its log in `dir`.
    pub(super) fn mosquitto_log(dir: &Path) -> PathBuf {
        dir.join("mosquitto.log")
    }

    /// Ends the broker, or kills the first of its nodes.
    pub(super) async fn stop_broker(&mut self) -> Result<()> {
        match &mut self.beside {
            Beside::Nothing => self.billing.stop().await,
            Beside::Mosquitto(mosquitto) => mosquitto.stop().await,
            Beside::Nats(nats) => nats.kill(0),
        }
    }

    pub(super) async fn start_broker(&mut self) -> Result<()> {
        match &mut self.beside {
            Beside::Nothing => {
                let (program, dir, database) = (&self.program, &self.dir, &self.database);
                self.billing =
                    billing(program, dir, database, self.http, &self.mqtt, self.broker).await?;
            }
            Beside::Mosquitto(process) => {
                *process = mosquitto(&self.dir, self.mqtt[0], self.broker).await?;
            }
            Beside::Nats(nats) => nats.start_again(0),
        }
        Ok(())
    }

    /// The resident memory of each.
    pub(super) fn memory(&self) -> Result<Vec<(&'static str, String)>> {
        let mut memory = vec![("billing", self.billing.memory()?)];
        match &self.beside {
            Beside::Nothing => {}
            Beside::Mosquitto(mosquitto) => memory.push(("mosquitto", mosquitto.memory()?)),
            Beside::Nats(nats) => {
                for node in nats.processes() {
                    memory.push(("NATS node", processes::memory(node)?));
                }
            }
        }
        Ok(memory)
    }
}

/// A port that is free now.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Starts mosquitto, with room for the retained presence of every panel as in `billing/mosquitto`.
/// Retained messages survive a restart in the same directory.
async fn mosquitto(dir: &Path, listen: SocketAddr, broker: Broker) -> Result<Process> {
    let is_logging = broker == Broker::LoggingMosquitto;
    let log_types = if is_logging { "log_type all\n" } else { "" };
    let config = dir.join("mosquitto.conf");
    fs::write(
        &config,
        format!(
            "listener {} {}\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
             max_queued_messages 100000\nuser {}\n{log_types}",
            listen.port(),
            listen.ip(),
            dir.display(),
            // The user who starts it: another one could not write to this directory.
            nix::unistd::User::from_uid(nix::unistd::getuid())?
                .map_or("root".to_owned(), |u| u.name),
        ),
    )?;
    // Debian installs it where only root's PATH looks.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(&config).env("PATH", path);
    let mut process = Process::start("mosquitto", &mut command, &Servers::mosquitto_log(dir))
        .context("is mosquitto installed?")?;
    process.listens(listen).await?;
    Ok(process)
}

/// Starts the billing service without a grace time: no board here already has its new MAC address.
async fn billing(
    program: &Path,
    dir: &Path,
    database: &str,
    http: SocketAddr,
    mqtt: &[SocketAddr],
    broker: Broker,
) -> Result<Process> {
    let mut command = Command::new(program);
    command.args(["serve", "--grace-ms", "0", "--listen", &http.to_string()]);
    if broker == Broker::BuiltIn {
        command.args(["--mqtt-listen", &mqtt[0].to_string()]);
    } else {
        let nodes: Vec<String> = mqtt.iter().map(|address| format!("mqtt://{address}")).collect();
        command.args(["--broker", &nodes.join(",")]);
    }
    command.args(["--database", database]);
    let mut process = Process::start("intercom-billing", &mut command, &dir.join("billing.log"))?;
    process.listens(http).await?;
    Ok(process)
}
