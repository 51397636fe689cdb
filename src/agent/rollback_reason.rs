//! Why a change is taken back.

use std::fmt;

use intercom_wire::{BoardName, Mac};

use super::hook_failure::HookFailure;
use super::set_board::SetBoardError;
use crate::board::{LinkError, UplinkError};
use crate::decide::WithheldTopic;
use crate::record::Route;

/// Why the change in progress is taken back. The record and the report keep it in words.
#[derive(Debug)]
pub(super) enum RollbackReason {
    /// An installer does not want it any more.
    ByHand,
    /// Its time had run out before the new identity was set.
    NotConfirmed,
    /// The board did not take the new identity.
    Board(SetBoardError),
    /// A hook failed.
    Hook(HookFailure),
    /// The hooks were still running at the deadline.
    HooksTooLong,
    /// No new connection stayed alive before the deadline.
    NotReached(LastErrors),
    /// A new connection was made on this route, and upstream did not answer on it when `settle` was over.
    NotReachedAgain(Route),
    /// Another board has the new MAC address too; its name, where it told one.
    Conflict(Option<BoardName>),
    /// It could not be found out whether another board has the new MAC address; the topic that the broker
    /// withholds, where it is that.
    OthersUnknown(Option<WithheldTopic>),
    /// The traffic was not seen to leave by the link that bears the new MAC address.
    Uplink(UplinkError),
    /// It was confirmed, and the disk did not take the record before the deadline.
    NotWritten,
    /// The link has this MAC address, which is not the one that was set.
    OtherMac(Mac),
    /// The link cannot be read.
    LinkLost(LinkError),
}

/// The last thing that went wrong on each route during a change, in words; empty until the routes are asked.
#[derive(Debug, Default)]
pub(super) struct LastErrors(pub(super) Vec<(Route, String)>);

impl fmt::Display for RollbackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RollbackReason::ByHand => f.write_str("rolled back by hand"),
            RollbackReason::NotConfirmed => f.write_str("it was not confirmed in time"),
            RollbackReason::Board(why) => why.fmt(f),
            RollbackReason::Hook(why) => write!(f, "a hook failed: {why}"),
            RollbackReason::HooksTooLong => f.write_str("the hooks did not end in time"),
            RollbackReason::NotReached(LastErrors(errors)) => {
                f.write_str("the panel could not be reached under the new identity in time")?;
                errors
                    .iter()
                    .try_for_each(|(route, text)| write!(f, "; over {}: {text}", route.label()))
            }
            RollbackReason::NotReachedAgain(Route::Mqtt) => f.write_str(
                "the broker does not give the panel's own messages back: it was reached under the \
                 new identity, and the path to it has been silent since",
            ),
            RollbackReason::NotReachedAgain(Route::Http | Route::Billing) => f.write_str(
                "the service was reached under the new identity, and has not answered since",
            ),
            RollbackReason::Conflict(Some(board)) => {
                write!(f, "identity conflict: board {board} has the new MAC too")
            }
            RollbackReason::Conflict(None) => {
                f.write_str("identity conflict: another board has the new MAC too")
            }
            RollbackReason::OthersUnknown(withheld) => {
                f.write_str("it could not be found out whether another board has the new MAC too")?;
                withheld.iter().try_for_each(|topic| write!(f, ": {topic}"))
            }
            RollbackReason::Uplink(why) => {
                write!(f, "reaching upstream does not prove the new identity: {why}")
            }
            RollbackReason::NotWritten => f.write_str("the record could not be written in time"),
            RollbackReason::OtherMac(mac) => {
                write!(f, "something else set the link's MAC to {mac}")
            }
            RollbackReason::LinkLost(why) => write!(f, "the link cannot be read any more: {why}"),
        }
    }
}
