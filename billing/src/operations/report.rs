//! A report: how a request ended on a board, or a change that nobody asked for.

use std::fmt;

use intercom_wire::{BoardName, FactoryIdentity, Identity, Outcome, Report, RequestId};

use super::{Billing, Refusal, by_hand, next_seq, swap};
use crate::replacement::{
    Carried, Effect, IdentityRequest, Ignored, ReportedOutcome, State, apply_report,
};
use crate::store::by_hand::ByHand;
use crate::store::intercoms::{self, Name, PENDING, Record, RecordState};
use crate::store::macs::Believed;
use crate::store::reports::Arrived;
use crate::store::taken::{self, Among};
use crate::store::{
    self, Counted, Transaction, doors, factories, hardware, offers, reports, requests, swaps,
};

/// How much of a reason is kept. People read it, and it comes from outside.
const MAX_REASON_CHARS: usize = 1000;
/// How much of a status is kept that is not an outcome.
const MAX_STATUS_CHARS: usize = 40;
/// Upper bound on what a board may defer at once, in seconds.
const MAX_DEFERRED_SECONDS: u64 = 24 * 3600;
/// How far above this database's own numbers a panel's mark may be, in seconds: those numbers begin
/// at the Unix time. A mark beyond it comes from somebody else's mistake, and is not followed.
const MARK_WITHIN_SECONDS: i64 = 366 * 24 * 3600;

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
        && subject.asks_again(transaction, mark)?
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
) -> Result<(), Refusal> {
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
    )
}

/// What a report has changed.
enum Settled {
    /// The newest request has ended.
    Ended,
    /// The panel has carried out an earlier request.
    Late,
    /// The panel is known to carry what an earlier request asked for.
    Found,
    /// A request with a higher `seq` is in its place.
    AskedAgain,
    /// The board decides later.
    Deferred,
    /// The board has confirmed its half of a swap.
    HalfConfirmed,
    /// The record follows a change by hand.
    MovedByHand,
    /// A change by hand waits for an operator.
    WaitsForAYes,
    Ignored(Ignored),
}

/// What a report is about.
struct Subject {
    record: Record,
    reported: IdentityRequest,
    newest: IdentityRequest,
    /// A later request than the reported one was installed.
    later_is_installed: bool,
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
    let later_is_installed = requests::later_is_installed(transaction, intercom_id, request_id)?;
    Ok(match (record, newest) {
        (Some(record), Some(newest)) => {
            Ok(Subject { record, reported, newest, later_is_installed })
        }
        _ => Err(Ignored::Deleted),
    })
}

impl Subject {
    fn settle(
        &self,
        transaction: &Transaction<'_>,
        report: &ReportedOutcome,
        reason: Option<&str>,
        believed: Believed,
    ) -> Result<Settled, Refusal> {
        let is_installed =
            matches!(self.reported.state, State::Ended { outcome: Outcome::Installed, .. });
        if !is_installed && swaps::of(transaction, &self.reported.request_id)?.is_some() {
            return self.settle_half(transaction, report, reason, believed);
        }
        let effect = match self.later_is_installed {
            true => Effect::Nothing(Ignored::Superseded),
            false => apply_report(&self.record.confirmed, &self.newest, &self.reported, report),
        };
        let (carried, settled) = match effect {
            Effect::Nothing(why) => return self.find(transaction, report, why),
            Effect::Ends(carried) => (carried, Settled::Ended),
            Effect::Late(carried) => (carried, Settled::Late),
            Effect::RolledBack(carried) => {
                // Nobody asked for what a board goes back to.
                if let Some(board) = &report.board
                    && !self.may_go_back(transaction, board, &carried.identity)?
                {
                    return self.keep_as_by_hand(transaction, board, carried);
                }
                (carried, Settled::Ended)
            }
        };
        if swap::break_off(transaction, self.record.id)? {
            return match subject(transaction, Some(&self.reported.request_id))? {
                Ok(subject) => subject.settle(transaction, report, reason, believed),
                Err(why) => Ok(Settled::Ignored(why)),
            };
        }
        if report.outcome == Outcome::Installed {
            if !self.is_free(transaction, Among::OthersButSpares(self.record.id), &carried)? {
                return Ok(Settled::Ignored(Ignored::IdentityTaken));
            }
            self.clear_spares(transaction, &carried)?;
        }
        let ended = State::Ended { outcome: report.outcome, board: report.board.clone() };
        let reason = reason.filter(|_| report.outcome != Outcome::Installed);
        requests::end(
            transaction,
            &self.reported.request_id,
            &ended,
            reason,
            transaction.now_ms(),
        )?;
        match self.newest.state {
            State::Pending if self.newest.request_id != self.reported.request_id => {
                self.set_state(transaction, &carried, &self.record.desired, PENDING)?;
            }
            _ => self.set_state(transaction, &carried, &carried, report.outcome.as_str())?,
        }
        let mac = carried.identity.mac;
        match (report.outcome, &report.board) {
            (Outcome::Installed, Some(board)) => {
                doors::give(
                    transaction,
                    board,
                    self.record.id,
                    mac,
                    believed,
                    transaction.now_ms(),
                )?;
            }
            (Outcome::Installed, None) => doors::adopt_at(transaction, mac, believed)?,
            _ => _ = self.confirm_what_the_board_has(transaction, report)?,
        }
        if report.outcome == Outcome::Installed {
            hardware::put_in_place(transaction, self.record.id, &self.reported.request_id)?;
        }
        Ok(settled)
    }

