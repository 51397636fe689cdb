//! The stable name of a board: it never changes, whatever identity the board carries.

use std::fmt;
use std::str::FromStr;

use super::Mac;
use crate::json_text;

/// 1 to 64 letters, digits, `.`, `_` or `-`; safe in an MQTT topic, a client id and a query string.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoardName(String);

/// The text has a character outside letters, digits, `.`, `_` and `-`, is empty, or is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidBoardName;

impl BoardName {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The name of a board that has no die ID: its factory MAC, bare and in lower case.
    pub fn from_mac(mac: Mac) -> Self {
        use fmt::Write;
        let mut name = String::from("mac-");
        for octet in mac.octets() {
            // Writing to a String cannot fail.
            let _ = write!(name, "{octet:02x}");
        }
        BoardName(name)
    }

    /// The name of a board that has nothing of its own to be named after. `seed` is random text, such
    /// as the UUID of a boot; what may not stand in a name is left out.
    pub fn random(seed: &str) -> Self {
        let seed = seed.chars().filter(char::is_ascii_alphanumeric).take(32);
        BoardName(["random-".to_owned(), seed.collect()].concat())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text is 1 to `max` characters that mean nothing to a topic, a path or a shell.
pub(super) fn is_plain_word(text: &str, max: usize) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=max).contains(&text.len()) && text.bytes().all(plain)
}

impl FromStr for BoardName {
    type Err = InvalidBoardName;

    fn from_str(text: &str) -> Result<Self, InvalidBoardName> {
        if is_plain_word(text, Self::MAX_CHARS) {
            Ok(BoardName(text.to_owned()))
        } else {
            Err(InvalidBoardName)
        }
    }
}

impl fmt::Display for BoardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidBoardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not 1 to 64 letters, digits, dots, underscores or hyphens")
    }
}

impl std::error::Error for InvalidBoardName {}

json_text!(BoardName);
