//! PATCH: changes billing data, or asks for another identity.

use intercom_wire::{
    Errors, IntercomBody, MAX_REQUEST_BYTES, NamedBy, Patch, Reader, RequestId, SOURCE_AUTO_REPLACE,
};
use serde_json::{Map, Value};

use super::create::refuse_taken;
use super::updated::Updated;
use super::{
    Billing, Failure, Refusal, credentials, find, next_seq, report_by_patch, scheduled, withdraw,
};
use crate::audit::Actor;
use crate::replacement::{Asked, IdentityRequest, State, ask};
use crate::schedule::Schedule;
use crate::store::intercoms::{
    self, Details, EMPTY, INSTALLED, Name, PENDING, Record, RecordState,
};
use crate::store::macs::Believed;
use crate::store::pending;
use crate::store::requests::{self, Cause, Queued};
use crate::store::taken::{self, Among};
use crate::store::{Transaction, doors, groups};

/// The largest request, in bytes: with its topic it stays within what a panel reads.
const MAX_BODY_BYTES: usize = MAX_REQUEST_BYTES - 1024;

impl Billing {
    /// Updates an intercom as the API page says, and queues a request if its identity changes.
    ///
    /// # Errors
    /// The body is invalid, its identity has been taken, no intercom has that ID or MAC address, or
    /// the database fails.
    pub async fn patch(
        &self,
        body: Map<String, Value>,
        asked_by: Actor,
    ) -> Result<IntercomBody, Refusal> {
        let believed = self.believed;
        let given = credentials::read(&body, self.credential_key.as_ref())?;
        let updated = self
            .store
            .write(move |transaction| {
                match report_by_patch::apply_report(transaction, &body, None, &asked_by, believed)?
                {
                    Some(shown) => Ok(Updated { shown, queued: None }),
                    None => {
                        let patch = Patch::read(&body, Reader::Service)?;
                        let schedule = scheduled::read(&body, transaction.now_ms())?;
                        let who = asked_by.to_string();
                        let same = SameIdentity::IsAsked;
                        let updated = update(transaction, &patch, &schedule, &who, believed, same)?;
                        if let Some(id) = updated.shown.id {
                            credentials::keep(transaction, id, &given)?;
                        }
                        updated.record(transaction, &asked_by, &body, &given)?;
                        Ok::<_, Refusal>(updated)
                    }
                }
            })
            .await?;
        updated.log();
        Ok(updated.shown)
    }
}

/// What becomes of a PATCH for the identity that the intercom has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SameIdentity {
    /// Its panel is asked for it.
    IsAsked,
    /// Nothing is asked for. What is pending for another identity is still superseded.
    IsThere,
}

pub(super) fn update(
    transaction: &Transaction<'_>,
    patch: &Patch,
    schedule: &Schedule,
    asked_by: &str,
    believed: Believed,
    same: SameIdentity,
) -> Result<Updated, Refusal> {
    let record = find(transaction, &Name::from(patch.named_by))?;
    refuse_crossed_flats(&record, patch)?;
    let seq = next_seq(transaction, record.seq);
    let details = Details {
        title: patch.title.clone(),
        department: patch.department,
        flat_from: patch.flat_from,
        flat_to: patch.flat_to,
        group_id: groups::find_or_make(
            transaction,
            patch.group_id,
            patch.group_external_id.as_deref(),
        )?,
        ..Details::default()
    };
    intercoms::describe(transaction, record.id, &details, seq)?;
    refuse_promised(transaction, &record, patch)?;
    let is_there = same == SameIdentity::IsThere && has_it(transaction, &record, patch)?;
    let queued = match patch.changes_identity() && !is_there {
        true => replace(transaction, &record, patch, schedule, seq, asked_by)?,
        false => {
            assign(transaction, record.clone(), patch)?;
            None
        }
    };
    doors::adopt_at(transaction, record.confirmed.identity.mac, believed)?;
    Ok(Updated { shown: find(transaction, &Name::Id(record.id))?.shown, queued })
}

/// Whether the intercom is known to have what is asked for, and nothing else is pending.
fn has_it(transaction: &Transaction<'_>, record: &Record, patch: &Patch) -> Result<bool, Refusal> {
    let newest = requests::newest(transaction, record.id)?;
    let is_pending = newest.is_some_and(|newest| newest.state == State::Pending);
    let asked = ask(&record.confirmed, &record.desired, patch);
    Ok(!is_pending && !is_spare(record) && asked.to.identity == record.confirmed.identity)
}

fn is_spare(record: &Record) -> bool {
    matches!(record.shown.status.as_deref(), Some(EMPTY) | None)
}

/// One end of the range may be in the body and the other in the record.
fn refuse_crossed_flats(record: &Record, patch: &Patch) -> Result<(), Errors> {
    let from = patch.flat_from.or(record.shown.flat_from);
    let to = patch.flat_to.or(record.shown.flat_to);
    match (from, to) {
        (Some(from), Some(to)) if from > to => {
            let (field, text) = if patch.flat_from.is_some() {
                ("flat_from", format!("The flat from field must be less than or equal to {to}."))
            } else {
                ("flat_to", format!("The flat to field must be greater than or equal to {from}."))
            };
            Err(Errors::on(field, text))
        }
        _ => Ok(()),
    }
}