    /// Whether the record follows a board to what it was before a request: it is the door's, and the
    /// identity is nobody else's.
    fn may_go_back(
        &self,
        transaction: &Transaction<'_>,
        board: &BoardName,
        identity: &Identity,
    ) -> Result<bool, Refusal> {
        Ok(self.is_the_doors(transaction, board)?
            && by_hand::is_nobody_elses(transaction, &self.record, board, identity)?)
    }

    fn is_the_doors(
        &self,
        transaction: &Transaction<'_>,
        board: &BoardName,
    ) -> Result<bool, Refusal> {
        let door = doors::of_board(transaction, board)?;
        Ok(door.is_some_and(|door| door.intercom_id == self.record.id))
    }

    fn settle_half(
        &self,
        transaction: &Transaction<'_>,
        report: &ReportedOutcome,
        reason: Option<&str>,
        believed: Believed,
    ) -> Result<Settled, Refusal> {
        let (record, reported) = (&self.record, &self.reported);
        let step = swap::apply(transaction, record, reported, report, reason, believed)?;
        Ok(match step {
            swap::Step::Confirmed => Settled::HalfConfirmed,
            swap::Step::Exchanged | swap::Step::BrokenOff => Settled::Ended,
            swap::Step::Ignored(why) => Settled::Ignored(why),
        })
    }

    fn keep_as_by_hand(
        &self,
        transaction: &Transaction<'_>,
        board: &BoardName,
        carried: Carried,
    ) -> Result<Settled, Refusal> {
        let change = ByHand {
            board: board.clone(),
            identity: carried.identity,
            model: carried.model,
            previous_mac: self.record.confirmed.identity.mac,
        };
        store::by_hand::keep(transaction, &change, transaction.now_ms())?;
        Ok(Settled::WaitsForAYes)
    }

    /// A report that ends nothing may still tell what the door's board carries.
    fn find(
        &self,
        transaction: &Transaction<'_>,
        report: &ReportedOutcome,
        why: Ignored,
    ) -> Result<Settled, Refusal> {
        let found = matches!(why, Ignored::CarriesAnother | Ignored::Ended)
            && self.confirm_what_the_board_has(transaction, report)?;
        Ok(if found { Settled::Found } else { Settled::Ignored(why) })
    }

