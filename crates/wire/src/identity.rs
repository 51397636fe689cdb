//! An identity: a MAC address and a serial number, together.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Mac, SerialNumber};
use crate::json::{DecodeError, FromJson};
use crate::json_object;

json_object! {
    /// What a panel is known by. The serial number is `None` on a board that has none of its own.
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    pub struct Identity {
        /// The link's MAC address.
        pub mac: Mac,
        /// The serial number, where the board has one or was given one.
        pub serial_number: Option<SerialNumber>,
    }
}

/// What the board had when the agent first ran: an identity, or the word `"unknown"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactoryIdentity {
    /// Seen and written down at the first start.
    Known(Identity),
    /// Nothing was left that tells it. Never a guess.
    Unknown,
}

const UNKNOWN: &str = "unknown";

impl Serialize for FactoryIdentity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            FactoryIdentity::Known(identity) => identity.serialize(serializer),
            FactoryIdentity::Unknown => serializer.serialize_str(UNKNOWN),
        }
    }
}

impl FromJson for FactoryIdentity {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        match value.as_str() {
            Some(UNKNOWN) => Ok(FactoryIdentity::Unknown),
            Some(_) => Err(DecodeError::new("must be an identity or the word unknown")),
            None => Identity::from_json(value).map(FactoryIdentity::Known),
        }
    }
}

impl FactoryIdentity {
    /// The identity, where it is known.
    pub fn known(&self) -> Option<&Identity> {
        match self {
            FactoryIdentity::Known(identity) => Some(identity),
            FactoryIdentity::Unknown => None,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.serial_number {
            Some(serial_number) => write!(f, "MAC {}, serial number {serial_number}", self.mac),
            None => write!(f, "MAC {}, no serial number", self.mac),
        }
    }
}
