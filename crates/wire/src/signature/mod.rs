//! Signed requests: what a delivery really holds, and what its signature proves.
//!
//! A signed request is a JWS in compact serialization (RFC 7515), signed with Ed25519 (RFC 8037), in
//! place of the JSON object: as a JSON string, or bare. Pure, and total over any bytes.
//!
//! ```text
//! {"mac": …}        ──► itself                         Missing
//! "eyJ…" or eyJ…    ──► its payload, once it fits      Good
//!                   ──► nothing of it is read          Bad, and why
//! ```
//!
//! A panel without keys cannot tell good from bad. It takes a well-formed signed request as it takes
//! an unsigned one, so that billing can begin to sign before the last panel has the key.

mod jws;
mod keys;
mod signing;

pub use keys::{InvalidPublicKey, Keys, PublicKey};
pub use signing::{InvalidSigningKey, SigningKey};

use std::fmt;

/// What a request's signature proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// Nothing: there is none, or no key is configured that could tell.
    Missing,
    /// Somebody signed it, and it cannot be trusted.
    Bad(Flaw),
    /// A configured key made it, over this very payload.
    Good,
}

/// What is wrong with a signed request. Of its content, which nobody vouches for, only the key's name
/// is kept: it tells an operator which key is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// Not three parts of unpadded base64url.
    NotCompact,
    /// The header is not a JSON object.
    Header,
    /// `alg` is not `EdDSA`.
    Algorithm,
    /// The header has `crit` or `b64`.
    Extension,
    /// The header has no `kid`, and it takes one to know which key is meant.
    NoKeyId,
    /// The header's `kid` is not a string.
    KeyIdNotText,
    /// No key of this `kid` is configured.
    UnknownKey(ShownKeyId),
    /// The signature is not that key's over these bytes.
    Mismatch,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::UnknownKey(key_id) => {
                return write!(f, "its `kid` {key_id} is not in `signature.keys`");
            }
            Flaw::NotCompact => "it is not three parts of unpadded base64url with dots between",
            Flaw::Header => "its header is not a JSON object",
            Flaw::Algorithm => "its `alg` is not EdDSA, which is the only one that counts here",
            Flaw::Extension => "its header has `crit` or `b64`, which are not supported",
            Flaw::NoKeyId => "its header has no `kid`, and there are several in `signature.keys`",
            Flaw::KeyIdNotText => "its `kid` is not a string",
            Flaw::Mismatch => "its signature does not fit: it was altered, or the key is another",
        })
    }
}

/// A `kid` from outside: the beginning of it, fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKeyId(String);

impl ShownKeyId {
    /// How much is kept, in characters.
    const LENGTH: usize = 40;

    fn of(key_id: &str) -> Self {
        ShownKeyId(key_id.escape_debug().take(Self::LENGTH).collect())
    }
}

impl fmt::Display for ShownKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
