//! TLS for both routes: whom the panel trusts, and its own certificate.

mod files;
mod probe;
mod provider;

#[cfg(test)]
#[cfg_attr(not(feature = "mqtt"), allow(dead_code, reason = "half of it is for the tests below"))]
pub(super) mod testing;
#[cfg(test)]
#[cfg(feature = "mqtt")]
mod tests;
mod time;
mod verifier;

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion};

use super::Place;
use crate::config::{Settings, Tls, TlsVersion, Trust};
use crate::root::Root;

pub(super) use files::TlsFileError;
pub(super) use probe::is_spoken_at;
use verifier::{Verifier, Whom};

/// A route has one server. The library reserves memory for this many sessions at once.
const SESSIONS: usize = 1;

/// The TLS configuration of one route: rustls on ring, with no global state.
///
/// `protocols` are the ones that ALPN offers; none turns ALPN off. The files are read now: later
/// changes to them need a new configuration.
///
/// # Errors
/// Which file is wrong, and how.
pub(super) fn client_config(
    tls: &Tls,
    place: &Place,
    protocols: &[impl AsRef<[u8]>],
) -> Result<ClientConfig, TlsFileError> {
    let provider = Arc::new(provider::provider());
    let builder =
        ClientConfig::builder_with_details(provider.clone(), Arc::new(time::Lifted(place.floor)))
            .with_protocol_versions(versions(tls.min_version))
            .map_err(TlsFileError::Settings)?;
    let whom = match &tls.trust {
        Trust::Anyone => Whom::Anyone,
        Trust::Authorities { ca_file, server_name } => Whom::Authorities {
            roots: files::roots(ca_file.as_deref(), &place.root)?,
            name: server_name.as_deref().map(name).transpose()?,
        },
    };
    let verifier = Verifier { whom, algorithms: provider.signature_verification_algorithms };
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &tls.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let (chain, key) = files::client(client, &place.root)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|why| files::unusable_pair(client, why))?
        }
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_ref().to_vec()).collect();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}

/// Why the routes whose TLS cannot be set up would not connect, each with its table of the configuration.
pub(crate) fn unusable(settings: &Settings, root: &Root) -> Vec<(&'static str, TlsFileError)> {
    let place = Place::new(root.clone(), None);
    let no_protocols: [&[u8]; 0] = [];
    let mqtt = settings.mqtt.as_ref().map(|mqtt| ("mqtt", mqtt.brokers.tls(), &mqtt.tls));
    let services = [("http", &settings.http), ("billing", &settings.billing)];
    let services = services.into_iter().filter_map(|(table, service)| {
        let service = service.as_ref()?;
        Some((table, service.base.tls, &service.tls))
    });
    let over_tls = mqtt.into_iter().chain(services).filter(|(_, is_used, _)| *is_used);
    over_tls
        .filter_map(|(table, _, tls)| {
            client_config(tls, &place, &no_protocols).err().map(|why| (table, why))
        })
        .collect()
}

/// The version of TLS that a connection has.
pub(super) fn version(connection: &ClientConnection) -> &'static str {
    match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    }
}

fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    static FROM_1_2: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
    static FROM_1_3: [&SupportedProtocolVersion; 1] = [&TLS13];
    match min {
        TlsVersion::V1_2 => &FROM_1_2,
        TlsVersion::V1_3 => &FROM_1_3,
    }
}

/// The name or address that the certificate of a URL's host has to have.
///
/// # Errors
/// No certificate can have it.
#[cfg(feature = "mqtt")]
pub(super) fn host(host: &str) -> Result<ServerName<'static>, TlsFileError> {
    ServerName::try_from(host.to_owned()).map_err(|_| TlsFileError::Host(host.to_owned()))
}

fn name(name: &str) -> Result<ServerName<'static>, TlsFileError> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsFileError::ServerName(name.to_owned()))
}
