//! A report: how a request ended on a board.

use std::fmt;

use intercom_wire::{Outcome, Report, RequestId};

use super::{Billing, Refusal};
use crate::clock::now_ms;
use crate::replacement::{
    Carried, Effect, IdentityRequest, Ignored, ReportedOutcome, State, apply_report,
};
use crate::store::boards::Seen;
use crate::store::intercoms::{self, Name, PENDING, Record, RecordState};
use crate::store::reports::Arrived;
use crate::store::taken::{self, Among};
use crate::store::{Transaction, boards, reports, requests};

/// How much of a reason is kept. People read it, and it comes from outside.
const MAX_REASON_CHARS: usize = 1000;
/// How much of a status is kept that is not an outcome.
const MAX_STATUS_CHARS: usize = 40;

impl Billing {
    /// Applies a report. A report that changes nothing is kept, too, and is no error: the panel
    /// would send it again for ever.
    ///
    /// # Errors
    /// The database fails. The panel keeps its report and sends it again.
    pub async fn report(&self, report: Report) -> Result<(), Refusal> {
        self.store
            .write(move |transaction| {
                if let Some(mac) = report.intercom.mac {
                    // A report shows that the board is there now; only a presence says for how
                    // long.
                    let now = now_ms();
                    let seen = Seen { mac, board: Some(report.board.clone()), until_ms: now };
                    boards::present(transaction, &seen, now)?;
                }
                let reason = report.reason.as_deref().or(report.message.as_deref());
                let reason: Option<String> =
                    reason.map(|text| text.chars().take(MAX_REASON_CHARS).collect());
                match report.outcome() {
                    Some(outcome) => {
                        let outcome = ReportedOutcome {
                            outcome,
                            board: Some(report.board.clone()),
                            mac: report.intercom.mac,
                            serial_number: report.intercom.serial_number.clone(),
                        };
                        settle(transaction, report.request_id.as_ref(), &outcome, reason.as_deref())
                    }
                    None => keep_without_outcome(transaction, &report, reason.as_deref()),
                }
            })
            .await
    }
}

fn keep_without_outcome(
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
            effect: &Ignored::NotAnOutcome.to_string(),
            arrived_ms: now_ms(),
        },
    )?)
}

/// Keeps a report and applies it.
pub(super) fn settle(
    transaction: &Transaction<'_>,
    request_id: Option<&RequestId>,
    report: &ReportedOutcome,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    let effect = match subject(transaction, request_id)? {
        Ok(subject) => subject.settle(transaction, report, reason)?,
        Err(why) => Settled::Ignored(why),
    };
    log::info!(
        "report on request {}: {} ({effect})",
        request_id.map_or("without an ID", RequestId::as_str),
        report.outcome
    );
    reports::add(
        transaction,
        &Arrived {
            request_id,
            board: report.board.as_ref(),
            mac: report.mac,
            status: &report.outcome.to_string(),
            reason,
            effect: &effect.to_string(),
            arrived_ms: now_ms(),
        },
    )?;
    Ok(())
}

/// What a report has changed.
enum Settled {
    /// The newest request has ended.
    Ended,
    /// The panel had carried out an earlier request; the newest is still pending.
    Moved,
    Ignored(Ignored),
}

/// What a report is about.
struct Subject {
    record: Record,
    reported: IdentityRequest,
    newest: IdentityRequest,
}

/// What the report is about, or why it cannot change anything.
fn subject(
    transaction: &Transaction<'_>,
    request_id: Option<&RequestId>,
) -> Result<Result<Subject, Ignored>, Refusal> {
    let Some(request_id) = request_id else {
        return Ok(Err(Ignored::NoRequest));
    };
    let Some((intercom_id, reported)) = requests::by_id(transaction, request_id)? else {
        return Ok(Err(Ignored::UnknownRequest));
    };
    let record = intercoms::find(transaction, &Name::Id(intercom_id))?;
    let newest = requests::newest(transaction, intercom_id)?;
    Ok(match (record, newest) {
        (Some(record), Some(newest)) => Ok(Subject { record, reported, newest }),
        _ => Err(Ignored::Deleted),
    })
}

impl Subject {
    fn settle(
        &self,
        transaction: &Transaction<'_>,
        report: &ReportedOutcome,
        reason: Option<&str>,
    ) -> Result<Settled, Refusal> {
        let effect = apply_report(&self.record.confirmed, &self.newest, &self.reported, report);
        let (carried, ends) = match effect {
            Effect::Nothing(why) => return Ok(Settled::Ignored(why)),
            Effect::Ends(carried) => (carried, true),
            Effect::Moves(carried) => (carried, false),
        };
        if !self.is_free(transaction, &carried)? {
            return Ok(Settled::Ignored(Ignored::IdentityTaken));
        }
        self.clear_spares(transaction, &carried)?;
        if !ends {
            self.set_state(transaction, &carried, &self.record.desired, PENDING)?;
            return Ok(Settled::Moved);
        }
        let ended = State::Ended { outcome: report.outcome, board: report.board.clone() };
        let reason = reason.filter(|_| report.outcome != Outcome::Installed);
        requests::end(transaction, &self.newest.request_id, &ended, reason, now_ms())?;
        self.set_state(transaction, &carried, &carried, &report.outcome.to_string())?;
        if let Some(board) = &report.board
            && report.outcome == Outcome::Installed
        {
            boards::belongs_to(transaction, board, self.record.id)?;
        }
        Ok(Settled::Ended)
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

    /// The spare is this intercom's panel now, so the record that it had as a spare is deleted.
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

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Settled::Ended => f.write_str("the request has ended"),
            Settled::Moved => f.write_str("the panel carried this out before the later request"),
            Settled::Ignored(why) => why.fmt(f),
        }
    }
}
