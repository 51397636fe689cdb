//! Settings: every value checked, every default filled in.

use std::path::PathBuf;
use std::time::Duration;

use intercom_wire::signature::Keys;
use intercom_wire::{BoardName, Mac};
use log::LevelFilter;

use super::{Brokers, HttpBase, Proxy, SecretFile, SerialSource, Template};
use crate::board::Uplink;
use crate::environment::Policy;
use crate::record::Route;

/// The whole configuration. Paths are the board's absolute paths: give each to
/// [`Root::path`](crate::root::Root::path) before it is opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The interface that carries the panel's MAC address.
    pub interface: String,
    /// The interface that the traffic leaves by, where that is another one on purpose.
    pub uplink: Option<String>,
    /// The U-Boot variable that has this interface's MAC address, where one has.
    pub mac_variable: Option<String>,
    /// The id that billing knows this panel by, at least 1.
    pub id: Option<i64>,
    /// The stable board name, instead of the one from the die ID or the factory MAC.
    pub board_name: Option<BoardName>,
    /// The models that this panel answers to, instead of the device tree's; perhaps none.
    pub models: Vec<String>,
    /// MAC addresses that boot scripts give to any board.
    pub placeholder_macs: Vec<Mac>,
    /// Where the record is.
    pub state_dir: PathBuf,
    /// Where the runtime files and the daemon's socket are.
    pub runtime_dir: PathBuf,
    /// Where the hooks are.
    pub hooks_dir: PathBuf,
    /// How long each hook may take.
    pub hook_time_limit: Duration,
    /// When the U-Boot environment may be written.
    pub environment: Policy,
    /// How long a change may go unconfirmed before it is rolled back.
    pub confirm_within: Duration,
    /// How long the new connection must stay alive to count.
    pub settle: Duration,
    /// How many changes may begin within an hour.
    pub changes_per_hour: u32,
    /// How much is logged.
    pub log_level: LevelFilter,
    /// Where the serial number comes from and goes to.
    pub serial_number: SerialNumberSettings,
    /// Whose signatures count.
    pub signature: SignatureSettings,
    /// The broker, where MQTT is used.
    pub mqtt: Option<MqttSettings>,
    /// The HTTP service, where it is polled.
    pub http: Option<HttpSettings>,
    /// The documented API, where the panel tells it itself of each confirmed change.
    pub billing: Option<HttpSettings>,
}

impl Settings {
    /// The link that must carry the traffic.
    pub fn uplink(&self) -> Uplink {
        Uplink { interface: self.interface.clone(), other: self.uplink.clone() }
    }

    /// The hosts that a route connects to; none where it is not configured.
    pub fn hosts(&self, route: Route) -> Vec<&str> {
        let service = match route {
            Route::Mqtt => {
                let brokers = self.mqtt.iter().flat_map(|mqtt| mqtt.brokers.all());
                return brokers.map(|broker| broker.host.as_str()).collect();
            }
            Route::Http => &self.http,
            Route::Billing => &self.billing,
        };
        service.iter().map(HttpSettings::host).collect()
    }

    /// Whether a route judges a certificate, and so needs the wall clock.
    pub fn judges(&self, route: Route) -> bool {
        let service = match route {
            Route::Mqtt => {
                return self
                    .mqtt
                    .as_ref()
                    .is_some_and(|mqtt| mqtt.brokers.tls() && mqtt.tls.judges());
            }
            Route::Http => &self.http,
            Route::Billing => &self.billing,
        };
        service.as_ref().is_some_and(|service| service.base.tls && service.tls.judges())
    }

    /// The sections whose server nobody checks (`insecure = true`).
    pub fn insecure(&self) -> Vec<&'static str> {
        let mqtt = self.mqtt.as_ref().map(|mqtt| ("[mqtt]", &mqtt.tls));
        let http = self.http.as_ref().map(|http| ("[http]", &http.tls));
        let billing = self.billing.as_ref().map(|billing| ("[billing]", &billing.tls));
        let sections = mqtt.into_iter().chain(http).chain(billing);
        sections.filter(|(_, tls)| tls.trust == Trust::Anyone).map(|(name, _)| name).collect()
    }
}

