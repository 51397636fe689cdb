//! The compact serialization: which deliveries are one, and its parts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::Flaw;

/// A JWS whose signature has not been looked at.
#[derive(Debug)]
pub(super) struct Jws<'a> {
    /// What the signature is over: header and payload as they stand, with the dot between.
    pub(super) signing_input: &'a [u8],
    pub(super) key_id: Option<String>,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Takes it apart as RFC 7515 section 5.2 says, with no tolerance: base64url without padding,
    /// white space or stray bits; `alg` EdDSA; no extension.
    pub(super) fn read(text: &'a [u8]) -> Result<Self, Flaw> {
        let mut parts = text.split(|byte| *byte == b'.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Flaw::NotCompact);
        };
        let signing_input = &text[..header.len() + 1 + payload.len()];
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        let Ok(Value::Object(header)) = serde_json::from_slice(&decode(header)?) else {
            return Err(Flaw::Header);
        };
        if header.get("alg") != Some(&Value::from("EdDSA")) {
            return Err(Flaw::Algorithm);
        }
        // Whatever its value: an extension that must be understood is not, and `b64` would change
        // what the signature is over.
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(Flaw::Extension);
        }
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(key_id)) => Some(key_id.clone()),
            Some(_) => return Err(Flaw::KeyIdNotText),
        };
        Ok(Jws { signing_input, key_id, payload, signature })
    }
}

fn decode(part: &[u8]) -> Result<Vec<u8>, Flaw> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Flaw::NotCompact)
}

/// The compact text of a delivery that is, or was meant to be, a signed request: a JSON string or
/// bare, with white space around it as around any JSON. It begins with the base64url of `{`, which
/// is an `e`, as no JSON does.
pub(super) fn compact_text(delivery: &[u8]) -> Option<&[u8]> {
    match delivery.trim_ascii() {
        [b'"', text @ .., b'"'] if text.starts_with(b"e") => Some(text),
        // With the quote that it begins with, it is not compact.
        text @ ([b'e', ..] | [b'"', b'e', ..]) => Some(text),
        _ => None,
    }
}
