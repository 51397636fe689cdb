//! Why the link's MAC address could not be read or set.

use std::fmt;
use std::io;
use std::path::PathBuf;

use intercom_wire::{InvalidMac, Mac};

/// What went wrong with the link, in words that say what to do.
#[derive(Debug)]
pub enum LinkError {
    /// There is no interface of that name.
    NoInterface {
        /// The configured name.
        interface: String,
    },
    /// The address could not be read.
    Unreadable {
        /// The file it is read from.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The interface has an address that no panel can be known by.
    Unusable {
        /// The file it was read from.
        path: PathBuf,
        /// The address as found.
        text: String,
        /// Why it is none.
        why: InvalidMac,
    },
    /// The kernel or its driver did not take the new address.
    Refused {
        /// The interface.
        interface: String,
        /// The address that it did not take.
        mac: Mac,
        /// What the kernel said.
        why: io::Error,
    },
    /// The kernel said yes, and the interface has another address all the same.
    Ignored {
        /// The interface.
        interface: String,
        /// The address that was set.
        wanted: Mac,
        /// The address that it has.
        found: Mac,
    },
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::NoInterface { interface } => write!(
                f,
                "there is no network interface {interface}: set `interface` in the configuration to one that `ip link` shows"
            ),
            LinkError::Unreadable { path, why } => {
                write!(f, "the MAC address cannot be read from {}: {why}", path.display())
            }
            LinkError::Unusable { path, text, why } => {
                write!(f, "the MAC address `{text}` in {} {why}", path.display())
            }
            LinkError::Refused { interface, mac, why } => {
                write!(f, "{interface} does not take the MAC address {mac}: {why}")?;
                match why.kind() {
                    io::ErrorKind::PermissionDenied => {
                        f.write_str(" (it needs root or CAP_NET_ADMIN)")
                    }
                    _ => Ok(()),
                }
            }
            LinkError::Ignored { interface, wanted, found } => write!(
                f,
                "{interface} took the MAC address {wanted} without an error and has {found} all the same: its driver cannot change it"
            ),
        }
    }
}

impl std::error::Error for LinkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LinkError::Unreadable { why, .. } | LinkError::Refused { why, .. } => Some(why),
            _ => None,
        }
    }
}
