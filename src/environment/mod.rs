//! The U-Boot environment: found, read, and changed without a moment at which it could be lost.
//!
//! [`Layout::find`] says where it is, [`Store`] does the rest. The formats are those of U-Boot's
//! `tools/env` and of libubootenv, whose tools work on the same flash.

mod backup;
mod config;
mod copy;
mod error;
mod flags;
mod flash;
mod format;
mod layout;
mod lock;
mod mtd;
mod policy;
mod scan;
mod store;

pub use backup::FILE as BACKUP_FILE;
pub use config::{BadLine, Location, parse as parse_config};
pub use error::Error;
pub use flags::Flags;
pub use flash::Flash;
pub use format::{Change, Image, Unfit};
pub use layout::{Layout, Origin};
pub use policy::{Facts, Policy, Refusal, may_write};
pub use store::{Environment, Healed, Store, Written};

#[cfg(test)]
mod tests;
