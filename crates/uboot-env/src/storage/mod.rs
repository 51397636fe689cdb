//! Files, flash, locks and backups: the environment where it is kept. Linux.

pub(crate) mod backup;
mod copy;
pub(crate) mod error;
mod file;
pub(crate) mod find;
pub(crate) mod flash;
mod lock;
mod mtd;
mod open;
mod paths;
pub(crate) mod recovery;
mod root;
mod scan;
pub(crate) mod store;
pub(crate) mod transaction;
