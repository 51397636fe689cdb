//! The PostgreSQL server: where it is, and how a connection to it is made.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::{Error, OpenError, Result};
use crate::tls;

/// The channel on which a commit is told.
pub(super) const LISTEN: &str = "LISTEN intercom_billing";
/// What tells of a commit.
pub(super) const NOTIFY: &str = "NOTIFY intercom_billing";
/// A process that was stopped in the middle of a transaction holds the others up for so long at most. A
/// statement that takes longer than its time is undone.
const SETTINGS: &str =
    "SET idle_in_transaction_session_timeout = '8s'; SET statement_timeout = '60s';
    SET lock_timeout = '30s'; SET synchronous_commit = on; SET TimeZone = 'UTC';
    SET client_min_messages = warning";
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// A server that is gone without a word is noticed within this time.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// A server and a database of it. Shown without the password.
#[derive(Clone)]
pub struct Server {
    config: Config,
    /// `None`: plain, as over a UNIX socket.
    tls: Option<MakeRustlsConnect>,
}

impl Server {
    /// The server of such a URL: `postgres://USER@HOST/DATABASE`, as libpq takes it, with the
    /// authorities in that PEM file, or those of the system.
    ///
    /// # Errors
    /// It is no such URL, or the file cannot be used.
    pub fn new(url: &str, ca: Option<&Path>) -> Result<Self, OpenError> {
        let mut config =
            Config::from_str(url).map_err(|why| OpenError::Url(Error::from(why).to_string()))?;
        config
            .application_name(&holder())
            .connect_timeout(CONNECTS_WITHIN)
            .tcp_user_timeout(ANSWERS_WITHIN)
            .keepalives_idle(ANSWERS_WITHIN);
        let is_local = |host: &Host| matches!(host, Host::Unix(_));
        let is_plain =
            config.get_ssl_mode() == SslMode::Disable || config.get_hosts().iter().all(is_local);
        if !is_plain {
            // Otherwise whoever is in between could have the password by saying that there is no TLS.
            config.ssl_mode(SslMode::Require);
        }
        let tls = match is_plain {
            true => None,
            false => {
                let client = tls::client_config(ca, None);
                let client = client.map_err(|why| OpenError::Tls(format!("{why:#}")))?;
                Some(MakeRustlsConnect::new((*client).clone()))
            }
        };
        Ok(Server { config, tls })
    }

    /// A new connection, ready for statements.
    pub(in crate::store) fn connect(&self) -> Result<Client> {
        let mut client = match &self.tls {
            Some(tls) => self.config.connect(tls.clone())?,
            None => self.config.connect(NoTls)?,
        };
        client.batch_execute(SETTINGS)?;
        Ok(client)
    }
}

/// What this process is called in the database: a process by its number, on a host by its name.
pub(in crate::store) fn holder() -> String {
    let host = nix::unistd::gethostname().unwrap_or_default();
    format!("intercom-billing {} on {}", std::process::id(), host.display())
}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        Error::Postgres(error)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<String> = hosts.collect();
        let database = self.config.get_dbname().or(self.config.get_user()).unwrap_or_default();
        write!(f, "{database} of PostgreSQL at {}", hosts.join(", "))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
