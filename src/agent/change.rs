//! The change: begin → apply → confirm → commit → report, or everything back as it was.

use std::mem;
use std::time::Duration;

use intercom_wire::{Identity, Mac};

use super::Agent;
use super::error::{BeginError, RollbackError};
use super::hook_failure::HookFailure;
use super::plan::{BackTo, Plan};
use super::quota::HOUR;
use super::rollback_reason::RollbackReason;
use super::seams::{HookRun, Phase, Seams, Upstream};
use super::set_board::{SetBoardError, set_link, write_runtime_files};
use crate::board::Board;
use crate::clock::{Clock, Moment};
use crate::record::{Begun, Change, Route};

/// How long before something that the board or the disk refused is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// How far the change in progress has come. What a restart must know of it is in the record.
#[derive(Debug)]
pub(super) enum Stage {
    /// No change.
    Idle,
    /// The new identity is set; the hooks run.
    Hooks,
    /// Waiting for a new connection under the new identity.
    Confirming,
    /// There is one on this route; it must still be alive at the moment.
    Settling(Route, Moment),
    /// It was an answered poll, which does not stay alive by itself: another must be answered.
    PollingAgain,
    /// Confirmed, and the disk would not take it; tried again at the moment.
    Committing(Moment),
    /// The link would not take the old MAC back; tried again at the moment, for this reason.
    PuttingBack(Moment, RollbackReason),
    /// The old identity is back; the hooks run, until the moment at the latest.
    HooksBack(Moment),
}

impl Stage {
    /// When something is due, given the deadline of the change in progress.
    pub(super) fn due(&self, deadline: Option<Moment>) -> Option<Moment> {
        match self {
            Stage::Idle => None,
            Stage::Hooks | Stage::Confirming | Stage::PollingAgain => deadline,
            Stage::Settling(_, at) | Stage::Committing(at) => deadline.map(|end| end.min(*at)),
            Stage::PuttingBack(at, _) | Stage::HooksBack(at) => Some(*at),
        }
    }
}

