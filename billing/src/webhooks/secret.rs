//! What deliveries are signed with, as "Standard Webhooks" says: the receiver checks it with a
//! library that exists.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac::{HMAC_SHA256, Key, sign};
use ring::rand::{SecureRandom, SystemRandom};

use crate::principal::NoRandomBytes;

/// What a secret begins with as text.
const PREFIX: &str = "whsec_";
/// How many bytes it may have.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// How many a new one has.
const NEW_BYTES: usize = 32;

/// The key of a webhook. Nothing shows it but [`Secret::text`].
pub struct Secret(Vec<u8>);

/// A text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSecret;

impl Secret {
    /// A new one from the system's random source.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn random() -> Result<Self, NoRandomBytes> {
        let mut bytes = vec![0; NEW_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomBytes)?;
        Ok(Secret(bytes))
    }

    /// As the database keeps it.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Secret(bytes)
    }

    /// The bytes, for the database.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text that the receiver needs.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", BASE64_STANDARD.encode(&self.0))
    }

    /// The value of `webhook-signature` for a delivery: over its ID, the Unix time in seconds and the
    /// body.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let key = Key::new(HMAC_SHA256, &self.0);
        let signature = sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", BASE64_STANDARD.encode(signature))
    }
}

impl FromStr for Secret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(InvalidSecret)?;
        let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| InvalidSecret)?;
        if BYTES.contains(&bytes.len()) { Ok(Secret(bytes)) } else { Err(InvalidSecret) }
    }
}

impl fmt::Display for InvalidSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = (BYTES.start(), BYTES.end());
        write!(f, "must be {PREFIX} and {least} to {most} bytes in base64")
    }
}

impl std::error::Error for InvalidSecret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_signed_as_the_example_of_the_specification_is() {
        // Shorter than the specification itself wants it.
        let bytes = BASE64_STANDARD.decode("plJ3nmyCDGBKInavdOK15jsl").expect("bytes");
        let secret = Secret(bytes);
        let body = "{\"event_type\":\"ping\",\"data\":{\"success\":true}}";
        let signed = secret.sign("msg_loFOjxBNrRLzqYUf", 1_731_705_121, body);
        assert_eq!(signed, "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
    }

    #[test]
    fn a_secret_has_enough_bytes_and_not_too_many() {
        let of = |bytes: usize| Secret(vec![7; bytes]).text().parse::<Secret>().is_ok();
        assert_eq!([23, 24, 64, 65].map(of), [false, true, true, false]);
        assert!("whsec_not base64".parse::<Secret>().is_err());
        let new = Secret::random().expect("bytes");
        assert_eq!(new.text().parse::<Secret>().map(|same| same.0), Ok(new.0));
    }
}
