//! A swap is asked for: what cannot be exchanged is refused before any panel is asked.

use std::fmt;

use intercom_wire::{BoardName, Errors, Identity, NamedBy, RequestId, SOURCE_AUTO_REPLACE};
use serde::Serialize;

use super::super::{Billing, Refusal, fresh_request_id, next_seq};
use super::pending_half;
use crate::audit::{Action, Actor, Subject};
use crate::replacement::{Carried, IdentityRequest, State};
use crate::store::intercoms::{self, EMPTY, Name, PENDING, Record, RecordState};
use crate::store::requests::{self, Cause, Queued};
use crate::store::{Snapshot, Transaction, audit, boards, swaps};

/// One of the two requests of a swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Swapped {
    /// The intercom.
    pub intercom_id: i64,
    /// Its request.
    pub request_id: RequestId,
}

/// One of the two doors.
struct Door {
    record: Record,
    /// What its panel carries, and the other door gets.
    model: String,
}

/// Why two panels are not taken for exchanged.
enum Why {
    NoSuchIntercom,
    IsASpare,
    IsPending,
    NoModel,
    NoBoard,
    NotThere(BoardName),
    Changing(BoardName),
    WouldChange { board: BoardName, claim: Option<Identity>, confirmed: Identity },
}

impl Billing {
    /// Asks both panels to confirm that each hangs at the other's door. The same again while it is
    /// pending is the same swap.
    ///
    /// # Errors
    /// A panel is not there or would have to change its identity, a request is pending, or the
    /// database fails.
    pub async fn swap(
        &self,
        id: i64,
        with_id: i64,
        asked_by: Actor,
    ) -> Result<[Swapped; 2], Refusal> {
        self.store.write(move |transaction| ask(transaction, id, with_id, &asked_by)).await
    }
}

fn ask(
    transaction: &Transaction<'_>,
    id: i64,
    with_id: i64,
    asked_by: &Actor,
) -> Result<[Swapped; 2], Refusal> {
    if id == with_id {
        let text = "The with id field must be different from id.";
        return Err(Errors::on("with_id", text).into());
    }
    if let Some(pending) = is_pending_already(transaction, id, with_id)? {
        return Ok(pending);
    }
    let one = door(transaction, id)?.map_err(|why| why.on("id", id))?;
    let other = door(transaction, with_id)?.map_err(|why| why.on("with_id", with_id))?;
    let swapped =
        [queue(transaction, &one, &other, asked_by)?, queue(transaction, &other, &one, asked_by)?];
    tracing::info!(
        "intercoms {id} and {with_id} exchange their panels: requests {} and {}",
        swapped[0].request_id,
        swapped[1].request_id
    );
    Ok(swapped)
}

/// A caller that got no answer asks again.
fn is_pending_already(
    snapshot: &Snapshot<'_>,
    id: i64,
    with_id: i64,
) -> Result<Option<[Swapped; 2]>, Refusal> {
    match (pending_half(snapshot, id)?, pending_half(snapshot, with_id)?) {
        (Some((one, half)), Some((other, _))) if half.with == with_id => Ok(Some([
            Swapped { intercom_id: id, request_id: one.request_id },
            Swapped { intercom_id: with_id, request_id: other.request_id },
        ])),
        _ => Ok(None),
    }
}

fn door(snapshot: &Snapshot<'_>, id: i64) -> Result<Result<Door, Why>, Refusal> {
    let Some(record) = intercoms::find(snapshot, &Name::Id(id))? else {
        return Ok(Err(Why::NoSuchIntercom));
    };
    match record.shown.status.as_deref() {
        Some(EMPTY) => return Ok(Err(Why::IsASpare)),
        Some(PENDING) => return Ok(Err(Why::IsPending)),
        _ => {}
    }
    let confirmed = &record.confirmed.identity;
    let Some(model) = record.confirmed.model.clone() else { return Ok(Err(Why::NoModel)) };
    let Some(board) = intercoms::board(snapshot, id)? else { return Ok(Err(Why::NoBoard)) };
    if boards::there_since(snapshot, &board, snapshot.now_ms())?.is_none() {
        return Ok(Err(Why::NotThere(board)));
    }
    if boards::is_changing(snapshot, &board)? {
        return Ok(Err(Why::Changing(board)));
    }
    match boards::claim(snapshot, &board)? {
        Some(claim) if claim == *confirmed => Ok(Ok(Door { record, model })),
        claim => Ok(Err(Why::WouldChange { board, claim, confirmed: confirmed.clone() })),
    }
}

/// A door asks for the identity of another one.
fn queue(
    transaction: &Transaction<'_>,
    door: &Door,
    other: &Door,
    asked_by: &Actor,
) -> Result<Swapped, Refusal> {
    let (record, wanted) = (&door.record, &other.record.confirmed);
    let seq = next_seq(transaction, record.seq);
    let change = IdentityRequest {
        request_id: fresh_request_id(transaction)?,
        from: record.confirmed.clone(),
        to: Carried { identity: wanted.identity.clone(), model: Some(other.model.clone()) },
        new_mac: Some(wanted.identity.mac),
        new_serial_number: wanted.identity.serial_number.clone(),
        state: State::Pending,
    };
    let queued = Queued {
        intercom_id: record.id,
        seq,
        named_by: NamedBy::Id(record.id),
        change: &change,
        log_extra: None,
        asked_ms: transaction.now_ms(),
        asked_by: &asked_by.to_string(),
        cause: Cause::Asked,
    };
    requests::queue(transaction, &queued)?;
    swaps::add(transaction, &change.request_id, other.record.id)?;
    intercoms::set_seq(transaction, record.id, seq)?;
    // Both identities are reserved by the records that have them.
    let state = RecordState {
        confirmed: &record.confirmed,
        desired: &record.confirmed,
        status: PENDING,
        source: SOURCE_AUTO_REPLACE,
    };
    intercoms::set_state(transaction, record.id, &state)?;
    let detail = format!("with intercom {}", other.record.id);
    let subject = Subject {
        intercom_id: Some(record.id),
        request_id: Some(&change.request_id),
        detail: Some(&detail),
        ..Subject::default()
    };
    audit::add(transaction, asked_by, Action::Swap, &subject)?;
    Ok(Swapped { intercom_id: record.id, request_id: change.request_id })
}

impl Why {
    fn on(self, field: &str, id: i64) -> Refusal {
        Errors::on(field, format!("Intercom {id} {self}.")).into()
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NoSuchIntercom => f.write_str("does not exist"),
            Why::IsASpare => f.write_str("is a spare without a place: use PATCH with new_mac"),
            Why::IsPending => f.write_str("has a pending request: wait for its end"),
            Why::NoModel => f.write_str("has no model: set it with PATCH first"),
            Why::NoBoard => f.write_str("has no known board: its panel has not shown itself yet"),
            Why::NotThere(board) => write!(
                f,
                "has a panel that is not connected (board {board}): both panels have to confirm a \
                 swap"
            ),
            Why::Changing(board) => {
                write!(f, "has a panel that is in the middle of a change (board {board})")
            }
            Why::WouldChange { board, claim, confirmed } => {
                match claim {
                    Some(claim) => write!(f, "has a panel that carries {claim} and not ")?,
                    None => f.write_str("has a panel that does not say that it carries ")?,
                }
                write!(
                    f,
                    "{confirmed} (board {board}), so a panel would have to change its identity \
                     while it is in use: a swap is for panels that have changed places and keep \
                     their identities"
                )
            }
        }
    }
}
