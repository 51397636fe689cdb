//! A serial number as a label, a U-Boot variable and a shell script can all carry it.

use std::fmt;
use std::str::FromStr;

use crate::json_text;

/// 1 to 64 printable ASCII characters, neither starting nor ending with a space.
///
/// The API page calls it a string and says no more. Control characters are refused since the value
/// goes into a U-Boot environment (NUL ends a variable) and into files that shells read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber(String);

/// Why a text is not a serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidSerialNumber {
    /// Nothing in it.
    Empty,
    /// More than [`SerialNumber::MAX_CHARS`].
    TooLong,
    /// A character that is not printable ASCII, or a space at either end.
    Malformed,
}

impl SerialNumber {
    /// The longest serial number, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SerialNumber {
    type Err = InvalidSerialNumber;

    fn from_str(text: &str) -> Result<Self, InvalidSerialNumber> {
        if text.is_empty() {
            Err(InvalidSerialNumber::Empty)
        } else if text.chars().count() > Self::MAX_CHARS {
            Err(InvalidSerialNumber::TooLong)
        } else if text.trim() != text || !text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            Err(InvalidSerialNumber::Malformed)
        } else {
            Ok(SerialNumber(text.to_owned()))
        }
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidSerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidSerialNumber::Empty => "is empty",
            InvalidSerialNumber::TooLong => "is longer than 64 characters",
            InvalidSerialNumber::Malformed => {
                "has a character that is not printable ASCII, or a space at either end"
            }
        })
    }
}

impl std::error::Error for InvalidSerialNumber {}

json_text!(SerialNumber);
