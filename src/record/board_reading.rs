//! What the board says of itself, as far as it can be read.

use intercom_wire::{BoardName, Identity, Mac, SerialNumber};
use serde::{Serialize, Serializer};

/// What a source on the board answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading<T> {
    /// It was read.
    Found(T),
    /// It was read, and there is nothing.
    Absent,
    /// It could not be read, so nothing is known: not even that there is nothing.
    Unreadable,
}

impl<T> Reading<T> {
    /// What was found.
    pub fn found(&self) -> Option<&T> {
        match self {
            Reading::Found(value) => Some(value),
            Reading::Absent | Reading::Unreadable => None,
        }
    }

    /// The same answer with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Reading::Found(value) => Reading::Found(change(value)),
            Reading::Absent => Reading::Absent,
            Reading::Unreadable => Reading::Unreadable,
        }
    }

    /// Whether it could not be read.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Reading::Unreadable)
    }
}

impl<T> From<Option<T>> for Reading<T> {
    fn from(read: Option<T>) -> Self {
        read.map_or(Reading::Absent, Reading::Found)
    }
}

/// In JSON: the value, `null`, or the word `"unreadable"`.
impl<T: Serialize> Serialize for Reading<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Reading::Found(value) => value.serialize(serializer),
            Reading::Absent => serializer.serialize_none(),
            Reading::Unreadable => serializer.serialize_str("unreadable"),
        }
    }
}

/// What a MAC address is worth for telling boards apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MacKind {
    /// The board's own.
    Real,
    /// One that boot scripts give to any board without its own.
    Placeholder,
    /// Invented by the driver at this boot.
    Random,
}

/// The MAC address of the board, as its sources tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnMac {
    /// The address.
    pub mac: Mac,
    /// What it is worth.
    pub kind: MacKind,
    /// Whether the U-Boot environment has it. Otherwise the link does, which the agent sets too.
    pub from_environment: bool,
}

/// What an earlier record wrote into the U-Boot environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Earlier {
    /// The factory identity, where it was known.
    pub factory: Option<Identity>,
    /// The board's name. It is written with each identity, so without it the environment is as the
    /// factory left it.
    pub board: Option<BoardName>,
}

/// What the board says of itself: each source found, absent or unreadable. Nothing here comes from
/// the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardReading {
    /// The interface that carries the MAC address.
    pub interface: String,
    /// The address that the link has now; `None` while there is no such link.
    pub link_mac: Option<Mac>,
    /// The board's MAC address.
    pub mac: Reading<OwnMac>,
    /// The board's serial number.
    pub serial_number: Reading<SerialNumber>,
    /// What an earlier record left in the environment.
    pub earlier: Reading<Earlier>,
    /// The board's name, from the configuration or the die ID.
    pub board: Option<BoardName>,
    /// What could not be read, and why.
    pub warnings: Vec<String>,
}
