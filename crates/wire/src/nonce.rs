//! The nonce of a presence: tells one message of a panel from those before it.

use std::fmt;
use std::str::FromStr;

use super::board_name::is_plain_word;
use crate::json_text;

/// 1 to 64 letters, digits, `.`, `_` or `-`. A panel makes it of random numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(String);

/// The text is not 1 to 64 letters, digits, `.`, `_` or `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidNonce;

impl Nonce {
    /// The longest nonce, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The nonce of a random number: 16 hex digits.
    pub fn of(random: u64) -> Self {
        Nonce(format!("{random:016x}"))
    }
}

impl FromStr for Nonce {
    type Err = InvalidNonce;

    fn from_str(text: &str) -> Result<Self, InvalidNonce> {
        if is_plain_word(text, Self::MAX_CHARS) {
            Ok(Nonce(text.to_owned()))
        } else {
            Err(InvalidNonce)
        }
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is not a nonce: 1 to {} letters, digits, `.`, `_` or `-`", Nonce::MAX_CHARS)
    }
}

impl std::error::Error for InvalidNonce {}

json_text!(Nonce);
