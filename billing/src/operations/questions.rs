//! What waits for an operator, in words and with the decisions that can be taken.

use std::fmt;

use intercom_wire::{BoardName, Mac, RequestId};
use serde::{Serialize, Serializer};

use super::{Billing, Decision, Refusal};
use crate::event::BothOnLine;
use crate::offer::Turn;
use crate::store::boards::Conflict;
use crate::store::by_hand::{self, ByHand};
use crate::store::disputes::{self, Dispute};
use crate::store::intercoms::{self, EMPTY, Name, PENDING};
use crate::store::{Snapshot, doors, pending, replaced};

/// How many of each kind are listed.
const LISTED: i64 = 100;
/// How many requests for spares are looked through: most spares are there.
const LOOKED_THROUGH: i64 = 300;

/// One question, with its decisions.
#[derive(Debug, Clone, Serialize)]
pub struct Question {
    /// What has happened.
    #[serde(rename = "text", serialize_with = "in_words")]
    pub what: Waits,
    /// What can be decided; the first is the usual one.
    pub answers: Vec<Decision>,
}

/// What waits for an operator.
#[derive(Debug, Clone)]
pub enum Waits {
    /// A board claims a MAC address, and is not believed.
    Claim(Dispute),
    /// Two boards have one name.
    Twins(BoardName),
    /// A panel that was replaced is on line beside its replacement.
    Replaced(BothOnLine),
    /// A board was changed by hand, and it is not certain whose panel it is.
    ByHand(ByHand),
    /// A request waits for a known spare.
    Spare {
        /// The request.
        request_id: RequestId,
        /// The intercom whose panel is to be replaced.
        intercom_id: Option<i64>,
        /// The spare's MAC address.
        new_mac: Option<Mac>,
    },
}

impl Billing {
    /// What waits for an operator; at most a hundred of each kind.
    ///
    /// # Errors
    /// The database fails.
    pub async fn questions(&self) -> Result<Vec<Question>, Refusal> {
        let (now, rule, believed) = (self.store.now_ms(), self.rule(), self.believed);
        self.store
            .read(move |snapshot| {
                let mut questions = Vec::new();
                for change in by_hand::all(snapshot)? {
                    questions.push(about_a_change(snapshot, change)?);
                }
                for dispute in disputes::all(snapshot, believed, now, LISTED)? {
                    questions.push(about_a_claim(snapshot, dispute)?);
                }
                let twins = disputes::twins(snapshot, now, LISTED)?.into_iter();
                questions.extend(twins.map(|board| Question {
                    what: Waits::Twins(board.clone()),
                    answers: vec![Decision::NoTwins { board }],
                }));
                let replaced = replaced::on_line(snapshot, now, LISTED)?.into_iter();
                questions.extend(
                    replaced.map(|both| Question { what: Waits::Replaced(both), answers: vec![] }),
                );
                let waiting = pending::for_spares(snapshot, LOOKED_THROUGH)?.into_iter();
                let waiting =
                    waiting.filter(|request| rule.turn(&request.waiting, now) == Turn::Spare);
                questions.extend(waiting.take(LISTED as usize).map(|request| {
                    let request_id = request.body.request_id;
                    let (intercom_id, new_mac) = (request.body.target.id, request.body.new_mac);
                    Question {
                        answers: vec![Decision::OfferToTheDoor { request_id: request_id.clone() }],
                        what: Waits::Spare { request_id, intercom_id, new_mac },
                    }
                }));
                Ok(questions)
            })
            .await
    }
}

/// It may be the panel of its own door, of the intercom whose MAC address it has taken, or of the one
/// that has its former MAC address.
fn about_a_change(snapshot: &Snapshot<'_>, change: ByHand) -> Result<Question, Refusal> {
    let board = &change.board;
    let mut ids = Vec::from_iter(doors::of_board(snapshot, board)?.map(|door| door.intercom_id));
    for mac in [change.identity.mac, change.previous_mac] {
        let record = intercoms::find(snapshot, &Name::Mac(mac))?;
        // A spare's own record is no door.
        let record = record.filter(|record| record.shown.status.as_deref() != Some(EMPTY));
        ids.extend(record.map(|record| record.id));
    }
    let mut answers: Vec<Decision> = Vec::new();
    for id in ids {
        let accept = Decision::AcceptByHand { board: board.clone(), id };
        if !answers.contains(&accept) {
            answers.push(accept);
        }
    }
    answers.push(Decision::DismissByHand { board: board.clone() });
    Ok(Question { what: Waits::ByHand(change), answers })
}

fn about_a_claim(snapshot: &Snapshot<'_>, dispute: Dispute) -> Result<Question, Refusal> {
    let (board, mac) = (dispute.board.clone(), dispute.claim.mac);
    let answers = match (&dispute.conflict, &dispute.door) {
        (Conflict::Unasked(_), Some(door)) => {
            let record = intercoms::find(snapshot, &Name::Id(door.intercom_id))?;
            let is_pending =
                record.is_some_and(|record| record.shown.status.as_deref() == Some(PENDING));
            let ask = (!is_pending).then(|| Decision::AskAgain { board: board.clone() });
            ask.into_iter().chain([Decision::Follow { board }]).collect()
        }
        _ => vec![Decision::Enrol { board, mac }],
    };
    let is_of_another = matches!(dispute.conflict, Conflict::OfAnother(_));
    let both = match is_of_another {
        true => replaced::is_back(snapshot, &dispute.board, mac)?,
        false => None,
    };
    let what = both.map_or(Waits::Claim(dispute), Waits::Replaced);
    Ok(Question { what, answers })
}

fn in_words<S: Serializer>(what: &Waits, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(what)
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waits::Claim(Dispute { board, claim, conflict, door }) => match (conflict, door) {
                (Conflict::OfAnother(owner), _) => write!(
                    f,
                    "Board {board} claims {claim}, which was first seen on board {owner}. It is \
                     offered nothing by that MAC address."
                ),
                (Conflict::Unasked(confirmed), Some(door)) => write!(
                    f,
                    "Board {board} is the panel of intercom {}. It carries {claim} and not \
                     {confirmed}, and nobody asked it to. It may have lost its record, or it was \
                     changed by hand.",
                    door.intercom_id
                ),
                (conflict, _) => write!(f, "Board {board} claims {claim}: {conflict}."),
            },
            Waits::Replaced(both) => both.fmt(f),
            Waits::Twins(board) => write!(
                f,
                "Two boards have the name {board}, or one claims one MAC address after another. \
                 They are offered nothing. Give one of them another `board_name`."
            ),
            Waits::ByHand(ByHand { board, identity, previous_mac, .. }) => {
                write!(
                    f,
                    "Board {board} was changed by hand from {previous_mac} to {identity}. Which \
                     intercom's panel is it?"
                )
            }
            Waits::Spare { request_id, intercom_id, new_mac } => {
                let id = intercom_id.unwrap_or_default();
                write!(f, "Request {request_id} for intercom {id} waits for the spare")?;
                if let Some(mac) = new_mac {
                    write!(f, " with {mac}")?;
                }
                f.write_str(", which is not connected.")
            }
        }
    }
}
