//! Signing the requests to the panels: JWS compact serialization (RFC 7515) with Ed25519 (RFC 8037).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};

/// A key file is far shorter.
const MAX_BYTES: u64 = 4096;

/// The private key. Nothing shows it. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey {
    key: Arc<Ed25519KeyPair>,
    key_id: String,
}

impl SigningKey {
    /// Reads a file that only its owner may use: PKCS#8, as PEM or DER, or the 32-byte seed.
    ///
    /// # Errors
    /// The file cannot be read, others may use it, or it holds no such key; without its content.
    pub fn read(file: &Path) -> Result<Self> {
        let name = file.display();
        let open =
            File::open(file).with_context(|| format!("cannot read the signing key {name}"))?;
        // Asked of the open file, so that it is the one that is read.
        let mode = open.metadata().with_context(|| format!("cannot look at {name}"))?.mode();
        if mode & 0o077 != 0 {
            bail!(
                "the signing key {name} has mode {:04o}, so that others than its owner can use it: chmod 600 {name}",
                mode & 0o7777
            );
        }
        let mut bytes = Vec::new();
        open.take(MAX_BYTES)
            .read_to_end(&mut bytes)
            .with_context(|| format!("cannot read the signing key {name}"))?;
        Self::new(&bytes).with_context(|| format!("the signing key {name} cannot be used"))
    }

    /// Takes a key as a file holds it.
    ///
    /// # Errors
    /// It is none.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let key = match (bytes.len(), from_pem(bytes)) {
            (32, _) => Ed25519KeyPair::from_seed_unchecked(bytes),
            // OpenSSL leaves the public key out, which then cannot be checked.
            (_, Some(der)) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der),
            (_, None) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes),
        };
        let key = key.map_err(|why| {
            anyhow!(
                "it is neither an Ed25519 key in PKCS#8 nor a 32-byte seed ({why}): make one with \
                 `openssl genpkey -algorithm ed25519`"
            )
        })?;
        let public_key = BASE64_URL_SAFE_NO_PAD.encode(key.public_key());
        Ok(SigningKey { key: Arc::new(key), key_id: thumbprint(&public_key) })
    }

    /// The `kid` that it signs with: its JWK's thumbprint (RFC 7638), so that the same key has the
    /// same name everywhere.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public key as the `x` of its JWK, which panels are given.
    pub fn public_key(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.key.public_key())
    }

    /// The signed text.
    pub fn sign(&self, payload: &[u8]) -> String {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, self.key_id);
        let header = BASE64_URL_SAFE_NO_PAD.encode(header);
        let mut text = format!("{header}.{}", BASE64_URL_SAFE_NO_PAD.encode(payload));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.key.sign(text.as_bytes()));
        text.push('.');
        text.push_str(&signature);
        text
    }
}

/// The first private key in a PEM file; `None` if it is none.
fn from_pem(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (base64, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    BASE64_STANDARD.decode(base64.split_ascii_whitespace().collect::<String>()).ok()
}

fn thumbprint(x: &str) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use intercom_agent::signature::{Keys, Signature};

    use super::*;

    /// RFC 8037, A.1: the `d` of the key.
    const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

    fn seed() -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(SEED).expect("base64url")
    }

    /// As OpenSSL writes it: version 1, without the public key (RFC 8410).
    fn der() -> Vec<u8> {
        let head = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
        [&head[..], &seed()].concat()
    }

    fn pem() -> String {
        let base64 = BASE64_STANDARD.encode(der());
        format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
    }

    #[test]
    fn the_key_of_rfc_8037_has_its_thumbprint_in_every_form() {
        for bytes in [seed(), der(), pem().into_bytes()] {
            let key = SigningKey::new(&bytes).expect("a key");
            assert_eq!(key.key_id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
            assert_eq!(key.public_key(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        }
    }

    #[test]
    fn a_panel_with_the_key_trusts_what_it_signs() {
        let key = SigningKey::new(&seed()).expect("a key");
        let public_key = key.public_key().parse().expect("a public key");
        let keys: Keys = [(key.key_id().to_owned(), public_key)].into_iter().collect();
        let text = key.sign(b"{\"seq\":1}");
        let (payload, signature) = keys.open(text.as_bytes());
        assert_eq!((payload.as_ref(), signature), (&b"{\"seq\":1}"[..], Signature::Good));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for bytes in
            [&b""[..], b"hunter2", &seed()[1..], &der()[1..], pem().replace("MC", "MD").as_bytes()]
        {
            let why = format!("{:#}", SigningKey::new(bytes).err().expect("refused"));
            assert!(why.contains("openssl genpkey") && !why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn a_key_that_others_can_use_is_refused() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let file = dir.path().join("key.pem");
        fs::write(&file, pem()).expect("written");
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
            let read = SigningKey::read(&file);
            assert_eq!(read.is_ok(), good, "{mode:o}");
            if let Err(why) = read {
                assert!(why.to_string().contains("chmod 600"), "{why}");
            }
        }
        let why = SigningKey::read(&dir.path().join("absent")).err().expect("absent");
        assert!(why.to_string().contains("absent"), "{why}");
    }
}
