//! `enrol`: lets one panel in. Its token, its user at the broker, and the files that it needs.

mod broker_user;
mod panel_files;

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use intercom_wire::{BoardName, Mac};
use url::Url;

use crate::audit::Actor;
use crate::command::database::Database;
use crate::operations;
use crate::principal::{Role, Secret, SecretDigest, holder_name};
use crate::program;
use crate::store::Transaction;
use broker_user::BrokerKind;
use panel_files::PanelFiles;

/// The options of `enrol`.
#[derive(Args)]
#[command(after_help = "The user for the broker goes to standard output, for example:
  intercom-billing enrol gate-1 --database billing.sqlite --broker mosquitto \\
    --mqtt-url mqtts://broker.example --output gate-1 >> /etc/mosquitto/intercoms.passwords")]
pub struct Enrol {
    /// The board, as `intercom-agent identity` shows it; or the name that it is to have.
    board: BoardName,
    #[command(flatten)]
    database: Database,
    /// A new directory for the panel's files, in their places: /etc/intercom-agent.toml and the
    /// secrets that it names.
    #[arg(long, value_name = "DIRECTORY")]
    output: PathBuf,
    /// The broker as the panel reaches it: mqtt://HOST[:PORT] or mqtts://HOST[:PORT].
    #[arg(long, value_name = "URL", value_parser = mqtt_url, required_unless_present = "http_url")]
    mqtt_url: Option<Url>,
    /// Which broker that is, for its user with a new password. Without it, it is the built-in one, where
    /// the token is the password.
    #[arg(long, value_name = "KIND", requires = "mqtt_url")]
    broker: Option<BrokerKind>,
    /// This service as the panel reaches it: http://HOST[:PORT] or https://HOST[:PORT].
    #[arg(long, value_name = "URL", value_parser = http_url)]
    http_url: Option<Url>,
    /// The authorities that the panel trusts, PEM. Without it, those of the panel's own system.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The MAC address that the board has: it belongs to this board from now on, as `--boards known`
    /// wants it.
    #[arg(long)]
    mac: Option<Mac>,
    /// Who or where it is, for people to read.
    #[arg(long, value_parser = holder_name)]
    name: Option<String>,
}

impl Enrol {
    /// Does what the command line asks for. The token counts once everything else is done.
    ///
    /// # Errors
    /// A file or the database cannot be used, or the directory is there already.
    pub async fn run(self) -> Result<()> {
        let store = self.database.open_or_make()?;
        let token = Secret::random()?;
        let password = self.broker.map(|_| Secret::random()).transpose()?;
        let user = self.broker.zip(password.as_ref());
        let user = user.map(|(kind, password)| kind.user(&self.board, password)).transpose()?;
        PanelFiles {
            board: &self.board,
            mqtt: self.mqtt_url.as_ref(),
            http: self.http_url.as_ref(),
            ca_file: self.ca_file.as_deref(),
            token: &token,
            password: password.as_ref(),
        }
        .write(&self.output)?;
        let digest = SecretDigest::of(token.expose().as_bytes());
        let (board, output) = (self.board.clone(), self.output.display());
        let number = store
            .write(move |transaction: &Transaction<'_>| {
                let by = Actor::CommandLine;
                if let Some(mac) = self.mac {
                    operations::enrol(transaction, &board, mac, &by)?;
                }
                let role = Role::Panel(board);
                let name = self.name.as_deref();
                let number = operations::keep_token(transaction, digest, &role, name, &by)?;
                // What cannot be told is not kept.
                user.map_or(Ok(()), program::print)?;
                Ok::<_, anyhow::Error>(number)
            })
            .await?;
        if let Some(kind) = self.broker {
            eprintln!("The user for the broker: {}.", kind.place());
        }
        eprintln!(
            "Token {number} is for board {}. The files of {output} go to the same places on the panel, \
             where `intercom-agent config` checks them. They have secrets: delete {output} then.",
            self.board
        );
        Ok(())
    }
}

fn mqtt_url(text: &str) -> Result<Url, WrongUrl> {
    url(text, ["mqtt", "mqtts"])
}

fn http_url(text: &str) -> Result<Url, WrongUrl> {
    url(text, ["http", "https"])
}

/// Of one of these schemes, with a host and without a password: that is in a file of its own.
fn url(text: &str, schemes: [&'static str; 2]) -> Result<Url, WrongUrl> {
    let url = Url::parse(text).map_err(|_| WrongUrl(schemes))?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    match schemes.contains(&url.scheme()) && url.has_host() && is_plain {
        true => Ok(url),
        false => Err(WrongUrl(schemes)),
    }
}

/// A panel could not use this URL.
#[derive(Debug)]
struct WrongUrl([&'static str; 2]);

impl fmt::Display for WrongUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [plain, tls] = self.0;
        write!(f, "it is not {plain}://HOST[:PORT] or {tls}://HOST[:PORT]")
    }
}

impl std::error::Error for WrongUrl {}
