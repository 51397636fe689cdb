//! The U-Boot environment of this board: where it is found, whether the agent may write it, and what
//! is kept while it does. How it is read and written is the crate `uboot-env`.

mod backup;
mod policy;
mod write;

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
/// As [`Store::find`] and [`Store::read`].
pub fn read(root: &Root) -> Result<Option<Environment>, uboot_env::Error> {
    open(root)?.map(|mut store| store.read()).transpose()
}

#[cfg(test)]
mod tests;
