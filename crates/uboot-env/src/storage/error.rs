//! What can go wrong with the storage of the environment.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use super::paths::{CONFIG, LOCK};
use crate::codec::config::ConfigError;
use crate::codec::image::VariableError;

/// Why the environment was not read or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A line of `fw_env.config` is not understood.
    Config(ConfigError),
    /// A file or device cannot be read.
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The device is flash that is not NOR: NAND has bad blocks, which move everything.
    UnsupportedFlash {
        /// Its path.
        device: String,
        /// The `type` of its `struct mtd_info_user`, a number of the kernel's `mtd-abi.h`.
        kind: u8,
    },
    /// A copy is not within its device.
    Outside {
        /// The device.
        device: String,
    },
    /// Another program holds the lock of the tools, or it cannot be taken.
    Lock(io::Error),
    /// What is there may not be written, and nothing was.
    Unsafe(Unsafe),
    /// These variables cannot be written, and nothing was.
    Variable(VariableError),
    /// The erase blocks cannot be backed up first, and nothing was written.
    BackupNotSaved(io::Error),
    /// The backup cannot be read.
    BackupUnreadable(io::Error),
    /// A call failed, and the environment is as it was.
    NotWritten {
        /// The device.
        device: String,
        /// Why.
        error: io::Error,
    },
    /// No call failed, and the environment is as it was: a protected flash takes a write, says
    /// nothing, and stays as it is.
    WriteIgnored {
        /// The device.
        device: String,
    },
    /// Writing failed, and so did putting the old erase blocks back. Their backup is kept.
    Torn {
        /// The device.
        device: String,
    },
}

/// Why writing could lose an environment, whatever is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsafe {
    /// The two copies are in one erase block: erasing one takes both.
    SharedBlock,
    /// No copy has a checksum that fits, so that what is there is not known.
    Damaged,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Config(why) => write!(f, "{} {why}", CONFIG),
            Error::Unreadable { path, error } => write!(f, "{path} cannot be read: {error}"),
            Error::UnsupportedFlash { device, kind } => write!(
                f,
                "{device} cannot be read: flash of type {kind} is not supported, only NOR"
            ),
            Error::Outside { device } => write!(
                f,
                "the environment is not within {device}; correct offset and size in {}",
                CONFIG
            ),
            Error::Lock(why) => write!(
                f,
                "{} cannot be taken: {why}; if a program hangs with it, end that one",
                LOCK
            ),
            Error::Unsafe(why) => write!(f, "the U-Boot environment is not written: {why}"),
            Error::Variable(why) => write!(f, "the U-Boot environment is not written: {why}"),
            Error::BackupNotSaved(why) => write!(
                f,
                "the U-Boot environment is not written, since it cannot be backed up first: {why}"
            ),
            Error::BackupUnreadable(why) => {
                write!(f, "the environment's backup cannot be read: {why}")
            }
            Error::NotWritten { device, error } => {
                write!(f, "{device} was not written and is as it was: {error}")
            }
            Error::WriteIgnored { device } => write!(
                f,
                "{device} took the write and is as it was; the flash is protected: unlock it from \
                 U-Boot (`sf protect unlock`)"
            ),
            Error::Torn { device } => write!(
                f,
                "{device} was written badly and could not be put back; its backup is kept: do not \
                 cut the power before it has been repaired"
            ),
        }
    }
}

impl fmt::Display for Unsafe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsafe::SharedBlock => write!(
                f,
                "its two copies are in one erase block, so that erasing one takes both; \
                 correct the layout in {}",
                CONFIG
            ),
            // `fw_setenv` is not advised: with a wrong layout it writes its defaults over a good copy.
            Unsafe::Damaged => write!(
                f,
                "no copy has a checksum that fits and there is no backup, so what is there is not \
                 known; compare the layout in {CONFIG} with U-Boot's first; only if it is right, \
                 save it once from U-Boot (`saveenv`)",
            ),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Error::Config(why) => Some(why),
            Error::Unsafe(why) => Some(why),
            Error::Variable(why) => Some(why),
            Error::Unreadable { error: why, .. }
            | Error::Lock(why)
            | Error::BackupNotSaved(why)
            | Error::BackupUnreadable(why)
            | Error::NotWritten { error: why, .. } => Some(why),
            Error::UnsupportedFlash { .. }
            | Error::Outside { .. }
            | Error::WriteIgnored { .. }
            | Error::Torn { .. } => None,
        }
    }
}

impl StdError for Unsafe {}

impl From<ConfigError> for Error {
    fn from(why: ConfigError) -> Self {
        Error::Config(why)
    }
}

impl From<Unsafe> for Error {
    fn from(why: Unsafe) -> Self {
        Error::Unsafe(why)
    }
}

impl From<VariableError> for Error {
    fn from(why: VariableError) -> Self {
        Error::Variable(why)
    }
}
