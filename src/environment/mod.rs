//! The U-Boot environment of this board: where it is found, whether the agent may write it, and what
//! is kept while it does. How it is read and written is the crate `uboot-env`.

mod backup;
mod looked_at;
mod policy;
mod write;

use uboot_env::Store;

pub use backup::FILE as BACKUP_FILE;
pub use looked_at::LookedAt;
pub use policy::{Policy, Refusal, may_restore, may_write};
pub use write::{Error, Healed, heal, write};

use crate::root::Root;

/// Opens this board's environment; `None` if there is none.
///
/// # Errors
/// As [`Store::find`].
pub fn open(root: &Root) -> Result<Option<Store>, uboot_env::Error> {
    Store::find(root.path("/"))
}

#[cfg(test)]
mod tests;
