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
    /// for TLS. May be given several times, or with commas between them, for the nodes of one broker:
    /// they are tried in turn.
    #[arg(
        long,
        value_name = "URL",
        value_delimiter = ',',
        conflicts_with = "mqtt_listen",
        hide_env_values = true
    )]
    broker: Vec<String>,
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

/// A broker: its nodes, in the order in which they are tried.
#[derive(Clone)]
pub struct External {
    /// One at least, none twice, and all over TLS or none.
    nodes: Vec<Node>,
    /// `None`: plain TCP.
    tls: Option<Arc<ClientConfig>>,
}

/// One of them, as its URL says. Shown without its credentials.
#[derive(Clone)]
pub(super) struct Node {
    is_tls: bool,
    host: String,
    port: u16,
    credentials: Option<(String, String)>,
}

impl BrokerOptions {
    /// The broker that they name, if they do.
    ///
    /// # Errors
    /// A URL or a file is wrong.
    pub fn broker(self) -> Result<Option<External>> {
        if self.broker.is_empty() {
            return Ok(None);
        }
        let which = |number: usize| match self.broker.len() {
            1 => "--broker is wrong".to_owned(),
            _ => format!("--broker is wrong: URL {number} (a comma in a password is %2C)"),
        };
        let mut nodes: Vec<Node> = Vec::new();
        for (url, number) in self.broker.iter().zip(1..) {
            // Parsed here: clap would show a wrong one with its password.
            let node = parse(url).with_context(|| which(number))?;
            for other in &nodes {
                let is_twice = (&other.host, other.port) == (&node.host, node.port);
                ensure!(!is_twice, "--broker names {node} twice");
                ensure!(other.is_tls == node.is_tls, "--broker mixes mqtt:// and mqtts://");
            }
            nodes.push(node);
        }
        let is_tls = nodes.iter().any(|node| node.is_tls);
        let identity = self.broker_certificate.zip(self.broker_key);
        let identity = identity.map(|(certificate, key)| Identity { certificate, key });
        if !is_tls && (self.broker_ca.is_some() || identity.is_some()) {
            bail!("--broker-ca and --broker-certificate are for mqtts:// alone");
        }
        if let Some(user) = self.broker_user {
            let is_named = nodes.iter().any(|node| node.credentials.is_some());
            ensure!(!is_named, "--broker has a user name, and so has --broker-user");
            let password = self.broker_password_file.as_deref().map(password).transpose()?;
            let credentials = (user, password.unwrap_or_default());
            nodes.iter_mut().for_each(|node| node.credentials = Some(credentials.clone()));
        }
        let tls = match is_tls {
            true => Some(tls::client_config(self.broker_ca.as_deref(), identity.as_ref())?),
            false => None,
        };
        Ok(Some(External { nodes, tls }))
    }
}

impl External {
    /// How many nodes there are.
    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The node whose turn it is: behind the last comes the first again.
    pub(super) fn node(&self, turn: usize) -> &Node {
        &self.nodes[turn % self.nodes.len()]
    }

    /// How our link connects to that node: through a tunnel.
    pub(super) fn connection(&self, turn: usize, client_id: &str) -> Result<(MqttOptions, Tunnel)> {
        let Node { host, port, credentials, .. } = self.node(turn);
        let tunnel = Tunnel::to(host, *port, self.tls.clone())?;
        let mut options = MqttOptions::new(client_id, tunnel.name(), *port);
        options.set_transport(Transport::unix());
        if let Some((user, password)) = credentials {
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

fn parse(text: &str) -> Result<Node> {
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
    Ok(Node {
        is_tls,
        host: host.context("it has no host")?.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(default_port),
        credentials,
    })
}

/// With commas between the URLs.
impl std::str::FromStr for External {
    type Err = anyhow::Error;

    fn from_str(urls: &str) -> Result<Self> {
        let broker = urls.split(',').map(str::to_owned).collect();
        BrokerOptions { broker, ..BrokerOptions::default() }.broker()?.context("no broker")
    }
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let over = if self.is_tls { " (TLS)" } else { "" };
        write!(f, "the broker {}:{}{over}", self.host, self.port)
    }
}

impl std::fmt::Debug for External {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.nodes.iter().map(ToString::to_string)).finish()
    }
}
