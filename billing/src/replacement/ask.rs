//! What a PATCH with another identity asks the panel for.

use intercom_wire::{Identity, Mac, Patch, SerialNumber};

use super::Carried;

/// What the record shows from now on, and what the request to the panel names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The identity that is asked for, whole.
    pub to: Carried,
    /// The MAC address that the request names.
    pub new_mac: Option<Mac>,
    /// The serial number that the request names.
    pub new_serial_number: Option<SerialNumber>,
}

/// Applies a PATCH to what the record shows.
///
/// A request that supersedes another one includes what only that one named: the panel may never
/// receive the first.
pub fn ask(confirmed: &Carried, desired: &Carried, patch: &Patch) -> Asked {
    let mac = patch.new_mac.unwrap_or(desired.identity.mac);
    let serial_number =
        patch.new_serial_number.clone().or_else(|| desired.identity.serial_number.clone());
    let names_mac = patch.new_mac.is_some() || mac != confirmed.identity.mac;
    let names_serial_number =
        patch.new_serial_number.is_some() || serial_number != confirmed.identity.serial_number;
    Asked {
        new_mac: names_mac.then_some(mac),
        new_serial_number: serial_number.clone().filter(|_| names_serial_number),
        to: Carried {
            identity: Identity { mac, serial_number },
            model: patch.model.clone().or_else(|| desired.model.clone()),
        },
    }
}
