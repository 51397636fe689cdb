//! TLS, by PEM files: the service's own certificate, and whom it trusts as a client.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, Result, ensure};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::secret_file;

/// A certificate, with those that lead to an authority behind it, and its key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// PEM: the own certificate first.
    pub certificate: PathBuf,
    /// PEM: PKCS#8, PKCS#1 or SEC1. Only its owner may read it.
    pub key: PathBuf,
}

/// The server's side. Its files can be read again.
#[derive(Debug)]
pub struct Server {
    files: Identity,
    config: RwLock<Arc<ServerConfig>>,
}

impl Server {
    /// Reads the files.
    ///
    /// # Errors
    /// Which file is wrong, and how.
    pub fn new(files: Identity) -> Result<Self> {
        let config = RwLock::new(server_config(&files)?);
        Ok(Server { files, config })
    }

    /// Reads the files again, for the connections to come.
    ///
    /// # Errors
    /// Which file is wrong, and how. What was read before stays in force.
    pub fn read_again(&self) -> Result<()> {
        let read = server_config(&self.files)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone().into()
    }
}

/// Without global state: rustls on ring.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn server_config(files: &Identity) -> Result<Arc<ServerConfig>> {
    let (chain, key) = read(files)?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| do_not_fit(files))?;
    Ok(Arc::new(config))
}

/// Trusts the authorities in `ca`, or without it those of the system, and shows a certificate where
/// there is one.
///
/// # Errors
/// Which file is wrong, and how.
pub fn client_config(ca: Option<&Path>, identity: Option<&Identity>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(authorities(ca)?);
    ensure!(added > 0, "there is no certificate of an authority to trust");
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    Ok(Arc::new(match identity {
        None => config.with_no_client_auth(),
        Some(files) => {
            let (chain, key) = read(files)?;
            config.with_client_auth_cert(chain, key).with_context(|| do_not_fit(files))?
        }
    }))
}

/// The certificates of the authorities in a file, or of those that the system trusts.
///
/// # Errors
/// The file cannot be read, or has none.
pub(crate) fn authorities(ca: Option<&Path>) -> Result<Vec<CertificateDer<'static>>> {
    match ca {
        Some(file) => certificates(file),
        // What the system cannot read is missing; if nothing is left, that is an error of its own.
        None => Ok(rustls_native_certs::load_native_certs().certs),
    }
}

fn read(files: &Identity) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let key = secret_file::read("TLS key", &files.key)?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .with_context(|| format!("{} has no private key in PEM", files.key.display()))?;
    Ok((certificates(&files.certificate)?, key))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let name = file.display();
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.with_context(|| format!("cannot read certificates from {name}"))?;
    ensure!(!read.is_empty(), "{name} has no certificate in PEM");
    Ok(read)
}

fn do_not_fit(files: &Identity) -> String {
    format!("{} and {} do not fit", files.certificate.display(), files.key.display())
}
