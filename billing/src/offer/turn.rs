//! Whose turn a request is at, and what that means in words.

use std::fmt;

use intercom_wire::BoardName;

use crate::schedule::rfc_3339;

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// This board's, which carries the MAC address already.
    Replacement(BoardName),
    /// Nobody's until the spare with the MAC address shows up.
    Spare,
    /// Nobody's: a board that is there claims the MAC address, and must not have the request.
    Conflict(BoardName),
    /// Nobody's before that time; then that of the door's board.
    Grace(i64),
    /// Nobody's: two boards have the name of the door's board, and each would get what is meant for
    /// the other.
    Twins(BoardName),
    /// The door's board's, where it is known.
    Door(Option<BoardName>),
    /// Nobody's until the other door's board is there with the MAC address that it had when the swap
    /// was asked for.
    Exchanged(Option<BoardName>),
    /// Nobody's: the other request of the swap is not confirmed yet.
    OtherHalf,
    /// Nobody's before that time, as was asked for.
    NotBefore(i64),
    /// Nobody's before that time: the door's board would change in the quiet hours of its group.
    Quiet(i64),
    /// Nobody's any more: its time is over.
    Expired,
}

impl Turn {
    /// The board that is offered the request now.
    pub fn board(&self) -> Option<&BoardName> {
        match self {
            Turn::Replacement(board) | Turn::Door(Some(board)) => Some(board),
            Turn::Spare
            | Turn::Conflict(_)
            | Turn::Grace(_)
            | Turn::Twins(_)
            | Turn::Door(None)
            | Turn::Exchanged(_)
            | Turn::OtherHalf
            | Turn::NotBefore(_)
            | Turn::Quiet(_)
            | Turn::Expired => None,
        }
    }
}

/// Whom a request waits for.
impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Turn::Replacement(board) => write!(f, "the answer of the replacement, board {board}"),
            Turn::Spare => f.write_str("the spare that has the new MAC address to be connected"),
            Turn::Conflict(board) => write!(
                f,
                "the end of a conflict: board {board} claims the new MAC address, and has another \
                 serial number than was asked for or belongs to another door"
            ),
            Turn::Grace(_) => f.write_str("a replacement that already has the new MAC address"),
            Turn::Twins(board) => write!(
                f,
                "the end of a conflict: two boards have the name {board}; give one of them another \
                 `board_name`"
            ),
            Turn::Door(Some(board)) => write!(f, "the answer of the door's board {board}"),
            Turn::Door(None) => f.write_str("the door's board, which has not shown itself yet"),
            Turn::Exchanged(Some(board)) => {
                write!(f, "the other door's board {board} to be connected with its MAC address")
            }
            Turn::Exchanged(None) => f.write_str("the other door's board, which is not known"),
            Turn::NotBefore(ms) => write!(f, "its time, {}", rfc_3339(*ms)),
            Turn::Quiet(ms) => write!(f, "the end of the quiet hours at {}", rfc_3339(*ms)),
            Turn::Expired => f.write_str("nothing: its time is over"),
            Turn::OtherHalf => f.write_str("the confirmation of the other door of the swap"),
        }
    }
}
