//! Authorities, certificates and servers for the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion,
    crypto,
};

use super::{TlsFileError, client_config};
use crate::config;
use crate::root::Root;
use crate::upstream::Place;

/// A directory that is the panel's root.
pub(in crate::upstream) struct Sandbox(pub(in crate::upstream) PathBuf);

impl Sandbox {
    pub(in crate::upstream) fn new(name: &str) -> Self {
        let dir =
            std::env::temp_dir().join(format!("intercom-agent-tls-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Sandbox(dir)
    }

    pub(in crate::upstream) fn write(&self, name: &str, content: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// A client with these settings for TLS.
    pub(in crate::upstream) fn client(&self, settings: &str) -> Result<ClientConfig, TlsFileError> {
        let text = format!("[mqtt]\nurl = \"mqtts://billing.example\"\n{settings}");
        let mqtt = config::parse(&text, Path::new("test.toml")).unwrap().mqtt.unwrap();
        let root = Root::sandbox(&self.0);
        client_config(&mqtt.tls, &Place::new(root, None), &mqtt.alpn)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(in crate::upstream) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(in crate::upstream) fn authority() -> Authority {
    authority_named("ours")
}

pub(in crate::upstream) fn authority_named(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for `name`, valid between these years, with its key.
pub(in crate::upstream) fn certificate(
    by: &Authority,
    name: &str,
    years: (i32, i32),
) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, by).unwrap(), key)
}

pub(in crate::upstream) fn server(
    by: &Authority,
    name: &str,
    years: (i32, i32),
    clients: Option<&Authority>,
) -> ServerConfig {
    configure(rustls::DEFAULT_VERSIONS, by, name, years, clients)
}

/// The same, with one version of TLS only.
pub(in crate::upstream) fn server_of(
    version: &'static SupportedProtocolVersion,
    by: &Authority,
    name: &str,
    years: (i32, i32),
    clients: Option<&Authority>,
) -> ServerConfig {
    configure(&[version], by, name, years, clients)
}

/// The same, with one cipher only.
pub(in crate::upstream) fn server_with(
    cipher: SupportedCipherSuite,
    by: &Authority,
    name: &str,
) -> ServerConfig {
    let (certificate, key) = certificate(by, name, NOW);
    let provider =
        CryptoProvider { cipher_suites: vec![cipher], ..crypto::ring::default_provider() };
    of(provider, &[cipher.version()], None, certificate.der().clone(), &key)
}

/// A server with the authority's own certificate.
pub(in crate::upstream) fn server_that_is(authority: &Authority) -> ServerConfig {
    let (certificate, key) = (authority.der().clone(), authority.key());
    of(crypto::ring::default_provider(), rustls::DEFAULT_VERSIONS, None, certificate, key)
}

fn configure(
    versions: &[&'static SupportedProtocolVersion],
    by: &Authority,
    name: &str,
    years: (i32, i32),
    clients: Option<&Authority>,
) -> ServerConfig {
    let (certificate, key) = certificate(by, name, years);
    of(crypto::ring::default_provider(), versions, clients, certificate.der().clone(), &key)
}

fn of(
    provider: CryptoProvider,
    versions: &[&'static SupportedProtocolVersion],
    clients: Option<&Authority>,
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> ServerConfig {
    let provider = Arc::new(provider);
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    builder.with_single_cert(vec![certificate], key).unwrap()
}

/// The years in which every good certificate here is valid.
pub(in crate::upstream) const NOW: (i32, i32) = (2000, 2200);
