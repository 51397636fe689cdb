//! `serve`: its command line, and the service until it is stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::command::database::Database;
use crate::credentials::CredentialKey;
use crate::logging::{Format, Level};
use crate::mqtt::external::BrokerOptions;
use crate::mqtt::link::Choice;
use crate::program;
use crate::service::{Service, Settings};
use crate::signing::read_key;
use crate::store::Location;
use crate::store::macs::Believed;
use crate::tls::{self, Identity};

/// The options of `serve`.
#[derive(Args)]
pub struct Serve {
    /// Where HTTP is served.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Serves HTTPS with this certificate, and with those behind it in the file that lead to an
    /// authority. PEM; it and its key are read again on SIGHUP.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's key, as PEM. Only its owner may read the file.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
    /// Where the built-in MQTT broker listens for panels.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:1883")]
    mqtt_listen: SocketAddr,
    #[command(flatten)]
    broker: BrokerOptions,
    /// A name or address that HTTP callers may call this service by, besides the one it listens on
    /// and `localhost`. May be given several times, or with commas between them.
    #[arg(long = "host", value_name = "NAME", value_delimiter = ',')]
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
    /// A file with the 32 bytes that `onvif_credentials` are encrypted with in the database. Without it
    /// they are not kept.
    #[arg(long, value_name = "FILE")]
    credentials_key: Option<PathBuf>,
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

    /// Reads every file that the options name.
    ///
    /// # Errors
    /// A file cannot be used, or options do not fit.
    pub fn check(self) -> Result<()> {
        self.settings().map(drop)
    }

    /// Serves until Ctrl-C or SIGTERM.
    ///
    /// # Errors
    /// A file cannot be read, or the service cannot be started.
    pub async fn run(self) -> Result<()> {
        let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
        let mut hang_up = signal(SignalKind::hangup()).context("cannot watch for SIGHUP")?;
        let settings = self.settings()?;
        if let Some(key) = &settings.signing_key {
            let (key_id, public_key) = (key.key_id(), key.public_key());
            tracing::info!(
                "requests are signed; panels: [signature] keys = {{ \"{key_id}\" = \"{public_key}\" }}"
            );
        }
        let tls = settings.tls.clone();
        let service = Service::start(settings).await?;
        if let Some(token) = &service.first_token {
            program::print(format_args!(
                "No token had been made. This one is for an operator, and is shown this once: {}",
                token.expose()
            ))
            .context("the first token was not shown: make another one with `token add`")?;
        }
        let scheme = if tls.is_some() { "https" } else { "http" };
        tracing::info!("serving on {scheme}://{}", service.http);
        loop {
            tokio::select! {
                done = tokio::signal::ctrl_c() => break done.context("cannot watch for Ctrl-C")?,
                _ = terminate.recv() => break,
                _ = hang_up.recv() => read_again(tls.as_deref()),
            }
        }
        tracing::info!("stopping");
        service.stop().await;
        Ok(())
    }

    fn settings(self) -> Result<Settings> {
        let database = self.database.location()?;
        let broker = match (self.broker.broker()?, &database) {
            (Some(external), _) => Choice::External(external),
            (None, Location::File(_)) => Choice::BuiltIn(self.mqtt_listen),
            (None, Location::Postgres(_)) => bail!(
                "the built-in broker is in one process, and others may share a PostgreSQL database: name \
                 a broker that all of them and the panels reach with --broker"
            ),
        };
        let files = self.tls_certificate.zip(self.tls_key);
        let files = files.map(|(certificate, key)| Identity { certificate, key });
        let tls = files.map(tls::Server::new).transpose()?.map(Arc::new);
        let signing_key = self.signing_key.as_deref().map(read_key).transpose()?;
        let credential_key =
            self.credentials_key.as_deref().map(CredentialKey::read).transpose()?;
        Ok(Settings {
            signing_key,
            credential_key,
            listen: self.listen,
            tls,
            database,
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

/// What is wrong is told, and what was read before stays in force.
fn read_again(tls: Option<&tls::Server>) {
    match tls.map(tls::Server::read_again) {
        None => tracing::info!("nothing is read again: there is no certificate"),
        Some(Ok(())) => tracing::info!("the certificate was read again"),
        Some(Err(why)) => tracing::error!("the certificate stays as it was: {why:#}"),
    }
}
