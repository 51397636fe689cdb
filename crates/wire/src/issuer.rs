//! The issuer of a request: which billing database asks.

use std::fmt;
use std::str::FromStr;

use super::board_name::is_plain_word;
use crate::json_text;

/// 1 to 64 letters, digits, `.`, `_` or `-`. The same in every request of one billing database, and
/// different from any other's: a panel keeps the marks of `seq` for each issuer apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Issuer(String);

/// The text is not 1 to 64 letters, digits, `.`, `_` or `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidIssuer;

impl Issuer {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Issuer {
    type Err = InvalidIssuer;

    fn from_str(text: &str) -> Result<Self, InvalidIssuer> {
        if is_plain_word(text, Self::MAX_CHARS) {
            Ok(Issuer(text.to_owned()))
        } else {
            Err(InvalidIssuer)
        }
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not 1 to 64 letters, digits, dots, underscores or hyphens")
    }
}

impl std::error::Error for InvalidIssuer {}

json_text!(Issuer);
