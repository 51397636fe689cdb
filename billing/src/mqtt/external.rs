//! Another broker than the built-in one: where it is, and how it is spoken to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use percent_encoding::percent_decode_str;
use rumqttc::{MqttOptions, Transport};
use rustls::ClientConfig;
use url::Url;

use super::tunnel::Tunnel;
use crate::secret_file;
use crate::tls::{self, Identity};

/// The options that name a broker.
#[derive(Clone, Default, Args)]
pub struct BrokerOptions {
    /// Another broker in place of the built-in one: mqtt://[USER[:PASSWORD]@]HOST[:PORT], or mqtts://
    /// for TLS.
    #[arg(long, value_name = "URL", conflicts_with = "mqtt_listen", hide_env_values = true)]
    broker: Option<String>,
    /// The authorities that may have certified an mqtts:// broker, as PEM; those of the system
    /// without it.
    #[arg(long, value_name = "FILE", requires = "broker")]
    broker_ca: Option<PathBuf>,
    /// The certificate that is shown to an mqtts:// broker, as PEM.
    #[arg(long, value_name = "FILE", requires_all = ["broker", "broker_key"])]
    broker_certificate: Option<PathBuf>,
    /// Its key, as PEM.
    #[arg(long, value_name = "FILE", requires = "broker_certificate")]
    broker_key: Option<PathBuf>,
    /// The user name at the broker.
    #[arg(long, value_name = "NAME", requires = "broker")]
    broker_user: Option<String>,
    /// A file with that user's password.
    #[arg(long, value_name = "FILE", requires = "broker_user")]
    broker_password_file: Option<PathBuf>,
}

/// A broker. Shown without its credentials.
#[derive(Clone)]
pub struct External {
    host: String,
    port: u16,
    credentials: Option<(String, String)>,
    /// `None`: plain TCP.
    tls: Option<Arc<ClientConfig>>,
}

/// What an URL says.
struct Address {
    is_tls: bool,
    host: String,
    port: u16,
    credentials: Option<(String, String)>,
}

impl BrokerOptions {
    /// The broker that they name, if they do.
    ///
    /// # Errors
    /// The URL or a file is wrong.
    pub fn broker(self) -> Result<Option<External>> {
        let Some(url) = self.broker else { return Ok(None) };
        // Parsed here: clap would show a wrong one with its password.
        let Address { is_tls, host, port, mut credentials } =
            parse(&url).context("--broker is wrong")?;
        let identity = self.broker_certificate.zip(self.broker_key);
        let identity = identity.map(|(certificate, key)| Identity { certificate, key });
        if !is_tls && (self.broker_ca.is_some() || identity.is_some()) {
            bail!("--broker-ca and --broker-certificate are for mqtts:// alone");
        }
        if let Some(user) = self.broker_user {
            ensure!(credentials.is_none(), "--broker has a user name, and so has --broker-user");
            let password = self.broker_password_file.as_deref().map(password).transpose()?;
            credentials = Some((user, password.unwrap_or_default()));
        }
        let tls = match is_tls {
            true => Some(tls::client_config(self.broker_ca.as_deref(), identity.as_ref())?),
            false => None,
        };
        Ok(Some(External { host, port, credentials, tls }))
    }
}

impl External {
    /// How our link connects: to a tunnel where TLS is wanted.
    pub(super) fn connection(&self, client_id: &str) -> Result<(MqttOptions, Option<Tunnel>)> {
        let (mut options, tunnel) = match &self.tls {
            None => (MqttOptions::new(client_id, &self.host, self.port), None),
            Some(tls) => {
                let tunnel = Tunnel::to(&self.host, self.port, tls.clone())?;
                let mut options = MqttOptions::new(client_id, tunnel.name(), self.port);
                options.set_transport(Transport::unix());
                (options, Some(tunnel))
            }
        };
        if let Some((user, password)) = &self.credentials {
            options.set_credentials(user, password);
        }
        Ok((options, tunnel))
    }
}

fn password(file: &Path) -> Result<String> {
    let bytes = secret_file::read("password file", file)?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| anyhow!("the password in {} is no text", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn parse(text: &str) -> Result<Address> {
    let url = Url::parse(text).context("not a URL such as mqtt://HOST:1883")?;
    let (is_tls, default_port) = match url.scheme() {
        "mqtt" => (false, 1883),
        "mqtts" => (true, 8883),
        other => bail!("`{other}://` is not supported, only mqtt:// and mqtts://"),
    };
    ensure!(
        matches!(url.path(), "" | "/") && url.query().is_none(),
        "it must be mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT], without path and query"
    );
    let host = url.host_str().filter(|host| !host.is_empty());
    let plain = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = match url.username() {
        "" => None,
        user => Some((plain(user), plain(url.password().unwrap_or_default()))),
    };
    Ok(Address {
        is_tls,
        host: host.context("it has no host")?.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(default_port),
        credentials,
    })
}

impl std::str::FromStr for External {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> Result<Self> {
        let options = BrokerOptions { broker: Some(url.to_owned()), ..BrokerOptions::default() };
        options.broker()?.context("no broker")
    }
}

impl std::fmt::Display for External {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let over = if self.tls.is_some() { " (TLS)" } else { "" };
        write!(f, "the broker {}:{}{over}", self.host, self.port)
    }
}

impl std::fmt::Debug for External {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}
