//! TLS for both routes: what the panel trusts, how it proves itself, and what a failure means.

mod anyone;
mod explain;
mod files;
mod name;

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod time;

use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, crypto};

use super::Place;
use crate::config::{Tls, Trust};

pub(super) use explain::{explain, tls_failure};
pub(super) use files::TlsFileError;

/// One server is spoken to. The library keeps room for this many sessions from the start.
const SESSIONS: usize = 1;

/// What one route's connections have in common: TLS 1.2 and 1.3 on ring, nothing global.
///
/// `protocols` are what ALPN offers, none for no ALPN. Reads the files at once, so make it anew to
/// have new ones count.
///
/// # Errors
/// Which file is wrong, and how.
pub(super) fn client_config(
    tls: &Tls,
    place: &Place,
    protocols: &[impl AsRef<[u8]>],
) -> Result<ClientConfig, TlsFileError> {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_details(provider.clone(), Arc::new(time::Lifted(place.floor)))
            .with_safe_default_protocol_versions()
            .map_err(TlsFileError::without_file)?;
    let builder = match &tls.trust {
        Trust::Anyone => {
            let verifier = Arc::new(anyone::Anyone(provider.signature_verification_algorithms));
            builder.dangerous().with_custom_certificate_verifier(verifier)
        }
        Trust::Authorities { ca_file, server_name } => {
            let roots = files::roots(ca_file.as_deref(), &place.root)?;
            match server_name {
                None => builder.with_root_certificates(roots),
                Some(name) => {
                    let name = ServerName::try_from(name.clone())
                        .map_err(|_| TlsFileError::server_name(name))?;
                    let usual =
                        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                            .build()
                            .map_err(|why| {
                                let why = rustls::Error::General(why.to_string());
                                TlsFileError::without_file(why)
                            })?;
                    let verifier = Arc::new(name::ForName { usual, name });
                    builder.dangerous().with_custom_certificate_verifier(verifier)
                }
            }
        }
    };
    let mut config = match &tls.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let (chain, key) = files::client(client, &place.root)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|why| files::unfit_pair(client, &why))?
        }
    };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_ref().to_vec()).collect();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}
