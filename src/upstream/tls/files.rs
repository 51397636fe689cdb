//! Certificates and keys from PEM files.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, RootCertStore};

use crate::config::ClientCertificate;
use crate::root::Root;

/// Where systems keep the authorities that they trust. The agent brings none of its own: they would
/// be 200 KB that only a new firmware could bring up to date.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt"];

/// Which file is wrong, and how.
#[derive(Debug)]
pub(crate) struct TlsFileError {
    file: Option<PathBuf>,
    what: String,
}

impl TlsFileError {
    pub(super) fn without_file(why: rustls::Error) -> Self {
        TlsFileError { file: None, what: why.to_string() }
    }

    pub(super) fn server_name(name: &str) -> Self {
        TlsFileError { file: None, what: format!("`server_name`: {name} is not a host name") }
    }

    fn in_file(file: &Path, what: impl Into<String>) -> Self {
        TlsFileError { file: Some(file.to_owned()), what: what.into() }
    }
}

/// The authorities of `ca_file`, all of which must be good; without one the system's, the good ones.
pub(super) fn roots(ca_file: Option<&Path>, root: &Root) -> Result<RootCertStore, TlsFileError> {
    let mut roots = RootCertStore::empty();
    let Some(file) = ca_file else {
        let system = SYSTEM_ROOTS.map(Path::new);
        let Some(file) = system.into_iter().find(|file| root.path(file).exists()) else {
            let what =
                "the system has no list of trusted authorities (ca-certificates): set `ca_file`";
            return Err(TlsFileError { file: None, what: what.to_owned() });
        };
        for certificate in certificates(file, root)? {
            // Old roots that the library cannot read are no reason to trust none at all.
            let _ = roots.add(certificate?);
        }
        return Ok(roots);
    };
    for (at, certificate) in certificates(file, root)?.enumerate() {
        roots.add(certificate?).map_err(|_| {
            let what = format!("its certificate number {} cannot be read", at + 1);
            TlsFileError::in_file(file, what)
        })?;
    }
    if roots.is_empty() {
        return Err(no_certificate(file));
    }
    Ok(roots)
}

/// The panel's own certificate with its chain, and its key.
pub(super) fn client(
    client: &ClientCertificate,
    root: &Root,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsFileError> {
    let chain: Vec<_> = certificates(&client.cert_file, root)?.collect::<Result<_, _>>()?;
    if chain.is_empty() {
        return Err(no_certificate(&client.cert_file));
    }
    let secret =
        client.key.read(root).map_err(|why| TlsFileError { file: None, what: why.to_string() })?;
    let key = PrivateKeyDer::from_pem_slice(secret.expose().as_bytes()).map_err(|why| {
        let what = match why {
            pem::Error::NoItemsFound => {
                "it holds no private key that can be used (an encrypted one cannot)".to_owned()
            }
            // Only what is wrong with the form: the content is secret.
            _ => "it is not PEM, or it is encrypted (an encrypted key cannot be used)".to_owned(),
        };
        TlsFileError::in_file(client.key.path(), what)
    })?;
    Ok((chain, key))
}

/// Certificate and key were read, and do not go together.
pub(super) fn unfit_pair(client: &ClientCertificate, why: &rustls::Error) -> TlsFileError {
    let cert_file = client.cert_file.display();
    let what = match why {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            format!("it is not the key of the certificate in {cert_file}")
        }
        // The provider's answer to a key that it cannot use.
        rustls::Error::General(_) => {
            "it is neither RSA of 2048 bits or more, nor ECDSA on P-256 or P-384, nor Ed25519"
                .to_owned()
        }
        _ => format!("it cannot be used with the certificate in {cert_file}: {why}"),
    };
    TlsFileError::in_file(client.key.path(), what)
}

/// One certificate after the other, so that a whole list is never held.
fn certificates<'f>(
    file: &'f Path,
    root: &Root,
) -> Result<impl Iterator<Item = Result<CertificateDer<'static>, TlsFileError>> + 'f, TlsFileError>
{
    let wrong = move |why: pem::Error| {
        let what = match why {
            pem::Error::Io(why) => format!("it cannot be read: {why}"),
            other => format!("it is not PEM: {other}"),
        };
        TlsFileError::in_file(file, what)
    };
    let found = CertificateDer::pem_file_iter(root.path(file)).map_err(wrong)?;
    Ok(found.map(move |certificate| certificate.map_err(wrong)))
}

fn no_certificate(file: &Path) -> TlsFileError {
    TlsFileError::in_file(
        file,
        "it holds no certificate (a block that begins with BEGIN CERTIFICATE)",
    )
}

impl fmt::Display for TlsFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}: {}", file.display(), self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for TlsFileError {}
