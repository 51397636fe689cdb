//! The U-Boot environment of this board: where it is found, whether the agent may write it, and what
//! is kept while it does. How it is read and written is the crate `uboot-env`.

mod backup;
mod policy;
mod write;

use std::fmt;

use uboot_env::{Environment, Layout, Origin, Store};

pub use backup::FILE as BACKUP_FILE;
pub use policy::{Policy, Refusal, may_restore, may_write};
pub use write::{Error, Healed, heal, write};

use crate::root::Root;

/// Where this board's environment is, and how that is known; `None` if there is none.
///
/// # Errors
/// As [`Layout::find`].
pub fn find(root: &Root) -> Result<Option<(Layout, Origin)>, uboot_env::Error> {
    Layout::find(root.path("/"))
}

/// Opens this board's environment; `None` if there is none.
///
/// # Errors
/// As [`Store::find`].
pub fn open(root: &Root) -> Result<Option<Store>, uboot_env::Error> {
    Store::find(root.path("/"))
}

/// Reads this board's environment; `None` if there is none.
///
/// # Errors
/// Why nothing is known of its variables.
pub fn read(root: &Root) -> Result<Option<Environment>, Unreadable> {
    let Some(mut store) = open(root).map_err(Unreadable::Storage)? else { return Ok(None) };
    let environment = store.read().map_err(Unreadable::Storage)?;
    match environment.health.good {
        0 => Err(Unreadable::Damaged),
        _ => Ok(Some(environment)),
    }
}

/// Why nothing is known of the environment's variables.
#[derive(Debug)]
pub enum Unreadable {
    /// Where it is cannot be told or read.
    Storage(uboot_env::Error),
    /// No copy has a checksum that fits.
    Damaged,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Storage(why) => why.fmt(f),
            Unreadable::Damaged => f.write_str("no copy of it has a checksum that fits"),
        }
    }
}

#[cfg(test)]
mod tests;
