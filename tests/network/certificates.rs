//! Authorities and certificates made on the spot, as PEM files in a directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};

/// The years in which a good certificate is valid: its start is after a clock that begins in 1970.
pub const NOW: (i32, i32) = (2020, 2200);

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Authority(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// Writes the authority's own certificate to `FILE`.
    pub fn save(&self, file: &Path) {
        fs::write(file, self.0.pem()).expect("written");
    }

    /// Writes a certificate for `name` to `FILE.pem`, its key to `FILE.key`.
    pub fn issue(&self, name: &str, years: (i32, i32), file: &Path) {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        fs::write(file.with_extension("pem"), certificate.pem()).expect("written");
        let secret = file.with_extension("key");
        fs::write(&secret, key.serialize_pem()).expect("written");
        fs::set_permissions(secret, fs::Permissions::from_mode(0o600)).expect("set");
    }
}
