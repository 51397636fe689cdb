//! An identity: a MAC address and a serial number, together.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{Mac, SerialNumber};
use crate::json::{FromJson, Unfit, from_object, words};

/// What a panel is known by. The serial number is `None` on a board that has none of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Identity {
    /// The link's MAC address.
    pub mac: Mac,
    /// The serial number, where the board has one or was given one.
    pub serial_number: Option<SerialNumber>,
}

from_object!(Identity { mac, serial_number });

/// What the board had when the agent first ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum FactoryIdentity {
    /// Seen and written down at the first start.
    Known(Identity),
    /// Nothing was left to tell it by: not a guess.
    Unknown(UnknownIdentity),
}

/// The word `"unknown"` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownIdentity {
    /// The only value.
    Unknown,
}

words!(UnknownIdentity { Unknown = "unknown" });

impl FromJson for FactoryIdentity {
    fn from_json(value: &Value) -> Result<Self, Unfit> {
        match value {
            Value::String(_) => FromJson::from_json(value).map(FactoryIdentity::Unknown),
            value => FromJson::from_json(value).map(FactoryIdentity::Known),
        }
    }
}

impl FactoryIdentity {
    /// The factory identity that nobody can tell any more.
    pub const UNKNOWN: Self = FactoryIdentity::Unknown(UnknownIdentity::Unknown);

    /// The identity, where it is known.
    pub fn known(&self) -> Option<&Identity> {
        match self {
            FactoryIdentity::Known(identity) => Some(identity),
            FactoryIdentity::Unknown(_) => None,
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
