//! Authorities and certificates made on the spot, as PEM files in a directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, date_time_ymd,
};

/// The years in which a good certificate is valid: its start is after a clock that begins in 1970.
pub const NOW: (i32, i32) = (2020, 2200);

/// The kinds of keys that servers and panels have.
#[derive(Debug, Clone, Copy)]
pub enum Keys {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// EdDSA on Curve25519.
    Ed25519,
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 4096 bits.
    Rsa4096,
}

/// A certificate authority of a test's own.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// Makes keys of its kind.
    key: fn() -> KeyPair,
}

impl Authority {
    /// With keys for ECDSA, its own and those that it certifies.
    pub fn new(name: &str) -> Self {
        Self::with(name, || KeyPair::generate().expect("a key"))
    }

    /// With keys of one kind.
    pub fn of(keys: Keys, name: &str) -> Self {
        Self::with(
            name,
            match keys {
                Keys::P256 => || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key"),
                Keys::P384 => || KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("a key"),
                // rcgen's own has a form (RFC 5958) that OpenSSL 3.0 does not read.
                Keys::Ed25519 => || openssl_key(&["ED25519"]),
                Keys::Rsa2048 => || openssl_key(&["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
                Keys::Rsa4096 => || openssl_key(&["RSA", "-pkeyopt", "rsa_keygen_bits:4096"]),
            },
        )
    }

    fn with(name: &str, key: fn() -> KeyPair) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("a certificate");
        Authority { issuer, key }
    }

    /// Writes the authority's own certificate to `FILE`.
    pub fn save(&self, file: &Path) {
        fs::write(file, self.issuer.pem()).expect("written");
    }

    /// Writes a certificate for `name` to `FILE.pem`, its key to `FILE.key`.
    pub fn issue(&self, name: &str, years: (i32, i32), file: &Path) {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = (self.key)();
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        fs::write(file.with_extension("pem"), certificate.pem()).expect("written");
        let secret = file.with_extension("key");
        fs::write(&secret, key.serialize_pem()).expect("written");
        fs::set_permissions(secret, fs::Permissions::from_mode(0o600)).expect("set");
    }
}

fn openssl_key(algorithm: &[&str]) -> KeyPair {
    let made = Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm"])
        .args(algorithm)
        .output()
        .expect("openssl runs");
    KeyPair::from_pem(&String::from_utf8_lossy(&made.stdout)).expect("a key")
}
