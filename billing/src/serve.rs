//! `serve`: its command line, and the service until it is stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::logging::{Format, Level};
use crate::mqtt::link::{Choice, External};
use crate::service::{Service, Settings};
use crate::signing::read_key;
use crate::store::macs::Believed;

/// The options of `serve`.
#[derive(Args)]
pub struct Serve {
    /// Where HTTP is served.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The SQLite file; it is created if it does not exist.
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// Where the built-in MQTT broker listens for panels.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:1883")]
    mqtt_listen: SocketAddr,
    /// Another broker in place of the built-in one: mqtt://[USER[:PASSWORD]@]HOST[:PORT].
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "mqtt_listen",
        env = "INTERCOM_BILLING_BROKER",
        hide_env_values = true
    )]
    broker: Option<String>,
    /// A name or address that HTTP callers may call this service by, besides the one it listens on
    /// and `localhost`. May be given several times.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Lets anybody who reaches it do everything, until a token is made (`intercom-billing token`).
    /// Without it and without tokens, only callers on this machine may: where others reach it, the start
    /// makes a token for an operator and prints it.
    #[arg(long)]
    open: bool,
    /// A file with the Ed25519 key that requests to panels are signed with: PKCS#8 (PEM or DER) or
    /// a 32-byte seed. The log says what to write into the panels' configuration.
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// How long a replacement that already carries the new MAC address has to show up before the
    /// panel that the PATCH names gets the request, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    grace_ms: u32,
    /// Whose claim of a MAC address counts: `any` board's that is the first with it, or only that of
    /// the `known` ones, which an operator has enrolled with it (`POST /api/v1/agent/decisions`).
    #[arg(long, value_name = "WHICH", default_value = "any")]
    boards: Boards,
    /// How the lines of the log are written.
    #[arg(long = "log", value_name = "FORMAT", default_value = "text")]
    log_format: Format,
    /// How much is logged.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: Level,
}

/// The values of `--boards`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Boards {
    Any,
    Known,
}

impl Serve {
    /// How it logs.
    pub fn log(&self) -> (Format, Level) {
        (self.log_format, self.log_level)
    }

    /// Serves until Ctrl-C or SIGTERM.
    ///
    /// # Errors
    /// A file cannot be read, or the service cannot be started.
    pub async fn run(self) -> Result<()> {
        let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
        let settings = self.settings()?;
        if let Some(key) = &settings.signing_key {
            let (key_id, public_key) = (key.key_id(), key.public_key());
            log::info!(
                "requests are signed; panels: [signature] keys = {{ \"{key_id}\" = \"{public_key}\" }}"
            );
        }
        let service = Service::start(settings).await?;
        if let Some(token) = &service.first_token {
            println!(
                "No token had been made. This one is for an operator, and is shown this once: {}",
                token.expose()
            );
        }
        log::info!("serving on http://{}", service.http);
        tokio::select! {
            done = tokio::signal::ctrl_c() => done.context("cannot watch for Ctrl-C")?,
            _ = terminate.recv() => {}
        }
        log::info!("stopping");
        service.stop().await;
        Ok(())
    }

    fn settings(self) -> Result<Settings> {
        let broker = match self.broker {
            // Parsed here: clap would show a wrong one with its password.
            Some(url) => Choice::External(url.parse::<External>().context("--broker is wrong")?),
            None => Choice::BuiltIn(self.mqtt_listen),
        };
        let signing_key = self.signing_key.as_deref().map(read_key).transpose()?;
        Ok(Settings {
            signing_key,
            listen: self.listen,
            database: self.database,
            broker,
            hosts: self.hosts,
            open: self.open,
            grace: Duration::from_millis(self.grace_ms.into()),
            boards: match self.boards {
                Boards::Any => Believed::FirstSight,
                Boards::Known => Believed::Known,
            },
        })
    }
}
