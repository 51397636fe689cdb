//! What an operator decides about boards and requests.

use std::fmt;

use intercom_wire::{BoardName, Mac, RequestId};
use serde::Serialize;

use super::{Billing, Refusal, by_hand, find, forgotten};
use crate::replacement::State;
use crate::store::intercoms::{Name, PENDING};
use crate::store::{self, disputes, macs, requests};

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// A MAC address is that board's, whoever was seen with it.
    Enrol {
        /// The board.
        board: BoardName,
        /// The MAC address.
        mac: Mac,
    },
    /// A change by hand counts: its board is the panel of that intercom now.
    AcceptByHand {
        /// The board.
        board: BoardName,
        /// The intercom.
        id: i64,
    },
    /// A change by hand does not count.
    DismissByHand {
        /// The board.
        board: BoardName,
    },
    /// A door's board is asked to take its door's identity again.
    AskAgain {
        /// The board.
        board: BoardName,
    },
    /// The record of a door has what its board carries.
    Follow {
        /// The board.
        board: BoardName,
    },
    /// Only one board has this name any more.
    NoTwins {
        /// The name.
        board: BoardName,
    },
    /// A request goes to the door's board, although a known spare has the MAC address.
    OfferToTheDoor {
        /// The request.
        request_id: RequestId,
    },
}

impl Billing {
    /// Does what an operator has decided.
    ///
    /// # Errors
    /// Nothing waits for that decision any more, another intercom has the identity, or the database
    /// fails.
    pub async fn decide(&self, decision: Decision) -> Result<(), Refusal> {
        let believed = self.believed;
        self.store
            .write(move |transaction| {
                let dispute = |board: &BoardName| {
                    let dispute = disputes::of_board(transaction, believed, board)?;
                    dispute.ok_or(Refusal::NotFound)
                };
                match decision {
                    Decision::Enrol { board, mac } => {
                        Ok(macs::enrol(transaction, mac, &board, transaction.now_ms())?)
                    }
                    Decision::AcceptByHand { board, id } => {
                        by_hand::accept(transaction, &board, &Name::Id(id), believed)
                    }
                    Decision::DismissByHand { board } => {
                        Ok(store::by_hand::remove(transaction, &board)?)
                    }
                    Decision::AskAgain { board } => {
                        let door = dispute(&board)?.door.ok_or(Refusal::NotFound)?;
                        let record = find(transaction, &Name::Id(door.intercom_id))?;
                        if record.shown.status.as_deref() == Some(PENDING) {
                            return Err(Refusal::NotFound);
                        }
                        forgotten::ask_again(transaction, &record, "an operator")
                    }
                    Decision::Follow { board } => {
                        by_hand::follow_claim(transaction, &dispute(&board)?, believed)
                    }
                    Decision::NoTwins { board } => Ok(disputes::no_twins(transaction, &board)?),
                    Decision::OfferToTheDoor { request_id } => {
                        match requests::by_id(transaction, &request_id)? {
                            Some((_, request)) if request.state == State::Pending => {
                                Ok(requests::set_for_the_door(transaction, &request_id)?)
                            }
                            _ => Err(Refusal::NotFound),
                        }
                    }
                }
            })
            .await
    }
}

/// What it says on the button.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decision::Enrol { board, mac } => write!(f, "{mac} belongs to board {board}"),
            Decision::AcceptByHand { id, .. } => write!(f, "It is the panel of intercom {id} now"),
            Decision::DismissByHand { .. } => f.write_str("It does not count"),
            Decision::AskAgain { .. } => f.write_str("Ask it to take the record's identity"),
            Decision::Follow { .. } => f.write_str("The record is to follow the board"),
            Decision::NoTwins { .. } => f.write_str("Only one board has this name now"),
            Decision::OfferToTheDoor { .. } => f.write_str("Let the old panel take it now"),
        }
    }
}
