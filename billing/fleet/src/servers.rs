//! The servers beside the simulator: the billing service, with its own broker or one mosquitto.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::processes::Process;

/// Which broker the panels connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broker {
    /// Billing's own: it restarts with the service.
    BuiltIn,
    /// A mosquitto.
    Mosquitto,
    /// The same, with each message in its log.
    LoggingMosquitto,
}

/// The running servers, and where they listen.
pub(super) struct Servers {
    /// The program whose `serve` is the billing service.
    program: PathBuf,
    dir: PathBuf,
    broker: Broker,
    pub(super) mqtt: SocketAddr,
    pub(super) http: SocketAddr,
    mosquitto: Option<Process>,
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
        let (mqtt, http) = (free_port()?, free_port()?);
        let mosquitto = mosquitto(dir, mqtt, broker).await?;
        let billing = billing(&program, dir, &database, http, mqtt, broker).await?;
        let dir = dir.to_owned();
        Ok(Servers { program, dir, broker, mqtt, http, mosquitto, billing, database })
    }

    /// One more billing process on the same database and broker, and where it serves HTTP.
    pub(super) async fn another(&self) -> Result<(Process, SocketAddr)> {
        let http = free_port()?;
        let (program, dir) = (&self.program, &self.dir);
        let process = billing(program, dir, &self.database, http, self.mqtt, self.broker).await?;
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

    pub(super) async fn stop_broker(&mut self) -> Result<()> {
        self.mosquitto.as_mut().unwrap_or(&mut self.billing).stop().await
    }

    pub(super) async fn start_broker(&mut self) -> Result<()> {
        self.mosquitto = mosquitto(&self.dir, self.mqtt, self.broker).await?;
        if self.mosquitto.is_none() {
            self.billing = billing(
                &self.program,
                &self.dir,
                &self.database,
                self.http,
                self.mqtt,
                self.broker,
            )
            .await?;
        }
        Ok(())
    }

    /// The resident memory of each.
    pub(super) fn memory(&self) -> Result<Vec<(&'static str, String)>> {
        let mosquitto = self.mosquitto.iter().map(|mosquitto| ("mosquitto", mosquitto));
        let all = [("billing", &self.billing)].into_iter().chain(mosquitto);
        all.map(|(name, process)| Ok((name, process.memory()?))).collect()
    }
}

/// A port that is free now.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Starts mosquitto, with room for the retained presence of every panel as in `billing/mosquitto`.
/// Retained messages survive a restart in the same directory.
async fn mosquitto(dir: &Path, listen: SocketAddr, broker: Broker) -> Result<Option<Process>> {
    let log_types = match broker {
        Broker::BuiltIn => return Ok(None),
        Broker::Mosquitto => "",
        Broker::LoggingMosquitto => "log_type all\n",
    };
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
    Ok(Some(process))
}

/// Starts the billing service without a grace time: no board here already has its new MAC address.
async fn billing(
    program: &Path,
    dir: &Path,
    database: &str,
    http: SocketAddr,
    mqtt: SocketAddr,
    broker: Broker,
) -> Result<Process> {
    let mut command = Command::new(program);
    command.args(["serve", "--grace-ms", "0", "--listen", &http.to_string()]);
    match broker {
        Broker::BuiltIn => command.args(["--mqtt-listen", &mqtt.to_string()]),
        Broker::Mosquitto | Broker::LoggingMosquitto => {
            command.args(["--broker", &format!("mqtt://{mqtt}")])
        }
    };
    command.args(["--database", database]);
    let mut process = Process::start("intercom-billing", &mut command, &dir.join("billing.log"))?;
    process.listens(http).await?;
    Ok(process)
}
