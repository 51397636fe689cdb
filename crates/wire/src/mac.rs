//! A MAC address that one interface can own.

use std::fmt;
use std::str::FromStr;

use mac_address::MacAddress;

use crate::json_text;

/// A unicast, non-zero MAC address; shown as `AA:BB:CC:DD:EE:FF`.
///
/// Locally administered addresses are fine: the API's own example is one. The parser is our own
/// because `MacAddress::from_str` takes malformed text (`+a:bb:…`, nine octets).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(MacAddress);

/// Why a text or six octets are not a MAC address that one interface can own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidMac {
    /// Not `AA:BB:CC:DD:EE:FF`, `AA-BB-CC-DD-EE-FF`, `aabb.ccdd.eeff` or `aabbccddeeff`.
    Malformed,
    /// `00:00:00:00:00:00`.
    Zero,
    /// A group address (the lowest bit of the first octet is set), the broadcast address included.
    Multicast,
}

impl Mac {
    /// The six octets in the order in which they go over the wire.
    pub fn octets(self) -> [u8; 6] {
        self.0.bytes()
    }
}

impl TryFrom<[u8; 6]> for Mac {
    type Error = InvalidMac;

    fn try_from(octets: [u8; 6]) -> Result<Self, InvalidMac> {
        if octets == [0; 6] {
            Err(InvalidMac::Zero)
        } else if octets[0] & 1 == 1 {
            Err(InvalidMac::Multicast)
        } else {
            Ok(Mac(MacAddress::new(octets)))
        }
    }
}

impl FromStr for Mac {
    type Err = InvalidMac;

    fn from_str(text: &str) -> Result<Self, InvalidMac> {
        let bytes = text.as_bytes();
        let group = match (bytes.len(), bytes.get(2), bytes.get(4)) {
            (17, Some(b':'), _) => Some((b':', 2)),
            (17, Some(b'-'), _) => Some((b'-', 2)),
            (14, _, Some(b'.')) => Some((b'.', 4)),
            (12, _, _) => None,
            _ => return Err(InvalidMac::Malformed),
        };
        let mut octets = [0; 6];
        let mut digits = 0;
        for (at, byte) in bytes.iter().enumerate() {
            match group {
                Some((separator, size)) if at % (size + 1) == size => {
                    if *byte != separator {
                        return Err(InvalidMac::Malformed);
                    }
                }
                _ => {
                    let digit = char::from(*byte).to_digit(16).ok_or(InvalidMac::Malformed)?;
                    octets[digits / 2] = octets[digits / 2] << 4 | digit as u8;
                    digits += 1;
                }
            }
        }
        Mac::try_from(octets)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for InvalidMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidMac::Malformed => "is not a MAC address such as AA:BB:CC:DD:EE:FF",
            InvalidMac::Zero => "is all zeros, which no interface may own",
            InvalidMac::Multicast => "is a multicast address, which no interface may own",
        })
    }
}

impl std::error::Error for InvalidMac {}

json_text!(Mac);
