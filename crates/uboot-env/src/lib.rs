#![cfg_attr(feature = "std", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "std"), doc = "The codec of the U-Boot environment, without storage.")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod codec;
#[cfg(feature = "std")]
mod storage;

pub use codec::config::{ConfigError, ConfigErrorKind, parse_config};
pub use codec::flags::Flags;
pub use codec::image::{Change, Format, Image, VariableError};
pub use codec::layout::{Layout, Location};
#[cfg(feature = "std")]
pub use storage::{
    backup::{Backup, BackupFile, Blocks, NoBackup},
    error::{Error, Unsafe},
    find::Origin,
    flash::Flash,
    recovery::{Interrupted, Recovery},
    store::{Environment, Health, Store},
    transaction::{Transaction, Written},
};
