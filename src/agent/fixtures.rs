//! What the unit tests of the agent's parts share.

use intercom_wire::{FactoryIdentity, Identity, Mac};

use crate::clock::Moment;
use crate::record::{Current, MacOrigin, Record};

/// A minute after the boot.
pub(super) const NOW: Moment = Moment::from_millis(60_000);

/// The MAC address that the board was made with.
pub(super) const FACTORY_MAC: &str = "08:00:00:00:00:01";

pub(super) fn mac(text: &str) -> Mac {
    text.parse().expect("a MAC")
}

/// An identity without a serial number.
pub(super) fn identity(text: &str) -> Identity {
    Identity { mac: mac(text), serial_number: None }
}

/// The record of a board that was never changed.
pub(super) fn record() -> Record {
    let identity = identity(FACTORY_MAC);
    let mac_origin = MacOrigin::Board;
    let current = Current { identity: identity.clone(), mac_origin, serial_origin: None };
    let board = "die-1".parse().expect("a board name");
    Record::first(board, FactoryIdentity::Known(identity), mac_origin, current)
}
