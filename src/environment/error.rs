//! What can go wrong with the environment, in words for people.

use std::fmt;
use std::io;

use super::config::{self, BadLine};
use super::format::Unfit;
use super::lock;
use super::policy::Refusal;

/// Why the environment was not read or written.
#[derive(Debug)]
pub enum Error {
    /// A line of the configuration is not understood.
    Config(BadLine),
    /// A file or device cannot be read; which.
    Unreadable(String, io::Error),
    /// A copy is not within its device; which device.
    Outside(String),
    /// Another program holds the lock, or it cannot be taken.
    Lock(io::Error),
    /// Nothing may be written, and nothing was.
    Refused(Refusal),
    /// These variables cannot be written, and nothing was.
    Unfit(Unfit),
    /// The block cannot be backed up first, and nothing was written.
    NoBackup(String),
    /// The backup cannot be read.
    Backup(io::Error),
    /// Writing failed, and the environment is as it was; which device, and why if it is known: a
    /// protected flash takes a write, says nothing, and stays as it is.
    NotWritten(String, Option<io::Error>),
    /// Writing failed, and so did putting the old block back; which device. The backup is kept.
    Torn(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Config(BadLine { line, why }) => {
                write!(f, "{} line {line}: {why}", config::PATH)
            }
            Error::Unreadable(what, why) => write!(f, "{what} cannot be read: {why}"),
            Error::Outside(device) => write!(
                f,
                "the environment is not within {device}; correct offset and size in {}",
                config::PATH
            ),
            Error::Lock(why) => write!(
                f,
                "{} cannot be taken: {why}; if a program hangs with it, end that one",
                lock::PATH
            ),
            Error::Refused(why) => write!(f, "the U-Boot environment is not written: {why}"),
            Error::Unfit(why) => write!(f, "the U-Boot environment is not written: {why}"),
            Error::NoBackup(why) => write!(
                f,
                "the U-Boot environment is not written, since it cannot be backed up first: {why}"
            ),
            Error::Backup(why) => write!(f, "the environment's backup cannot be read: {why}"),
            Error::NotWritten(device, Some(why)) => {
                write!(f, "{device} was not written and is as it was: {why}")
            }
            Error::NotWritten(device, None) => write!(
                f,
                "{device} took the write and is as it was; the flash is protected: unlock it from U-Boot (`sf protect unlock`)"
            ),
            Error::Torn(device) => write!(
                f,
                "{device} was written badly and could not be put back; its backup is kept and tried \
                 again at the next start: do not cut the power before `doctor` finds it good"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Unreadable(_, why)
            | Error::Lock(why)
            | Error::Backup(why)
            | Error::NotWritten(_, Some(why)) => Some(why),
            _ => None,
        }
    }
}

impl From<Refusal> for Error {
    fn from(why: Refusal) -> Self {
        Error::Refused(why)
    }
}

impl From<Unfit> for Error {
    fn from(why: Unfit) -> Self {
        Error::Unfit(why)
    }
}
