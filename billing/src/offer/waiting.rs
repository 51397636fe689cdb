//! A pending request, and the boards that claim the MAC address that it asks for.

use intercom_wire::{BoardName, Mac, SerialNumber};

use super::turn::Turn;
use crate::schedule::Schedule;

/// What the rule depends on in a pending request.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The MAC address that is asked for, if one is.
    pub new_mac: Option<Mac>,
    /// The serial number that is asked for, if one is.
    pub new_serial_number: Option<SerialNumber>,
    /// The confirmed MAC address of the intercom.
    pub confirmed_mac: Mac,
    /// When the request was made.
    pub asked_ms: i64,
    /// The board of the door, where it is known.
    pub door: Option<BoardName>,
    /// Until when two boards count as having the name of the door's board, if they ever had.
    pub twins_until_ms: Option<i64>,
    /// The boards that claim `new_mac`, there or not.
    pub claimants: Vec<Claimant>,
    /// `new_mac` is known as a spare's own.
    pub is_spares: bool,
    /// How often the board with `new_mac` has said that it polls, if it ever polled and is not the
    /// door's: that one may have had it before, and is the one that is asked.
    pub polls_every_ms: Option<i64>,
    /// An operator has said that the door's board gets it.
    pub is_for_the_door: bool,
    /// The door's board is offered it already.
    pub is_offered_to_the_door: bool,
    /// It is one of the two requests of a swap.
    pub half: Option<Half>,
    /// When it may be offered.
    pub schedule: Schedule,
}

/// One of the two requests of a swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Half {
    /// The other door's board, which carries the MAC address already.
    pub board: Option<BoardName>,
    /// That board has said that it does.
    pub is_confirmed: bool,
}

/// A board that claims the MAC address that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The board.
    pub board: BoardName,
    /// The serial number that it claims.
    pub serial_number: Option<SerialNumber>,
    /// Until when it counts as there.
    pub until_ms: i64,
    /// The MAC address is its own.
    pub is_believed: bool,
    /// It is another intercom's panel.
    pub is_of_another_door: bool,
}

impl Waiting {
    /// Whose turn it is where no replacement is in question.
    pub(super) fn doors_turn(&self, now_ms: i64) -> Turn {
        if let Some(until_ms) = self.schedule.is_quiet_until(now_ms) {
            return Turn::Quiet(until_ms);
        }
        match &self.door {
            Some(board) if self.twins_until_ms > Some(now_ms) => Turn::Twins(board.clone()),
            door => Turn::Door(door.clone()),
        }
    }

    /// Whose turn a request of a swap is at.
    pub(super) fn halfs_turn(&self, half: &Half, now_ms: i64) -> Turn {
        if half.is_confirmed {
            return Turn::OtherHalf;
        }
        let is_it = |claimant: &&Claimant| {
            Some(&claimant.board) == half.board.as_ref()
                && claimant.until_ms > now_ms
                && !claimant.contradicts(self)
        };
        match (self.believed().find(is_it), &half.board) {
            (Some(_), Some(board)) if self.twins_until_ms > Some(now_ms) => {
                Turn::Twins(board.clone())
            }
            (Some(claimant), _) => Turn::Replacement(claimant.board.clone()),
            (None, board) => Turn::Exchanged(board.clone()),
        }
    }

    /// The boards that count.
    pub(super) fn believed(&self) -> impl Iterator<Item = &Claimant> {
        self.claimants.iter().filter(|claimant| claimant.is_believed)
    }
}

impl Claimant {
    /// Whether it is the replacement on the wall.
    pub(super) fn may_have(&self, waiting: &Waiting) -> bool {
        // The door's own board has the MAC address because it was asked to take it.
        !self.is_of_another_door
            && (!self.contradicts(waiting) || waiting.door.as_ref() == Some(&self.board))
    }

    /// Whether it claims another serial number than was asked for.
    fn contradicts(&self, waiting: &Waiting) -> bool {
        match (&self.serial_number, &waiting.new_serial_number) {
            (Some(own), Some(asked)) => own != asked,
            _ => false,
        }
    }
}
