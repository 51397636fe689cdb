//! The configuration, in three visible steps: the file's sections, validated settings, their use.
//!
//! ```text
//! /etc/intercom-agent.toml ──► Section (keys and their places) ──► Settings (what cannot be wrong)
//! ```

mod billing;
mod brokers;
mod endpoint;
mod error;
mod http;
mod in_force;
mod keys;
mod load;
mod mqtt;
mod named_files;
mod secret_file;
mod section;
mod serial_source;
mod settings;
mod signature;
mod template;
mod tls;
mod validate;
mod values;

pub use brokers::Brokers;
pub use endpoint::{Broker, HttpBase, Proxy};
pub use error::ConfigError;
pub use in_force::InForce;
pub use load::{DEFAULT_PATH, load, load_with_in_force, parse};
pub use named_files::UnusableFile;
pub use secret_file::{Secret, SecretFile, SecretFileError};
pub use serial_source::SerialSource;
pub use settings::{
    ByMac, ClientCertificate, HttpSettings, MqttSettings, SerialNumberSettings, Settings,
    SignatureSettings, Tls, TlsVersion, Topics, Trust,
};
pub use template::{Template, Unfilled, Values};
pub use validate::log_level;

#[cfg(test)]
#[cfg(all(feature = "http", feature = "mqtt"))]
mod tests;
