//! Certificates and keys from PEM files.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, RootCertStore};

use crate::config::{ClientCertificate, SecretFileError};
use crate::root::Root;
use crate::text;

/// Where systems keep the authorities that they trust. The agent has no list of its own: it would be
/// 200 KB that only a new firmware could update.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt"];

/// Why TLS cannot be set up.
#[derive(Debug)]
pub(crate) enum TlsFileError {
    /// The system has no list of trusted authorities, and the configuration names none.
    NoAuthorities,
    /// `server_name` is not a host name.
    ServerName(String),
    /// The host in the URL is no name that a certificate can have.
    #[cfg(feature = "mqtt")]
    Host(String),
    /// The library does not accept the settings.
    Settings(rustls::Error),
    /// The file with the key cannot be used.
    Secret(SecretFileError),
    /// What a file holds cannot be used.
    Content { file: PathBuf, fault: Fault },
}

/// What is wrong with a file.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is not PEM.
    NotPem,
    /// It holds no certificate.
    NoCertificate,
    /// This one of its certificates cannot be read; the first is 1.
    Certificate(usize),
    /// It holds no private key.
    NoKey,
    /// It is not PEM, or is encrypted. Nothing more is told: the content is secret.
    KeyNotPem,
    /// It is the key of another certificate than the one in this file.
    OtherKey { cert_file: PathBuf },
    /// The panel cannot sign with such a key.
    UnsupportedKey,
    /// It cannot be used with the certificate in this file.
    UnusablePair { cert_file: PathBuf, why: rustls::Error },
}

impl Fault {
    fn of_pem(why: pem::Error) -> Self {
        match why {
            pem::Error::Io(why) => Fault::Unreadable(why),
            _ => Fault::NotPem,
        }
    }

    fn in_file(self, file: &Path) -> TlsFileError {
        TlsFileError::Content { file: file.to_owned(), fault: self }
    }
}

/// The authorities of `ca_file`, each of which must be readable. Without `ca_file`, those of the
/// system that can be read.
pub(super) fn roots(ca_file: Option<&Path>, root: &Root) -> Result<RootCertStore, TlsFileError> {
    let mut roots = RootCertStore::empty();
    let Some(file) = ca_file else {
        let system = SYSTEM_ROOTS.map(Path::new);
        let Some(file) = system.into_iter().find(|file| root.path(file).exists()) else {
            return Err(TlsFileError::NoAuthorities);
        };
        for certificate in certificates(file, root)? {
            // One old root that the library cannot read must not cost the others.
            let _ = roots.add(certificate?);
        }
        return Ok(roots);
    };
    for (at, certificate) in certificates(file, root)?.enumerate() {
        roots.add(certificate?).map_err(|_| Fault::Certificate(at + 1).in_file(file))?;
    }
    if roots.is_empty() {
        return Err(Fault::NoCertificate.in_file(file));
    }
    Ok(roots)
}

/// The panel's own certificate with its chain, and the key.
pub(super) fn client(
    client: &ClientCertificate,
    root: &Root,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsFileError> {
    let chain: Vec<_> = certificates(&client.cert_file, root)?.collect::<Result<_, _>>()?;
    if chain.is_empty() {
        return Err(Fault::NoCertificate.in_file(&client.cert_file));
    }
    let secret = client.key.read(root).map_err(TlsFileError::Secret)?;
    let key = PrivateKeyDer::from_pem_slice(secret.expose().as_bytes()).map_err(|why| {
        let fault = match why {
            pem::Error::NoItemsFound => Fault::NoKey,
            _ => Fault::KeyNotPem,
        };
        fault.in_file(client.key.path())
    })?;
    Ok((chain, key))
}

/// Certificate and key were read, and do not belong together.
pub(super) fn unusable_pair(client: &ClientCertificate, why: rustls::Error) -> TlsFileError {
    let cert_file = client.cert_file.clone();
    let fault = match why {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            Fault::OtherKey { cert_file }
        }
        // The provider's answer to a key that it cannot use.
        rustls::Error::General(_) => Fault::UnsupportedKey,
        why => Fault::UnusablePair { cert_file, why },
    };
    fault.in_file(client.key.path())
}

/// One certificate after the other, so that a whole list is never held in memory.
fn certificates<'f>(
    file: &'f Path,
    root: &Root,
) -> Result<impl Iterator<Item = Result<CertificateDer<'static>, TlsFileError>> + 'f, TlsFileError>
{
    let wrong = move |why| Fault::of_pem(why).in_file(file);
    let text = text::open(&root.path(file)).map_err(|why| wrong(pem::Error::Io(why)))?;
    Ok(CertificateDer::pem_reader_iter(text).map(move |certificate| certificate.map_err(wrong)))
}

impl fmt::Display for TlsFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsFileError::NoAuthorities => f.write_str(
                "the system has no list of trusted authorities (ca-certificates): set `ca_file`",
            ),
            TlsFileError::ServerName(name) => {
                write!(f, "`server_name`: {name} is not a host name")
            }
            #[cfg(feature = "mqtt")]
            TlsFileError::Host(host) => write!(f, "`url`: {host} is not a host name"),
            TlsFileError::Settings(why) => why.fmt(f),
            TlsFileError::Secret(why) => why.fmt(f),
            TlsFileError::Content { file, fault } => write!(f, "{}: {fault}", file.display()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Unreadable(why) => return write!(f, "it cannot be read: {why}"),
            Fault::NotPem => "it is not PEM: is it the right file?",
            Fault::NoCertificate => {
                "it holds no certificate (a block that begins with BEGIN CERTIFICATE)"
            }
            Fault::Certificate(number) => {
                return write!(f, "its certificate number {number} cannot be read");
            }
            Fault::NoKey => "it holds no private key that can be used (an encrypted one cannot)",
            Fault::KeyNotPem => {
                "it is not PEM, or it is encrypted (an encrypted key cannot be used)"
            }
            Fault::OtherKey { cert_file } => {
                return write!(
                    f,
                    "it is not the key of the certificate in {}",
                    cert_file.display()
                );
            }
            Fault::UnsupportedKey => {
                "it is neither RSA of 2048 bits or more, nor ECDSA on P-256 or P-384, nor Ed25519"
            }
            Fault::UnusablePair { cert_file, why } => {
                let cert_file = cert_file.display();
                return write!(f, "it cannot be used with the certificate in {cert_file}: {why}");
            }
        })
    }
}

impl std::error::Error for TlsFileError {}
