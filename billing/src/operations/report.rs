//! A report: how a request ended on a board.

use intercom_wire::{Outcome, Report, RequestId};

use super::{Billing, Refusal};
use crate::clock::now_ms;
use crate::replacement::{Carried, Effect, IdentityRequest, ReportedOutcome, State, apply_report};
use crate::store::boards::Seen;
use crate::store::intercoms::{self, Name, PENDING, Record, RecordState};
use crate::store::reports::Arrived;
use crate::store::taken::{self, Among};
use crate::store::{Transaction, boards, reports, requests};

/// A reason is for people: more than this of it helps nobody.
const MAX_REASON_CHARS: usize = 1000;
/// The longest outcome has 11 characters; of what is none, this much tells what it was.
const MAX_STATUS_CHARS: usize = 40;

impl Billing {
    /// Applies a report. One about an unknown request, or one that has ended, is kept and changes
    /// nothing: the panel must be able to let go of it.
    ///
    /// # Errors
    /// The database fails: the panel keeps its report and sends it again.
    pub async fn report(&self, report: Report) -> Result<(), Refusal> {
        self.store
            .write(move |transaction| {
                if let Some(mac) = report.intercom.mac {
                    // A report shows that the board is there now; only a presence says for how long.
                    let now = now_ms();
                    let seen = Seen { mac, board: Some(report.board.clone()), until_ms: now };
                    boards::present(transaction, &seen, now)?;
                }
                let reason = report.reason.as_deref().or(report.message.as_deref());
                let reason: Option<String> =
                    reason.map(|text| text.chars().take(MAX_REASON_CHARS).collect());
                match report.outcome() {
                    Some(outcome) => {
                        let said = ReportedOutcome {
                            outcome,
                            board: Some(report.board.clone()),
                            mac: report.intercom.mac,
                            serial_number: report.intercom.serial_number.clone(),
                        };
                        settle(transaction, report.request_id.as_ref(), &said, reason.as_deref())
                    }
                    None => keep_unread(transaction, &report, reason.as_deref()),
                }
            })
            .await
    }
}

fn keep_unread(
    transaction: &Transaction<'_>,
    report: &Report,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    let status = report.intercom.status.as_deref().unwrap_or("none");
    let status: String = status.chars().take(MAX_STATUS_CHARS).collect();
    Ok(reports::add(
        transaction,
        &Arrived {
            request_id: report.request_id.as_ref(),
            board: Some(&report.board),
            mac: report.intercom.mac,
            status: &status,
            reason,
            effect: "its status is no outcome",
            arrived_ms: now_ms(),
        },
    )?)
}

/// Keeps what a panel says and changes what follows from it.
pub(super) fn settle(
    transaction: &Transaction<'_>,
    request_id: Option<&RequestId>,
    said: &ReportedOutcome,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    let effect = match subject(transaction, request_id)? {
        Ok(subject) => subject.settle(transaction, said, reason)?,
        Err(why) => why,
    };
    log::info!(
        "report on request {}: {} ({effect})",
        request_id.map_or("without an ID", RequestId::as_str),
        said.outcome
    );
    reports::add(
        transaction,
        &Arrived {
            request_id,
            board: said.board.as_ref(),
            mac: said.mac,
            status: &said.outcome.to_string(),
            reason,
            effect,
            arrived_ms: now_ms(),
        },
    )?;
    Ok(())
}

/// What a report is about.
struct Subject {
    record: Record,
    reported: IdentityRequest,
    newest: IdentityRequest,
}

/// What the report is about, or why it is about nothing here.
fn subject(
    transaction: &Transaction<'_>,
    request_id: Option<&RequestId>,
) -> Result<Result<Subject, &'static str>, Refusal> {
    let Some(request_id) = request_id else {
        return Ok(Err("it names no request"));
    };
    let Some((intercom_id, reported)) = requests::by_id(transaction, request_id)? else {
        return Ok(Err("the request is unknown here"));
    };
    let record = intercoms::find(transaction, &Name::Id(intercom_id))?;
    let newest = requests::newest(transaction, intercom_id)?;
    Ok(match (record, newest) {
        (Some(record), Some(newest)) => Ok(Subject { record, reported, newest }),
        _ => Err("the intercom was deleted"),
    })
}

impl Subject {
    fn settle(
        &self,
        transaction: &Transaction<'_>,
        said: &ReportedOutcome,
        reason: Option<&str>,
    ) -> Result<&'static str, Refusal> {
        let effect = apply_report(&self.record.confirmed, &self.newest, &self.reported, said);
        let (carried, ends) = match effect {
            Effect::Nothing(why) => return Ok(why),
            Effect::Ends(carried) => (carried, true),
            Effect::Moves(carried) => (carried, false),
        };
        if !self.is_free(transaction, &carried)? {
            return Ok("its identity belongs to another intercom by now");
        }
        self.clear_spares(transaction, &carried)?;
        if !ends {
            self.set_state(transaction, &carried, &self.record.desired, PENDING)?;
            return Ok("the panel carried this out before it heard of the later request");
        }
        let ended = State::Ended { outcome: said.outcome, board: said.board.clone() };
        let reason = reason.filter(|_| said.outcome != Outcome::Installed);
        requests::end(transaction, &self.newest.request_id, &ended, reason, now_ms())?;
        self.set_state(transaction, &carried, &carried, &said.outcome.to_string())?;
        if let Some(board) = &said.board
            && said.outcome == Outcome::Installed
        {
            boards::belongs_to(transaction, board, self.record.id)?;
        }
        Ok("the request has ended")
    }

    fn set_state(
        &self,
        transaction: &Transaction<'_>,
        confirmed: &Carried,
        desired: &Carried,
        status: &str,
    ) -> Result<(), Refusal> {
        let source = self.record.shown.source.as_deref().unwrap_or_default();
        Ok(intercoms::set_state(
            transaction,
            self.record.id,
            &RecordState { confirmed, desired, status, source },
        )?)
    }

    fn is_free(&self, transaction: &Transaction<'_>, carried: &Carried) -> Result<bool, Refusal> {
        let among = Among::OthersButSpares(self.record.id);
        let taken = taken::by_another(transaction, among, &carried.identity, None)?;
        Ok(!taken.mac && !taken.serial_number)
    }

    /// The spare hangs in this intercom's place now: a record of its own would stand for nothing.
    fn clear_spares(
        &self,
        transaction: &Transaction<'_>,
        carried: &Carried,
    ) -> Result<(), Refusal> {
        let cleared = intercoms::delete_spares(transaction, &carried.identity, now_ms())?;
        if cleared > 0 {
            log::info!("the spare {} is an intercom's panel now", carried.identity);
        }
        Ok(())
    }
}
