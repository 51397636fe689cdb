//! What an operator decides about boards and requests.

use std::fmt;

use intercom_wire::{BoardName, Mac, RequestId};
use serde::Serialize;

use super::{Billing, Refusal, by_hand, find, forgotten};
use crate::audit::{Action, Actor, Subject};
use crate::replacement::State;
use crate::store::intercoms::{Name, PENDING};
use crate::store::macs::{self, Believed};
use crate::store::{self, Transaction, audit, disputes, requests};

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
    pub async fn decide(&self, decision: Decision, by: Actor) -> Result<(), Refusal> {
        let believed = self.believed;
        self.store.write(move |transaction| carry_out(transaction, &decision, &by, believed)).await
    }
}

/// A MAC address is that board's.
pub(crate) fn enrol(
    transaction: &Transaction<'_>,
    board: &BoardName,
    mac: Mac,
    by: &Actor,
) -> Result<(), Refusal> {
    macs::enrol(transaction, mac, board, transaction.now_ms())?;
    let detail = mac.to_string();
    let subject = Subject { board: Some(board), detail: Some(&detail), ..Subject::default() };
    Ok(audit::add(transaction, by, Action::Enrol, &subject)?)
}

fn carry_out(
    transaction: &Transaction<'_>,
    decision: &Decision,
    by: &Actor,
    believed: Believed,
) -> Result<(), Refusal> {
    let done = |action, intercom_id, request_id, board| {
        let subject = Subject { intercom_id, request_id, board, ..Subject::default() };
        Ok(audit::add(transaction, by, action, &subject)?)
    };
    let dispute = |board| {
        let dispute = disputes::of_board(transaction, believed, board)?;
        dispute.ok_or(Refusal::NotFound)
    };
    match decision {
        Decision::Enrol { board, mac } => enrol(transaction, board, *mac, by),
        Decision::AcceptByHand { board, id } => {
            by_hand::accept(transaction, board, &Name::Id(*id), believed)?;
            done(Action::AcceptByHand, Some(*id), None, Some(board))
        }
        Decision::DismissByHand { board } => {
            store::by_hand::remove(transaction, board)?;
            done(Action::DismissByHand, None, None, Some(board))
        }
        Decision::AskAgain { board } => {
            let id = dispute(board)?.door.ok_or(Refusal::NotFound)?.intercom_id;
            let record = find(transaction, &Name::Id(id))?;
            if record.shown.status.as_deref() == Some(PENDING) {
                return Err(Refusal::NotFound);
            }
            let request_id = forgotten::ask_again(transaction, &record, &by.to_string())?;
            done(Action::AskAgain, Some(id), Some(&request_id), Some(board))
        }
        Decision::Follow { board } => {
            let dispute = dispute(board)?;
            by_hand::follow_claim(transaction, &dispute, believed)?;
            let id = dispute.door.map(|door| door.intercom_id);
            done(Action::Follow, id, None, Some(board))
        }
        Decision::NoTwins { board } => {
            disputes::no_twins(transaction, board)?;
            done(Action::NoTwins, None, None, Some(board))
        }
        Decision::OfferToTheDoor { request_id } => {
            match requests::by_id(transaction, request_id)? {
                Some((id, request)) if request.state == State::Pending => {
                    requests::set_for_the_door(transaction, request_id)?;
                    done(Action::OfferToTheDoor, Some(id), Some(request_id), None)
                }
                _ => Err(Refusal::NotFound),
            }
        }
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
