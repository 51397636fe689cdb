//! Why a change or a rollback cannot be begun, and why an outcome is not recorded.

use std::fmt;
use std::io;

use intercom_wire::{Identity, Mac, Outcome};

use super::stage::NotReady;
use crate::board::LinkError;
use crate::record_store::ReserveError;

/// Why a change cannot be begun. The board has not been touched.
#[derive(Debug)]
pub enum BeginError {
    /// `changes_per_hour` allows no more; this many were begun within the last hour.
    TooMany(usize),
    /// The link cannot be read.
    Link(LinkError),
    /// No room can be kept for the end of the change.
    Reserve(ReserveError),
    /// The record cannot be written.
    Record(io::Error),
}

/// Why a rollback by hand cannot be begun. The board has not been touched.
#[derive(Debug)]
pub enum RollbackError {
    /// Another change is in progress.
    Changing,
    /// The factory identity is unknown.
    FactoryUnknown,
    /// The factory identity is not known yet: a source that tells it has not been read.
    FactoryNotReadYet,
    /// No change is left in the ledger.
    NothingToTakeBack,
    /// The MAC address before the last change was not known to be the board's own: its driver made it
    /// up, or many boards share it.
    PreviousMacNotOwn(Mac),
    /// The board already carries this identity.
    SameIdentity(Identity),
    /// The change back cannot be begun.
    Begin(BeginError),
}

/// An installer's request is not taken: so many requests wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom {
    /// How many.
    pub waiting: usize,
}

/// Why a valid request ends before anything is touched.
#[derive(Debug)]
pub(super) enum NotApplied {
    /// A later request for the same intercom was decided before it: the one with this `seq`.
    Overtaken(u64),
    /// The hooks said "not now" for as long as they may.
    NotReady(NotReady),
    /// Its change cannot be begun.
    Begin(BeginError),
}

/// Why it is not recorded that a request was already installed.
#[derive(Debug)]
pub(super) enum NotRecorded {
    /// `changes_per_hour` such entries were written within the last hour.
    TooMany,
    /// The record cannot be written.
    Record(io::Error),
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} requests wait already, and no more are taken: `intercom-agent status` says what they \
             wait for",
            self.waiting
        )
    }
}

impl fmt::Display for BeginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BeginError::TooMany(lately) => write!(
                f,
                "{lately} changes were begun within the last hour, and changes_per_hour allows no \
                 more: the flash wears out"
            ),
            BeginError::Link(why) => write!(f, "the link cannot be read: {why}"),
            BeginError::Reserve(why) => why.fmt(f),
            BeginError::Record(why) => write!(f, "the record cannot be written: {why}"),
        }
    }
}

impl fmt::Display for RollbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RollbackError::Changing => {
                f.write_str("a change is in progress; wait until it has ended")
            }
            RollbackError::FactoryUnknown => f.write_str(
                "the factory identity is unknown: the store was erased since the first start",
            ),
            RollbackError::FactoryNotReadYet => f.write_str(
                "the factory identity is not known yet: what the board itself is could not be read, \
                 or it has no MAC address of its own; `intercom-agent doctor` says which",
            ),
            RollbackError::NothingToTakeBack => f.write_str(
                "no change is left in the ledger that could be taken back; try --factory",
            ),
            RollbackError::PreviousMacNotOwn(mac) => write!(
                f,
                "the MAC address before the last change, {mac}, is not known to be this board's own"
            ),
            RollbackError::SameIdentity(identity) => {
                write!(f, "the board carries {identity} already")
            }
            RollbackError::Begin(why) => why.fmt(f),
        }
    }
}

impl NotApplied {
    /// How the request ended.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            NotApplied::Overtaken(_) => Outcome::Rejected,
            NotApplied::NotReady(_) | NotApplied::Begin(_) => Outcome::Failed,
        }
    }
}

impl fmt::Display for NotApplied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotApplied::Overtaken(seq) => write!(
                f,
                "a later request for the same intercom was decided before, with the seq {seq}"
            ),
            NotApplied::NotReady(why) => write!(f, "it could not begin for 24 h: {why}"),
            NotApplied::Begin(why) => why.fmt(f),
        }
    }
}

impl fmt::Display for NotRecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotRecorded::TooMany => {
                f.write_str("changes_per_hour allows no more such entries either")
            }
            NotRecorded::Record(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for BeginError {}
impl std::error::Error for RollbackError {}

impl From<BeginError> for RollbackError {
    fn from(why: BeginError) -> Self {
        RollbackError::Begin(why)
    }
}
