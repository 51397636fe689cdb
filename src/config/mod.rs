//! The configuration, in three visible steps: the file as found, validated settings, their use.
//!
//! ```text
//! /etc/intercom-agent.toml ──► found (what may be written) ──► Settings (what cannot be wrong)
//! ```

mod endpoint;
mod error;
mod found;
mod load;
mod secret_file;
mod serial_source;
mod settings;
mod signature;
mod template;
mod validate;

pub use endpoint::{Broker, HttpBase};
pub use error::ConfigError;
pub use load::{DEFAULT_PATH, load, parse};
pub use secret_file::{Secret, SecretFile, SecretFileError};
pub use serial_source::SerialSource;
pub use settings::{
    ClientCertificate, HttpSettings, MqttSettings, SerialNumberSettings, Settings,
    SignatureSettings, Tls, Topics,
};
pub use template::{Template, Unfilled, Values};

#[cfg(test)]
mod tests;
