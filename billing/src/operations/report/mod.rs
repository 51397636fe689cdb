//! A report: how a request ended on a board, or a change that nobody asked for.

mod overtaken;
mod settled;
mod subject;

use intercom_wire::{FactoryIdentity, Outcome, Report, RequestId};

pub(super) use self::settled::Settled;
use self::subject::subject;
use super::{Billing, Refusal, by_hand};
use crate::replacement::{Ignored, ReportedOutcome, State};
use crate::store::macs::Believed;
use crate::store::reports::Arrived;
use crate::store::{Counted, Transaction, factories, offers, reports};

/// How much of a reason is kept. People read it, and it comes from outside.
const MAX_REASON_CHARS: usize = 1000;
/// How much of a status is kept that is not an outcome.
const MAX_STATUS_CHARS: usize = 40;
/// Upper bound on what a board may defer at once, in seconds.
const MAX_DEFERRED_SECONDS: u64 = 24 * 3600;

impl Billing {
    /// Applies a report of the board that it names; the caller has seen to it that it is that board
    /// which speaks. A report that changes nothing is kept, too, and is no error: the panel would
    /// send it again for ever.
    ///
    /// # Errors
    /// The database fails. The panel keeps its report and sends it again.
    pub async fn report(&self, report: Report) -> Result<(), Refusal> {
        let believed = self.believed;
        self.store.write(move |transaction| take(transaction, &report, believed)).await
    }
}

fn take(transaction: &Transaction<'_>, report: &Report, believed: Believed) -> Result<(), Refusal> {
    let reason = report.reason.as_deref().or(report.message.as_deref());
    let reason: Option<String> = reason.map(|text| text.chars().take(MAX_REASON_CHARS).collect());
    let effect = match report.outcome() {
        Some(outcome) => on_outcome(transaction, report, outcome, reason.as_deref(), believed)?,
        None if report.is_deferred() => on_deferred(transaction, report, reason.as_deref())?,
        None => Settled::Ignored(Ignored::NotAnOutcome),
    };
    let status = report.intercom.status.as_deref().unwrap_or("none");
    let status: String = status.chars().take(MAX_STATUS_CHARS).collect();
    keep(
        transaction,
        &effect,
        &Arrived {
            request_id: report.request_id.as_ref(),
            board: Some(&report.board),
            mac: report.intercom.mac,
            status: &status,
            reason: reason.as_deref(),
            effect: &effect.to_string(),
            arrived_ms: transaction.now_ms(),
        },
    )
}

fn keep(
    transaction: &Transaction<'_>,
    effect: &Settled,
    arrived: &Arrived<'_>,
) -> Result<(), Refusal> {
    transaction.count(match effect {
        Settled::Ignored(_) => Counted::IgnoredReport,
        _ => Counted::Report,
    });
    tracing::info!(
        "report on request {}: {} ({})",
        arrived.request_id.map_or("without an ID", RequestId::as_str),
        arrived.status,
        arrived.effect
    );
    Ok(reports::add(transaction, arrived)?)
}

fn on_outcome(
    transaction: &Transaction<'_>,
    report: &Report,
    outcome: Outcome,
    reason: Option<&str>,
    believed: Believed,
) -> Result<Settled, Refusal> {
    let about = report.identity();
    let reported = ReportedOutcome {
        outcome,
        board: Some(report.board.clone()),
        mac: about.as_ref().map(|about| about.mac),
        serial_number: about.and_then(|about| about.serial_number),
        carried: report.carried(),
    };
    let subject = match subject(transaction, report.request_id.as_ref())? {
        Ok(subject) => subject,
        Err(Ignored::NoRequest | Ignored::UnknownRequest) if report.issuer.is_none() => {
            // A broker brings it back, and the board may carry something else by now.
            if was_read(transaction, report)? {
                return Ok(Settled::Ignored(Ignored::Repeated));
            }
            return Ok(match by_hand::take(transaction, report, outcome, believed)? {
                by_hand::Taken::Moved => Settled::MovedByHand,
                by_hand::Taken::Waits => Settled::WaitsForAYes,
                by_hand::Taken::Nothing => Settled::Ignored(Ignored::NoChange),
            });
        }
        Err(why) => return Ok(Settled::Ignored(why)),
    };
    if offers::to_board(transaction, &subject.reported.request_id, &report.board)?.is_none() {
        return Ok(Settled::Ignored(Ignored::NotOffered));
    }
    // The board may have gone back since, or be another door's.
    if subject.reported.state != State::Pending && was_read(transaction, report)? {
        return Ok(Settled::Ignored(Ignored::Repeated));
    }
    if let FactoryIdentity::Known(factory) = &report.factory {
        factories::keep(transaction, &report.board, factory)?;
    }
    if let Some(mark) = report.seq_mark
        && outcome == Outcome::Rejected
        && overtaken::ask_again(transaction, &subject, mark)?
    {
        return Ok(Settled::AskedAgain);
    }
    subject.settle(transaction, &reported, reason, believed)
}

/// Whether the board has reported the same before.
fn was_read(transaction: &Transaction<'_>, report: &Report) -> Result<bool, Refusal> {
    let same = Arrived {
        request_id: report.request_id.as_ref(),
        board: Some(&report.board),
        mac: report.intercom.mac,
        status: report.intercom.status.as_deref().unwrap_or_default(),
        reason: None,
        effect: "",
        arrived_ms: 0,
    };
    Ok(report.request_id.is_some() && reports::was_read(transaction, &same)?)
}

fn on_deferred(
    transaction: &Transaction<'_>,
    report: &Report,
    reason: Option<&str>,
) -> Result<Settled, Refusal> {
    let Some(request_id) = &report.request_id else {
        return Ok(Settled::Ignored(Ignored::NoRequest));
    };
    if offers::to_board(transaction, request_id, &report.board)?.is_none() {
        return Ok(Settled::Ignored(Ignored::NotOffered));
    }
    let seconds = report.deferred_seconds.unwrap_or(0).min(MAX_DEFERRED_SECONDS);
    let until_ms = transaction.now_ms().saturating_add(i64::try_from(seconds).unwrap_or(0) * 1000);
    offers::defer(transaction, request_id, &report.board, until_ms, reason)?;
    Ok(Settled::Deferred)
}

/// Applies a report by the documented PATCH and keeps it. The caller may do everything, or has the
/// token of a board that was offered the request.
pub(super) fn settle(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    report: &ReportedOutcome,
    believed: Believed,
) -> Result<Settled, Refusal> {
    let effect = match subject(transaction, Some(request_id))? {
        Ok(subject) => subject.settle(transaction, report, None, believed)?,
        Err(why) => Settled::Ignored(why),
    };
    keep(
        transaction,
        &effect,
        &Arrived {
            request_id: Some(request_id),
            board: report.board.as_ref(),
            mac: report.mac,
            status: report.outcome.as_str(),
            reason: None,
            effect: &effect.to_string(),
            arrived_ms: transaction.now_ms(),
        },
    )?;
    Ok(effect)
}