/// No other identity is asked for: the record changes at once, and a spare gets its place.
fn assign(transaction: &Transaction<'_>, mut record: Record, patch: &Patch) -> Result<(), Refusal> {
    if let Some(model) = &patch.model {
        record.confirmed.model = Some(model.clone());
        record.desired.model = Some(model.clone());
    }
    let status = match record.shown.status.as_deref() {
        Some(EMPTY) | None => INSTALLED,
        Some(status) => status,
    };
    intercoms::has_a_place(transaction, record.id)?;
    intercoms::set_state(
        transaction,
        record.id,
        &RecordState {
            confirmed: &record.confirmed,
            desired: &record.desired,
            status,
            source: record.shown.source.as_deref().unwrap_or_default(),
        },
    )?;
    Ok(())
}

/// A spare whose identity was promised to another intercom must neither get a place of its own nor be
/// asked for another identity meanwhile: two doors would have one identity.
fn refuse_promised(
    transaction: &Transaction<'_>,
    record: &Record,
    patch: &Patch,
) -> Result<(), Refusal> {
    if !is_spare(record) {
        return Ok(());
    }
    let among = Among::OthersButSpares(record.id);
    let taken = taken::by_another(transaction, among, &record.confirmed.identity, None)?;
    if !taken.mac && !taken.serial_number {
        return Ok(());
    }
    let field = match patch.named_by {
        NamedBy::Id(_) => "id",
        NamedBy::Mac(_) => "mac",
    };
    let text = "The spare has been promised to another intercom as its replacement.";
    Err(Refusal::Invalid(Errors::on(field, text)))
}

/// Another identity is asked for: it is reserved and shown at once, and a request is queued.
fn replace(
    transaction: &Transaction<'_>,
    record: &Record,
    patch: &Patch,
    schedule: &Schedule,
    seq: i64,
    asked_by: &str,
) -> Result<Option<IdentityRequest>, Refusal> {
    let asked = ask(&record.confirmed, &record.desired, patch);
    let among = Among::OthersButSpares(record.id);
    let taken = taken::by_another(transaction, among, &asked.to.identity, None)?;
    refuse_taken([
        ("new_mac", patch.new_mac.is_some() && taken.mac),
        ("new_serial_number", patch.new_serial_number.is_some() && taken.serial_number),
    ])?;
    if is_pending_already(transaction, record, &asked, patch, schedule)? {
        return Ok(None);
    }
    withdraw(transaction, record, &State::Superseded)?;
    let change = IdentityRequest {
        request_id: fresh_request_id(transaction)?,
        from: record.confirmed.clone(),
        to: asked.to,
        new_mac: asked.new_mac,
        new_serial_number: asked.new_serial_number,
        state: State::Pending,
    };
    ask_for(
        transaction,
        record,
        &Queued {
            intercom_id: record.id,
            seq,
            named_by: patch.named_by,
            change: &change,
            log_extra: patch.log_extra.as_ref(),
            asked_ms: transaction.now_ms(),
            asked_by,
            cause: Cause::Asked,
        },
    )?;
    requests::set_schedule(transaction, &change.request_id, schedule)?;
    Ok(Some(change))
}

/// The record shows what is asked for, and its panel is asked.
pub(super) fn ask_for(
    transaction: &Transaction<'_>,
    record: &Record,
    queued: &Queued<'_>,
) -> Result<(), Refusal> {
    requests::queue(transaction, queued)?;
    intercoms::set_seq(transaction, record.id, queued.seq)?;
    intercoms::set_state(
        transaction,
        record.id,
        &RecordState {
            confirmed: &record.confirmed,
            desired: &queued.change.to,
            status: PENDING,
            source: SOURCE_AUTO_REPLACE,
        },
    )?;
    refuse_too_large(transaction, &queued.change.request_id)
}

/// A caller that got no answer sends the same PATCH again. It is still the same request.
fn is_pending_already(
    transaction: &Transaction<'_>,
    record: &Record,
    asked: &Asked,
    patch: &Patch,
    schedule: &Schedule,
) -> Result<bool, Refusal> {
    match requests::newest(transaction, record.id)? {
        Some(newest) if newest.state == State::Pending => Ok(newest.to == asked.to
            && newest.new_mac == asked.new_mac
            && newest.new_serial_number == asked.new_serial_number
            && requests::schedule(transaction, &newest.request_id)? == *schedule
            && requests::log_extra(transaction, &newest.request_id)? == patch.log_extra),
        _ => Ok(false),
    }
}

pub(super) fn fresh_request_id(transaction: &Transaction<'_>) -> Result<RequestId, Refusal> {
    let id = transaction.fresh_id().to_string().parse();
    id.map_err(|why| Refusal::Failed(Failure::RequestId(why)))
}

/// A request that no panel can read must not be queued: it would stay pending for ever.
fn refuse_too_large(transaction: &Transaction<'_>, request_id: &RequestId) -> Result<(), Refusal> {
    let Some(request) = pending::by_id(transaction, request_id)? else {
        return Ok(());
    };
    let bytes = serde_json::to_vec(&request.body)?.len();
    if bytes > MAX_BODY_BYTES {
        return Err(Refusal::Invalid(Errors::on(
            "log_extra",
            format!(
                "The log extra field makes the request {bytes} bytes long; a panel reads at most \
                 {MAX_BODY_BYTES}."
            ),
        )));
    }
    Ok(())
}