impl<S: Seams> Agent<S> {
    pub(super) fn changing(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    /// Begins a change back to an earlier identity: an installer wants it back.
    ///
    /// # Errors
    /// Why it cannot be begun.
    pub fn roll_back_by_hand(
        &mut self,
        back_to: BackTo,
        offline: bool,
    ) -> Result<(), RollbackError> {
        if self.changing() {
            return Err(RollbackError::Changing);
        }
        let plan = Plan::go_back(&self.record, &self.rules, back_to, offline)?;
        self.begin(plan)?;
        self.set_new_identity();
        Ok(())
    }

    /// Makes the intention durable. Nothing on the board has been touched when this fails.
    pub(super) fn begin(&mut self, plan: Plan) -> Result<(), BeginError> {
        let now = self.seams.clock().now();
        let boot_id = self.seams.clock().boot_id();
        let lately = self.record.changes_within(&boot_id, now, HOUR);
        if lately >= self.rules.changes_per_hour {
            return Err(BeginError::TooMany(lately));
        }
        self.seams.board().link_mac().map_err(BeginError::Link)?;
        self.seams.store().reserve(&self.record).map_err(BeginError::Reserve)?;
        let begun = Begun { boot_id: boot_id.clone(), at: now };
        let from = self.record.current.clone();
        let deadline = now + self.rules.confirm_within;
        let change = plan.begin(from, boot_id, deadline);
        self.steps
            .tell(format!("changing from {} to {}", change.from.identity, change.to.identity));
        self.transition(|record| record.begin(change, begun)).map_err(|why| {
            self.release_room();
            // The file may be the new record already, and not durable. Without this a power cut
            // could bring back a change that was reported as failed.
            self.save();
            BeginError::Record(why)
        })
    }

    /// Goes on with a change that a restart found.
    pub(super) fn go_on(&mut self, change: &Change) {
        self.steps.tell(format!(
            "going on with the change from {} to {} (attempt {})",
            change.from.identity, change.to.identity, change.attempts
        ));
        self.set_new_identity();
    }

    /// Sets what the change in progress says, then lets the hooks renew what depends on it.
    pub(super) fn set_new_identity(&mut self) {
        let Some(change) = self.record.change.clone() else { return };
        if self.seams.clock().now() >= change.deadline {
            return self.roll_back(RollbackReason::NotConfirmed);
        }
        let (from, to) = (change.from.identity, change.to.identity);
        let board = self.seams.board();
        let set = set_link(board, to.mac)
            .and_then(|()| write_runtime_files(board, &self.rules, &self.record, &to));
        if let Err(why) = set {
            return self.roll_back(RollbackReason::Board(why));
        }
        self.steps.tell(format!("the board now carries {to}"));
        self.stage = Stage::Hooks;
        self.seams.start_hooks(HookRun { phase: Phase::Apply, from, to });
    }

    /// The hooks have ended; the failure is that of the first hook that failed.
    pub fn hooks_ended(&mut self, result: Result<(), HookFailure>) {
        match (&self.stage, result) {
            (Stage::Hooks, Err(why)) => self.roll_back(RollbackReason::Hook(why)),
            (Stage::Hooks, Ok(())) => {
                self.stage = Stage::Confirming;
                if self.record.change.as_ref().is_some_and(|change| change.offline) {
                    self.commit();
                }
                self.connect();
            }
            (Stage::HooksBack(_), result) => {
                if let Err(why) = result {
                    self.steps.warn(format!("a hook failed after the rollback: {why}"));
                }
                self.rolled_back();
            }
            // Of a change that has ended in the meantime.
            (_, _) => {}
        }
    }

    fn rolled_back(&mut self) {
        self.stage = Stage::Idle;
        self.connect();
        self.change_ended();
    }

    pub(super) fn reachable(&mut self, route: Route) {
        if matches!(self.stage, Stage::PollingAgain) && route == Route::Http {
            self.settle();
        }
        if matches!(self.stage, Stage::Confirming) {
            let until = self.seams.clock().now() + self.rules.settle;
            self.steps.tell(format!(
                "reached over {} under the new identity; watching it for {} s",
                route.label(),
                self.rules.settle.as_secs()
            ));
            self.stage = Stage::Settling(route, until);
        }
        self.connections.reached(route);
        self.keep_board();
        self.look_up_again();
        self.reports.send_all(self.seams.upstream(), &self.record.outbox, route);
    }

    pub(super) fn lost(&mut self, route: Route) {
        self.connections.lost(route);
        let watched = match self.stage {
            Stage::Settling(settling, _) => settling == route,
            Stage::PollingAgain => route == Route::Http,
            _ => false,
        };
        if watched {
            self.steps.warn(format!(
                "the new connection over {} was lost; waiting for another",
                route.label()
            ));
            self.stage = Stage::Confirming;
        }
        self.keep_board();
    }

    pub(super) fn tick_change(&mut self, now: Moment) {
        let deadline = self.record.change.as_ref().map(|change| change.deadline);
        let too_late = deadline.is_some_and(|deadline| deadline <= now);
        match self.stage {
            Stage::Idle => {}
            Stage::PuttingBack(at, _) if at <= now => self.put_back_again(),
            Stage::HooksBack(until) if until <= now => {
                self.steps
                    .warn("a hook failed after the rollback: they did not end in time".to_owned());
                self.rolled_back();
            }
            Stage::Settling(Route::Mqtt, until) if until <= now => self.settle(),
            Stage::Settling(Route::Http, until) if until <= now && !too_late => {
                self.stage = Stage::PollingAgain;
                self.seams.upstream().ask_again(Route::Http);
            }
            Stage::Hooks if too_late => self.roll_back(RollbackReason::HooksTooLong),
            Stage::Confirming | Stage::Settling(..) | Stage::PollingAgain if too_late => {
                self.roll_back(RollbackReason::NotReached);
            }
            Stage::Committing(_) if too_late => self.roll_back(RollbackReason::NotWritten),
            Stage::Committing(at) if at <= now => self.commit(),
            Stage::Hooks
            | Stage::Confirming
            | Stage::Settling(..)
            | Stage::PollingAgain
            | Stage::Committing(_)
            | Stage::PuttingBack(..)
            | Stage::HooksBack(_) => {}
        }
    }

    /// The connection has stayed alive; is the link still what it was set to?
    fn settle(&mut self) {
        let Some(wanted) = self.record.change.as_ref().map(|c| c.to.identity.mac) else { return };
        match self.seams.board().link_mac() {
            Ok(mac) if mac == wanted => self.commit(),
            Ok(mac) => self.roll_back(RollbackReason::OtherMac(mac)),
            Err(why) => self.roll_back(RollbackReason::LinkLost(why)),
        }
    }

    fn commit(&mut self) {
        let Some(change) = self.record.change.clone() else { return };
        self.release_room();
        if let Err(why) = self.transition(|record| record.install()) {
            self.steps.warn(format!("the record cannot be written: {why}; trying again"));
            self.stage = Stage::Committing(self.seams.clock().now() + TRY_AGAIN);
            return;
        }
        self.steps.tell(format!("confirmed and durable: {}", self.record.current.identity));
        self.stage = Stage::Idle;
        // The runtime files also tell the ID, which may have just been learnt.
        let identity = self.record.current.identity.clone();
        self.tell_software(&identity);
        self.give_up(change.from.identity.mac);
        self.copy_to_environment();
        self.send_outbox();
        self.change_ended();
    }

    /// Puts the old identity back everywhere and ends the change.
    fn roll_back(&mut self, reason: RollbackReason) {
        let Some(change) = &self.record.change else { return };
        self.steps.warn(format!("rolling back to {}: {reason}", change.from.identity));
        if let Err(why) = self.put_back(reason) {
            self.steps.warn(format!("the old identity cannot be put back: {why}; trying again"));
        }
    }

    /// Ends the rollback, or tries again later if the link does not take the old MAC.
    fn put_back(&mut self, reason: RollbackReason) -> Result<(), SetBoardError> {
        let Some(change) = self.record.change.clone() else { return Ok(()) };
        let (from, to) = (change.from.identity, change.to.identity);
        if let Err(why) = set_link(self.seams.board(), from.mac) {
            self.stage = Stage::PuttingBack(self.seams.clock().now() + TRY_AGAIN, reason);
            return Err(why);
        }
        // The panel can be reached all the same, and that counts more.
        self.tell_software(&from);
        self.release_room();
        self.transition_regardless(|record| record.roll_back(reason.to_string()));
        self.give_up(to.mac);
        self.stage = Stage::HooksBack(self.seams.clock().now() + self.rules.confirm_within);
        self.seams.start_hooks(HookRun { phase: Phase::Rollback, from: to, to: from });
        Ok(())
    }

    fn put_back_again(&mut self) {
        if let Stage::PuttingBack(_, reason) = mem::replace(&mut self.stage, Stage::Idle) {
            // Why it is put back was told the first time.
            let _ = self.put_back(reason);
        }
    }

    /// Tells the panel's other software who the panel is; tried again if that fails.
    fn tell_software(&mut self, identity: &Identity) {
        let now = self.seams.clock().now();
        let board = self.seams.board();
        if let Err(why) = write_runtime_files(board, &self.rules, &self.record, identity) {
            self.board_keeper.try_again(&why, now, &mut self.steps);
        }
    }

    fn give_up(&mut self, mac: Mac) {
        if mac != self.record.current.identity.mac {
            self.seams.upstream().give_up(mac);
        }
    }

    fn release_room(&mut self) {
        if let Err(why) = self.seams.store().release() {
            self.steps.warn(format!("the reserved room cannot be freed: {why}"));
        }
    }
}
