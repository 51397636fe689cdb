//! Why a change is taken back.

use std::fmt;

use intercom_wire::Mac;

use super::hook_failure::HookFailure;
use super::set_board::SetBoardError;
use crate::board::LinkError;

/// Why the change in progress is taken back. The record and the report keep it in words.
#[derive(Debug)]
pub(super) enum RollbackReason {
    /// Its time had run out before the new identity was set.
    NotConfirmed,
    /// The board did not take the new identity.
    Board(SetBoardError),
    /// A hook failed.
    Hook(HookFailure),
    /// The hooks were still running at the deadline.
    HooksTooLong,
    /// No new connection stayed alive before the deadline.
    NotReached,
    /// It was confirmed, and the disk did not take the record before the deadline.
    NotWritten,
    /// The link has this MAC address, which is not the one that was set.
    OtherMac(Mac),
    /// The link cannot be read.
    LinkLost(LinkError),
}

impl fmt::Display for RollbackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RollbackReason::NotConfirmed => f.write_str("it was not confirmed in time"),
            RollbackReason::Board(why) => why.fmt(f),
            RollbackReason::Hook(why) => write!(f, "a hook failed: {why}"),
            RollbackReason::HooksTooLong => f.write_str("the hooks did not end in time"),
            RollbackReason::NotReached => {
                f.write_str("the panel could not be reached under the new identity in time")
            }
            RollbackReason::NotWritten => f.write_str("the record could not be written in time"),
            RollbackReason::OtherMac(mac) => {
                write!(f, "something else set the link's MAC to {mac}")
            }
            RollbackReason::LinkLost(why) => write!(f, "the link cannot be read any more: {why}"),
        }
    }
}
