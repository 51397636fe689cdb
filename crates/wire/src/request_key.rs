//! What makes two deliveries the same request.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use super::board_name::is_plain_word;
use crate::{json_newtype, json_text};

/// The ID that billing gave a request: 1 to 64 letters, digits, `.`, `_` or `-`, since it is a level
/// of an MQTT topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(String);

/// The text is not 1 to 64 letters, digits, `.`, `_` or `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRequestId;

/// SHA-256 over the canonical JSON of a request's content, as 64 hex digits.
///
/// Canonical: keys sorted, no white space. What only carries the request (`request_id`, `seq`,
/// `issuer`, `nonce`) and what must never be kept in any form (`onvif_credentials`) is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(String);

/// The request ID where there is one, else the content's hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKey {
    /// Named by billing.
    Id(RequestId),
    /// A bare PATCH body, named by what it says.
    Hash(ContentHash),
}

impl RequestId {
    /// The longest ID, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = InvalidRequestId;

    fn from_str(text: &str) -> Result<Self, InvalidRequestId> {
        if is_plain_word(text, Self::MAX_CHARS) {
            Ok(RequestId(text.to_owned()))
        } else {
            Err(InvalidRequestId)
        }
    }
}

impl ContentHash {
    /// The hash of a request's content.
    pub fn of(body: &Map<String, Value>) -> Self {
        use fmt::Write;
        let carried_only = ["request_id", "seq", "issuer", "nonce", "onvif_credentials"];
        let content: Map<_, _> = body
            .iter()
            .filter(|(field, _)| !carried_only.contains(&field.as_str()))
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect();
        // `Map` keeps its keys sorted, at every depth.
        let canonical = Value::Object(content).to_string();
        let mut hex = String::with_capacity(64);
        for byte in digest(&SHA256, canonical.as_bytes()).as_ref() {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        ContentHash(hex)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not 1 to 64 letters, digits, dots, underscores or hyphens")
    }
}

impl std::error::Error for InvalidRequestId {}

json_text!(RequestId);

json_newtype!(ContentHash);

/// The ID, or the first twelve digits of the hash: enough to find it in a log.
impl fmt::Display for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestKey::Id(id) => id.fmt(f),
            RequestKey::Hash(ContentHash(hex)) => {
                write!(f, "sha256:{}", hex.get(..12).unwrap_or(hex))
            }
        }
    }
}
