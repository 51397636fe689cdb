//! Changing and healing the environment, where the policy allows it.

use std::fmt;

use uboot_env::{Change, Recovery, Store, Transaction, Written};

use super::backup::DiskBackup;
use super::policy::{Policy, Refusal, may_restore, may_write};
use crate::storage::Disk;

/// Why the environment was not written.
#[derive(Debug)]
pub enum Error {
    /// Nothing may be written, and nothing was.
    Refused(Refusal),
    /// It did not work.
    Store(uboot_env::Error),
}

/// What [`heal`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Healed {
    /// A good copy; nothing was written to it.
    Whole,
    /// A write that a power cut had ended half-way, and put back what was there before.
    Restored,
    /// No good copy, and no backup: nothing was written.
    Damaged,
}

/// Changes variables, all at once. `disk` takes the backup where one is needed.
///
/// # Errors
/// If the policy forbids it, or it did not work.
pub fn write(
    mut transaction: Transaction<'_>,
    disk: &mut impl Disk,
    policy: Policy,
    changes: &[Change<'_>],
) -> Result<Written, Error> {
    for &(name, value) in changes {
        match value {
            Some(value) => transaction.set(name, value),
            None => transaction.remove(name),
        };
    }
    if !transaction.is_change().map_err(uboot_env::Error::from)? {
        return Ok(Written::Unchanged);
    }
    may_write(policy, transaction.health())?;
    Ok(transaction.commit(&mut DiskBackup(disk))?)
}

/// Puts right what a power cut during [`write`] left behind. To be called at every start, before
/// anything else; without a backup on the disk it only reads.
///
/// # Errors
/// If the policy forbids what has to be written, or it did not work.
pub fn heal(store: &mut Store, disk: &mut impl Disk, policy: Policy) -> Result<Healed, Error> {
    let mut backup = DiskBackup(disk);
    match store.recover(&mut backup)? {
        Recovery::Whole => Ok(Healed::Whole),
        Recovery::Damaged => Ok(Healed::Damaged),
        Recovery::Interrupted(write) => {
            may_restore(policy, write.health())?;
            write.restore(&mut backup)?;
            Ok(Healed::Restored)
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(why) => write!(f, "the U-Boot environment is not written: {why}"),
            Error::Store(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Refused(_) => None,
            Error::Store(why) => why.source(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(why: Refusal) -> Self {
        Error::Refused(why)
    }
}

impl From<uboot_env::Error> for Error {
    fn from(why: uboot_env::Error) -> Self {
        Error::Store(why)
    }
}
