//! The request that a report is about, and what the report does to its record.

use intercom_wire::{BoardName, Identity, Outcome, RequestId};

use super::settled::Settled;
use crate::operations::{self, Refusal, by_hand, swap};
use crate::replacement::{
    Carried, Effect, IdentityRequest, Ignored, ReportedOutcome, State, apply_report,
};
use crate::store::by_hand::ByHand;
use crate::store::intercoms::{self, Name, PENDING, Record, RecordState};
use crate::store::macs::Believed;
use crate::store::taken::{self, Among};
use crate::store::{self, Transaction, doors, hardware, presence, requests, swaps};

/// What a report is about.
pub(super) struct Subject {
    pub(super) record: Record,
    pub(super) reported: IdentityRequest,
    pub(super) newest: IdentityRequest,
    /// A later request than the reported one was installed.
    later_is_installed: bool,
}

/// What the report is about, or why it cannot change anything.
pub(super) fn subject(
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
    pub(super) fn settle(
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
        let before = intercoms::board(transaction, self.record.id)?;
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
            if let Some(replaced) = before.filter(|before| Some(before) != report.board.as_ref()) {
                presence::is_replaced(transaction, &replaced, transaction.now_ms())?;
            }
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
            true => operations::find(transaction, &Name::Id(record.id))?,
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
