//! The keys whose signatures count.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::jws::{Jws, compact_text};
use super::{Flaw, ShownKeyId, Signature};
use crate::MAX_REQUEST_BYTES;

/// An Ed25519 public key: 32 bytes, written as the `x` of its JWK is (RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// The text is not the unpadded base64url of 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidPublicKey;

/// The keys whose signatures count, each by its `kid`; perhaps none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(Vec<(String, PublicKey)>);

impl Keys {
    /// Whether there is none, so that no signature can be checked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What [`Request::read`](crate::Request::read) shall read of a delivery, and what its
    /// signature proves. A badly signed delivery is given back as it came, which is no request: of
    /// what nobody vouches for, nothing is read.
    pub fn open<'a>(&self, delivery: &'a [u8]) -> (Cow<'a, [u8]>, Signature) {
        let text = match compact_text(delivery) {
            // Longer than any request, it is refused for that.
            Some(text) if delivery.len() <= MAX_REQUEST_BYTES => text,
            _ => return (Cow::Borrowed(delivery), Signature::Missing),
        };
        match self.check(text) {
            Ok((payload, signature)) => (Cow::Owned(payload), signature),
            Err(flaw) => (Cow::Borrowed(delivery), Signature::Bad(flaw)),
        }
    }

    fn check(&self, text: &[u8]) -> Result<(Vec<u8>, Signature), Flaw> {
        let jws = Jws::read(text)?;
        if self.is_empty() {
            return Ok((jws.payload, Signature::Missing));
        }
        let PublicKey(key) = self.meant(jws.key_id.as_deref())?;
        UnparsedPublicKey::new(&ED25519, key)
            .verify(jws.signing_input, &jws.signature)
            .map_err(|_| Flaw::Mismatch)?;
        Ok((jws.payload, Signature::Good))
    }

    /// The key that a header means: the one of its `kid`, or the only one there is.
    fn meant(&self, key_id: Option<&str>) -> Result<&PublicKey, Flaw> {
        match (key_id, self.0.as_slice()) {
            (None, [(_, only)]) => Ok(only),
            (None, _) => Err(Flaw::NoKeyId),
            (Some(key_id), keys) => keys
                .iter()
                .find_map(|(own, key)| (own == key_id).then_some(key))
                .ok_or_else(|| Flaw::UnknownKey(ShownKeyId::of(key_id))),
        }
    }
}

impl FromIterator<(String, PublicKey)> for Keys {
    fn from_iter<I: IntoIterator<Item = (String, PublicKey)>>(keys: I) -> Self {
        Keys(keys.into_iter().collect())
    }
}

impl PublicKey {
    /// The 32 bytes of a key pair's public half.
    pub(super) fn of(key: &<Ed25519KeyPair as KeyPair>::PublicKey) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(key.as_ref());
        PublicKey(bytes)
    }
}

/// As [`FromStr`] reads it.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidPublicKey)?;
        bytes.try_into().map(PublicKey).map_err(|_| InvalidPublicKey)
    }
}

impl fmt::Display for InvalidPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not the unpadded base64url of an Ed25519 public key's 32 bytes (the `x` of its JWK)")
    }
}

impl std::error::Error for InvalidPublicKey {}