    /// The door's board says what it carries: that is confirmed if it was asked for once. Whether
    /// it was.
    fn confirm_what_the_board_has(
        &self,
        transaction: &Transaction<'_>,
        report: &ReportedOutcome,
    ) -> Result<bool, Refusal> {
        let (Some(board), Some(identity)) = (&report.board, &report.carried) else {
            return Ok(false);
        };
        let mac = identity.mac;
        let Some(record) = intercoms::find(transaction, &Name::Id(self.record.id))? else {
            return Ok(false);
        };
        let differs = mac != record.confirmed.identity.mac;
        if !self.is_the_doors(transaction, board)?
            || !differs
            || !requests::asked_for(transaction, record.id, mac)?
        {
            return Ok(false);
        }
        let carried = Carried { identity: identity.clone(), model: record.confirmed.model.clone() };
        if !self.is_free(transaction, Among::Others(record.id), &carried)? {
            return Ok(false);
        }
        let record = match swap::break_off(transaction, record.id)? {
            true => super::find(transaction, &Name::Id(record.id))?,
            false => record,
        };
        let is_pending = self.is_pending_after(transaction)?;
        let status = record.shown.status.clone().unwrap_or_default();
        let desired = if is_pending { &record.desired } else { &carried };
        tracing::warn!(
            "intercom {}: its board {board} carries {} and not {}",
            record.id,
            carried.identity,
            record.confirmed.identity
        );
        self.set_state(transaction, &carried, desired, &status)?;
        Ok(true)
    }

    fn is_pending_after(&self, transaction: &Transaction<'_>) -> Result<bool, Refusal> {
        let newest = requests::newest(transaction, self.record.id)?;
        Ok(newest.is_some_and(|newest| newest.state == State::Pending))
    }

    /// The panel has decided a higher `seq`: the same is asked for again, above it. Not where the
    /// mark is beyond what this database can have given, and not without end.
    fn asks_again(&self, transaction: &Transaction<'_>, mark: u64) -> Result<bool, Refusal> {
        let is_pending = self.newest.state == State::Pending
            && self.newest.request_id == self.reported.request_id;
        let bound = next_seq(transaction, self.record.seq).saturating_add(MARK_WITHIN_SECONDS);
        let mark = i64::try_from(mark).unwrap_or(i64::MAX);
        if !is_pending
            || mark > bound
            || requests::are_many(transaction, self.record.id, transaction.now_ms())?
        {
            return Ok(false);
        }
        let seq = next_seq(transaction, mark.max(self.record.seq));
        let again = super::fresh_request_id(transaction)?;
        let (now_ms, request_id) = (transaction.now_ms(), &self.reported.request_id);
        requests::ask_again(transaction, request_id, &again, seq, now_ms)?;
        if let Some(half) = swaps::of(transaction, request_id)? {
            swaps::add(transaction, &again, half.with)?;
        }
        intercoms::set_seq(transaction, self.record.id, seq)?;
        Ok(true)
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

    fn is_free(
        &self,
        transaction: &Transaction<'_>,
        among: Among,
        carried: &Carried,
    ) -> Result<bool, Refusal> {
        let taken = taken::by_another(transaction, among, &carried.identity, None)?;
        Ok(!taken.mac && !taken.serial_number)
    }

    /// The spare is this intercom's panel now, so the record that it had as a spare is deleted.
    fn clear_spares(
        &self,
        transaction: &Transaction<'_>,
        carried: &Carried,
    ) -> Result<(), Refusal> {
        let cleared =
            intercoms::delete_spares(transaction, &carried.identity, transaction.now_ms())?;
        if cleared > 0 {
            tracing::info!("the spare {} is an intercom's panel now", carried.identity);
        }
        Ok(())
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Settled::Ended => f.write_str("the request has ended"),
            Settled::Late => f.write_str("the panel carried this out before the later request"),
            Settled::Found => f.write_str("the record has what the door's board carries"),
            Settled::AskedAgain => f.write_str("it is asked for again with a higher number"),
            Settled::Deferred => f.write_str("the board decides later"),
            Settled::HalfConfirmed => f.write_str("it waits for the other door of the swap"),
            Settled::MovedByHand => f.write_str("the record follows the change by hand"),
            Settled::WaitsForAYes => f.write_str("a change by hand: it waits for an operator"),
            Settled::Ignored(why) => why.fmt(f),
        }
    }
}
