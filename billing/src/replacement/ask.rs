//! What a PATCH with another identity asks of the panel.

use intercom_wire::{Identity, Mac, Patch, SerialNumber};

use super::Carried;

/// What the record shall show, and what the request to the panel names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What the panel shall carry afterwards.
    pub to: Carried,
    /// The MAC address that the request names.
    pub new_mac: Option<Mac>,
    /// The serial number that the request names.
    pub new_serial_number: Option<SerialNumber>,
}

/// Lays a PATCH over what the record shows.
///
/// A request that supersedes another one asks for all that is still wanted: the panel may never
/// hear of the first, so what only that one named must be in this one too.
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
