//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use intercom_billing::fleet;
use intercom_billing::http::Token;
use intercom_billing::mqtt::link::{Choice, External};
use intercom_billing::service::Settings;
use intercom_billing::signing::read_key;

/// The documented billing API for intercoms as a service, with the routes that panels speak.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the API until Ctrl-C or SIGTERM.
    Serve(Serve),
    /// Watch one panel take over another's identity, on this machine.
    Demo(Demo),
    /// Measure how many panels one mosquitto and this service carry, on this machine.
    Fleet(Fleet),
}

#[derive(Args)]
pub(crate) struct Demo {
    /// End when the panel has its new identity; exit code 0 only if it really has.
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Args)]
pub(crate) struct Fleet {
    /// Panels on the broker.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    panels: usize,
    /// So many of them are replaced: most before a restart of the broker, a tenth after it.
    #[arg(long, value_name = "N", default_value_t = 100)]
    replacements: usize,
    /// Panels that poll over HTTP, each as fast as it is answered; a tenth of them is replaced.
    #[arg(long, value_name = "N", default_value_t = 100)]
    polling: usize,
    /// How long they poll.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    poll_for: u64,
    /// How long the broker is away when it is restarted.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    broker_away: u64,
}

impl Fleet {
    pub(crate) fn settings(&self) -> Result<fleet::Settings> {
        Ok(fleet::Settings {
            billing: std::env::current_exe().context("cannot find this program")?,
            panels: self.panels,
            replacements: self.replacements,
            polling: self.polling,
            poll_for: Duration::from_secs(self.poll_for),
            broker_away: Duration::from_secs(self.broker_away),
        })
    }
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Where HTTP is served.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The SQLite file, made if it is not there.
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
    /// A file with the token that HTTP callers must send: `Authorization: Bearer …`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file with the Ed25519 key that requests to panels are signed with: PKCS#8 (PEM or DER) or a
    /// 32-byte seed. The log says what to write into the panels' configuration.
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// How long a replacement that already carries the new MAC address has to show up, before the
    /// panel that the PATCH names hears of the request, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    grace_ms: u32,
}

impl Serve {
    pub(crate) fn settings(self) -> Result<Settings> {
        let token = match &self.token_file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read the token file {}", file.display()))?;
                Some(
                    Token::new(&text)
                        .with_context(|| format!("the token file {} is empty", file.display()))?,
                )
            }
            None => None,
        };
        let broker = match self.broker {
            // Parsed here, since the parser of arguments would repeat a wrong one, password and all.
            Some(url) => Choice::External(url.parse::<External>().context("--broker is wrong")?),
            None => Choice::BuiltIn(self.mqtt_listen),
        };
        let signing_key = self.signing_key.as_deref().map(read_key).transpose()?;
        Ok(Settings {
            signing_key,
            listen: self.listen,
            database: self.database,
            broker,
            token,
            grace: Duration::from_millis(self.grace_ms.into()),
        })
    }
}
