//! An operator takes a request back.

use intercom_wire::RequestId;

use super::requests::{RequestShown, shown};
use super::undo::refuse_anothers;
use super::{Billing, Conflict, Refusal, find, swap};
use crate::audit::{Action, Actor, Subject};
use crate::replacement::State;
use crate::store::intercoms::{self, CANCELLED, Name, RecordState};
use crate::store::{audit, requests};

impl Billing {
    /// Ends a pending request without an outcome: the record shows what is confirmed. A panel that
    /// has begun may still report that it is installed, and that counts. To cancel it once more
    /// changes nothing.
    ///
    /// # Errors
    /// There is no such request, it has ended otherwise, another intercom has what is confirmed, or
    /// the database fails.
    pub async fn cancel(&self, request_id: RequestId, by: Actor) -> Result<RequestShown, Refusal> {
        let rule = self.rule();
        self.store
            .write(move |transaction| {
                let found = requests::by_id(transaction, &request_id)?;
                let (intercom_id, request) = found.ok_or(Refusal::NotFound)?;
                match request.state {
                    State::Pending => {}
                    State::Cancelled => return shown(transaction, rule, &request_id),
                    State::Superseded | State::Withdrawn | State::Ended { .. } => {
                        return Err(Refusal::Conflict(Conflict::HasEnded(request_id)));
                    }
                }
                let reason = format!("by {by}");
                let now_ms = transaction.now_ms();
                let state = State::Cancelled;
                requests::end(transaction, &request_id, &state, Some(&reason), now_ms)?;
                swap::end_other(transaction, &request_id)?;
                let record = find(transaction, &Name::Id(intercom_id))?;
                refuse_anothers(transaction, intercom_id, &record.confirmed.identity)?;
                intercoms::set_state(
                    transaction,
                    intercom_id,
                    &RecordState {
                        confirmed: &record.confirmed,
                        desired: &record.confirmed,
                        status: intercoms::status_after(transaction, intercom_id, CANCELLED)?,
                        source: record.shown.source.as_deref().unwrap_or_default(),
                    },
                )?;
                let subject = Subject {
                    intercom_id: Some(intercom_id),
                    request_id: Some(&request_id),
                    ..Subject::default()
                };
                audit::add(transaction, &by, Action::Cancel, &subject)?;
                tracing::info!("request {request_id}: cancelled {reason}");
                shown(transaction, rule, &request_id)
            })
            .await
    }
}