/// Where the serial number comes from and goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialNumberSettings {
    /// Where it is looked for, in this order; the first that answers counts.
    pub sources: Vec<SerialSource>,
    /// The U-Boot variable that a new one is written to, where there is one.
    pub environment_variable: Option<String>,
}

/// Signed requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignatureSettings {
    /// Whether unsigned requests are ignored; then there is a key.
    pub required: bool,
    /// Whose signatures count; perhaps nobody's.
    pub keys: Keys,
}

/// The MQTT route.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttSettings {
    /// The broker's addresses; whether over TLS.
    pub brokers: Brokers,
    /// How it is trusted, and how the panel proves itself to it.
    pub tls: Tls,
    /// The protocols that ALPN offers it, each of 1 to 255 bytes; none for no ALPN.
    pub alpn: Vec<String>,
    /// The user name that it wants.
    pub username: Option<String>,
    /// The password that goes with it.
    pub password: Option<SecretFile>,
    /// The keep-alive interval.
    pub keep_alive: Duration,
    /// The time limit for name lookup, TCP, TLS and CONNACK together.
    pub connect_timeout: Duration,
    /// The topics.
    pub topics: Topics,
}

/// Whether requests are heard on the topics of the panel's MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByMac {
    /// They are not.
    No,
    /// Nobody has said so: where the broker grants them.
    Wished,
    /// They must be: without them the panel is not reached.
    Wanted,
}

/// The MQTT topics.
#[derive(Debug, Clone, PartialEq)]
pub struct Topics {
    /// Requests for this panel, each one level below.
    pub patch: Template,
    /// Requests for this board, each one level below.
    pub board_patch: Template,
    /// Whether the topics of `patch` are subscribed to.
    pub by_mac: ByMac,
    /// Reports.
    pub status: Template,
    /// Whether this board is on line, and what it claims to be.
    pub presence: Template,
    /// Where this board is asked to say that it is there.
    pub board_who: Template,
    /// Where every board is.
    pub everybody_who: Template,
    /// Where panels ask each other who has a MAC address.
    pub mac_who: Template,
    /// Where they answer, each one level below.
    pub mac_here: Template,
}

/// A service that is spoken to over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSettings {
    /// The service.
    pub base: HttpBase,
    /// How it is trusted, and how the panel proves itself to it.
    pub tls: Tls,
    /// What the connections to it are made through, where that is not direct.
    pub proxy: Option<Proxy>,
    /// The bearer token that it wants.
    pub token: Option<SecretFile>,
    /// How often it is asked.
    pub poll_every: Duration,
    /// The path of the pending requests, below the base; of billing, the path that shows an intercom.
    pub pending: Template,
    /// The path that takes reports, below the base; of billing, the documented PATCH.
    pub status: Template,
}

impl HttpSettings {
    /// The host that connections are made to.
    fn host(&self) -> &str {
        self.proxy.as_ref().map_or(&self.base.host, |proxy| &proxy.host)
    }
}

/// What a TLS connection needs; the default on a plain one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whose word the panel takes for who the server is.
    pub trust: Trust,
    /// The oldest version that the panel accepts.
    pub min_version: TlsVersion,
    /// How the panel proves itself, where it must.
    pub client: Option<ClientCertificate>,
}

/// A version of TLS (RFC 5246, RFC 8446). Older ones are not safe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    V1_2,
    /// TLS 1.3.
    V1_3,
}

impl Tls {
    /// Whether certificates are judged at all, and so by the wall clock.
    pub fn judges(&self) -> bool {
        matches!(self.trust, Trust::Authorities { .. })
    }
}

/// Whose word the panel takes for who the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// That of authorities, by the certificate that one of them has signed.
    Authorities {
        /// The PEM file of those that are trusted, instead of the system's.
        ca_file: Option<PathBuf>,
        /// The name that the certificate must have, where it is not the host of the URL.
        server_name: Option<String>,
    },
    /// Its own: whoever answers is taken for it (`insecure = true`).
    Anyone,
}

impl Default for Trust {
    fn default() -> Self {
        Trust::Authorities { ca_file: None, server_name: None }
    }
}

/// A client certificate and its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate and its chain.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key: SecretFile,
}
