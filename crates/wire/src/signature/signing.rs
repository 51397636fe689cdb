//! Signing: the private key that billing signs requests with.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::error::KeyRejected;
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::PublicKey;

/// An Ed25519 private key. Nothing shows it. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey {
    key: Arc<Ed25519KeyPair>,
    public_key: PublicKey,
    key_id: String,
}

/// The bytes are neither an Ed25519 key in PKCS#8 (PEM or DER) nor a 32-byte seed. Does not show
/// them.
#[derive(Debug)]
pub struct InvalidSigningKey(KeyRejected);

impl SigningKey {
    /// Reads a key as a file holds it: PKCS#8 as PEM or DER, or the 32-byte seed.
    ///
    /// # Errors
    /// The bytes are none of these.
    pub fn new(bytes: &[u8]) -> Result<Self, InvalidSigningKey> {
        let key = match (bytes.len(), der_from_pem(bytes)) {
            (32, _) => Ed25519KeyPair::from_seed_unchecked(bytes),
            // OpenSSL leaves out the public key, so that it cannot be checked.
            (_, Some(der)) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der),
            (_, None) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes),
        };
        let key = key.map_err(InvalidSigningKey)?;
        let public_key = PublicKey::of(key.public_key());
        let key_id = thumbprint(public_key);
        Ok(SigningKey { key: Arc::new(key), public_key, key_id })
    }

    /// The `kid` in the header: the thumbprint of the key's JWK (RFC 7638), so that the same key
    /// has the same name everywhere.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public key, which panels are given.
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// The signed payload as a JWS in compact serialization.
    pub fn sign(&self, payload: &[u8]) -> String {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, self.key_id);
        let header = URL_SAFE_NO_PAD.encode(header);
        let mut text = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(text.as_bytes()));
        text.push('.');
        text.push_str(&signature);
        text
    }
}

/// The first private key in a PEM file; `None` if there is none.
fn der_from_pem(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (base64, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    STANDARD.decode(base64.split_ascii_whitespace().collect::<String>()).ok()
}

fn thumbprint(public_key: PublicKey) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public_key}"}}"#);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
}

impl fmt::Display for InvalidSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it is neither an Ed25519 key in PKCS#8 nor a 32-byte seed ({}): make one with \
             `openssl genpkey -algorithm ed25519`",
            self.0
        )
    }
}

impl std::error::Error for InvalidSigningKey {}

#[cfg(test)]
mod tests {
    use super::super::{Keys, Signature, testing};
    use super::*;

    /// As OpenSSL writes it: version 1, without the public key (RFC 8410).
    fn der() -> Vec<u8> {
        let head = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
        [&head[..], &testing::SEED].concat()
    }

    fn pem() -> String {
        let base64 = STANDARD.encode(der());
        format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
    }

    #[test]
    fn the_key_of_rfc_8037_has_its_thumbprint_in_every_form() {
        for bytes in [testing::SEED.to_vec(), der(), pem().into_bytes()] {
            let key = SigningKey::new(&bytes).expect("a key");
            assert_eq!(key.key_id(), testing::KEY_ID);
            assert_eq!(key.public_key().to_string(), testing::PUBLIC_KEY);
        }
    }

    #[test]
    fn a_panel_with_the_key_trusts_what_it_signs() {
        let key = SigningKey::new(&testing::SEED).expect("a key");
        let keys: Keys = [(key.key_id().to_owned(), key.public_key())].into_iter().collect();
        let text = key.sign(b"{\"seq\":1}");
        let (payload, signature) = keys.open(text.as_bytes());
        assert_eq!((payload.as_ref(), signature), (&b"{\"seq\":1}"[..], Signature::Good));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for bytes in [
            &b""[..],
            b"hunter2",
            &testing::SEED[1..],
            &der()[1..],
            pem().replace("MC", "MD").as_bytes(),
        ] {
            let why = SigningKey::new(bytes).err().expect("refused").to_string();
            assert!(why.contains("openssl genpkey") && !why.contains("hunter2"), "{why}");
        }
    }
}
