//! The change: begin → apply → confirm → commit → report, or everything back as it was.

use std::mem;
use std::time::Duration;

use intercom_wire::Mac;

use super::Agent;
use super::error::{BeginError, RollbackError};
use super::plan::{BackTo, Plan};
use super::rollback_reason::{LastErrors, RollbackReason};
use super::route_status::{RouteError, RouteStatus};
use super::seams::{HookRun, Phase, Seams, Upstream};
use super::set_board::{SetBoardError, set_link, write_runtime_files};
use super::stage::{Action, Happened, HooksBackEnd, Stage, Terms};
use super::waiting::Until;
use crate::board::{Board, UplinkError};
use crate::clock::Clock;
use crate::decide::MacOwner;
use crate::record::{Begun, Change, Current, Goal, Route};

/// How long before something that the board or the disk refused is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

impl<S: Seams> Agent<S> {
    pub(super) fn changing(&self) -> bool {
        !self.stage.is_idle()
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

    /// Takes the change in progress back before its time is over. One that goes back by hand goes on.
    pub fn take_change_back(&mut self) {
        if self.record.change.as_ref().is_some_and(|change| change.goal == Goal::Install) {
            self.roll_back(RollbackReason::ByHand);
        }
    }

    /// Makes the intention durable. Nothing on the board has been touched when this fails.
    pub(super) fn begin(&mut self, plan: Plan) -> Result<(), BeginError> {
        let now = self.seams.clock().now();
        let boot_id = self.seams.clock().boot_id();
        let lately = self.record.changes_lately(&boot_id, now);
        if lately >= self.rules.changes_per_hour {
            return Err(BeginError::TooMany(lately));
        }
        let link_mac = self.seams.board().link_mac().map_err(BeginError::Link)?;
        self.seams.store().reserve(&self.record).map_err(BeginError::Reserve)?;
        let begun = Begun { boot_id: boot_id.clone(), at: now };
        let mut from = self.record.current.clone();
        let deadline = now + self.rules.confirm_within;
        // What is put back is what the link has now: it may not have been there at the start.
        from.follow_link(link_mac);
        let mut change = plan.begin(from, boot_id, deadline);
        change.to.follow_link(link_mac);
        self.steps
            .tell(format!("changing from {} to {}", change.from.identity, change.to.identity));
        self.transition(|record| {
            record.current = change.from.clone();
            record.begin(change, begun);
        })
        .map_err(|why| {
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
        let board = self.seams.board();
        let set = set_new_mac(board, &change.to)
            .and_then(|()| write_runtime_files(board, &self.rules, &self.record, &change.to));
        let (from, to) = (change.from.identity, change.to.identity);
        if let Err(why) = set {
            return self.roll_back(RollbackReason::Board(why));
        }
        self.steps.tell(format!("the board now carries {to}"));
        self.stage = Stage::Hooks;
        self.start_hooks(HookRun { phase: Phase::Apply, from, to });
    }

    /// Lets the stage take what has happened, and does what follows from it.
    pub(super) fn advance(&mut self, happened: Happened) {
        let terms = Terms {
            now: self.seams.clock().now(),
            deadline: self.deadline(),
            settle: self.rules.settle,
        };
        let (stage, action) = mem::take(&mut self.stage).take(happened, terms);
        self.stage = stage;
        match action {
            None => {}
            Some(Action::Asked(answer)) => self.hooks_answered(answer),
            Some(Action::Connect) => {
                if self.record.change.as_ref().is_some_and(|change| change.offline) {
                    self.commit();
                }
                self.connect();
            }
            Some(Action::Watch(route)) => self.steps.tell(format!(
                "reached over {} under the new identity; watching it for {} s",
                route.label(),
                self.rules.settle.as_secs()
            )),
            Some(Action::WaitForAnother(route)) => self.steps.warn(format!(
                "the new connection over {} was lost; waiting for another",
                route.label()
            )),
            Some(Action::Prove(route)) => self.seams.upstream().prove(route),
            Some(Action::JudgeLink(route)) => self.judge_link(route),
            Some(Action::LookUp) => self.ask_the_others(),
            Some(Action::MeetNeighbours) => {
                if let Some(mac) = self.mac_being_taken() {
                    self.seams.upstream().meet_neighbours(mac);
                }
            }
            Some(Action::CountLanAlone) => {
                self.steps.tell("no broker is reached: the LAN alone was asked".to_owned());
                self.advance(Happened::LookedUp(MacOwner::Nobody));
            }
            Some(Action::CheckLinkAndCommit) => self.check_link_and_commit(),
            Some(Action::Commit) => self.commit(),
            Some(Action::RollBack(reason)) => self.roll_back(reason),
            Some(Action::PutBack(reason)) => {
                // Why the link does not take it was told the first time.
                let _ = self.put_back(reason);
            }
            Some(Action::EndRollback(hooks)) => self.end_rollback(&hooks),
        }
    }

    /// Whether the traffic leaves by the link that bears the identity. An address that the change does
    /// not set is not looked at.
    fn judge_link(&mut self, route: Route) {
        let Some(change) = &self.record.change else { return };
        match change.to.has_mac() {
            true => self.seams.upstream().judge_link(route, change.to.identity.mac),
            false => self.advance(Happened::LinkJudged(Ok(()))),
        }
    }

    /// It is known whether the traffic leaves by the link that bears this address.
    pub(super) fn link_judged(&mut self, mac: Mac, judged: Result<(), UplinkError>) {
        if self.record.change.as_ref().is_some_and(|change| change.to.identity.mac == mac) {
            self.advance(Happened::LinkJudged(judged));
        }
    }

    /// Whether another board has the new MAC address. One that the board had before was not taken from
    /// anybody.
    fn ask_the_others(&mut self) {
        let Some(change) = &self.record.change else { return };
        match change.new_mac() {
            Some(mac) => self.seams.upstream().look_up(mac),
            None => self.advance(Happened::LookedUp(MacOwner::Nobody)),
        }
    }

    /// The MAC address that the change in progress sets and the board did not have before.
    fn mac_being_taken(&self) -> Option<Mac> {
        self.record.change.as_ref().and_then(Change::new_mac)
    }

    /// It is known who else has a MAC address: perhaps the one that the change in progress sets.
    pub(super) fn looked_up_in_change(&mut self, mac: Mac, owner: &MacOwner) {
        if self.mac_being_taken() == Some(mac) {
            self.advance(Happened::LookedUp(owner.clone()));
        }
    }

    /// The LAN says that nobody else has a MAC address, and the broker could not be asked. A request that
    /// waits for the owner goes on waiting: it has its own time limit.
    pub(super) fn broker_away_in_change(&mut self, mac: Mac) {
        if self.mac_being_taken() == Some(mac) {
            self.advance(Happened::BrokerAway);
        }
    }

    /// All is proven; is the link still what it was set to?
    fn check_link_and_commit(&mut self) {
        let Some(wanted) = self.record.change.as_ref().map(|c| c.to.clone()) else { return };
        match self.seams.board().link_mac() {
            Ok(mac) if mac == wanted.identity.mac => self.commit(),
            Ok(mac) => self.roll_back(RollbackReason::OtherMac(mac)),
            Err(why) => self.roll_back(RollbackReason::LinkLost(why)),
        }
    }

    fn commit(&mut self) {
        let Some(change) = self.record.change.clone() else { return };
        if self.seams.clock().now() >= change.deadline {
            return self.roll_back(RollbackReason::NotConfirmed);
        }
        self.release_room();
        let at = self.seams.clock().wall_time();
        if let Err(why) = self.transition(|record| record.install(at)) {
            self.steps.warn(format!("the record cannot be written: {why}; trying again"));
            self.stage = Stage::Committing(self.seams.clock().now() + TRY_AGAIN);
            return;
        }
        self.steps.tell(format!("confirmed and durable: {}", self.record.current.identity));
        self.stage = Stage::Idle;
        self.in_hand = None;
        // The runtime files also tell the ID, which may have just been learnt.
        self.tell_software(&change.to);
        self.own_board.record_changed(&self.record, self.seams.clock().now());
        self.copy_to_environment();
        self.send_outbox();
        // After the report: billing would ask once more otherwise.
        self.seams.upstream().claim(self.connections.current());
        self.change_ended();
    }

    /// Puts the old identity back everywhere and ends the change.
    fn roll_back(&mut self, reason: RollbackReason) {
        let Some(change) = &self.record.change else { return };
        let from = change.from.identity.clone();
        let reason = self.with_last_errors(reason);
        self.steps.warn(format!("rolling back to {from}: {reason}"));
        if let Err(why) = self.put_back(reason) {
            self.steps.warn(format!("the old identity cannot be put back: {why}; trying again"));
        }
    }

    /// Ends the rollback, or tries again later if the link does not take the old MAC.
    fn put_back(&mut self, reason: RollbackReason) -> Result<(), SetBoardError> {
        let Some(change) = self.record.change.clone() else { return Ok(()) };
        if let Err(why) = put_old_mac_back(self.seams.board(), &change) {
            self.stage = Stage::PuttingBack(self.seams.clock().now() + TRY_AGAIN, reason);
            return Err(why);
        }
        // The panel can be reached all the same, and that counts more.
        self.tell_software(&change.from);
        self.release_room();
        let mut told = reason.to_string();
        if let Some(after) = self.try_again(&reason) {
            told = format!("{told}; trying again in {} s", after.as_secs());
        }
        let at = self.seams.clock().wall_time();
        self.transition_regardless(|record| record.roll_back(told, at));
        let (from, to) = (change.from.identity, change.to.identity);
        self.stage = Stage::HooksBack(self.seams.clock().now() + self.rules.confirm_within);
        self.start_hooks(HookRun { phase: Phase::Rollback, from: to, to: from });
        Ok(())
    }

    /// The reason; where upstream was not reached, with the last thing that went wrong on each route. Later
    /// the routes connect under the old identity, and tell of that.
    fn with_last_errors(&mut self, reason: RollbackReason) -> RollbackReason {
        if !matches!(reason, RollbackReason::NotReached(_)) {
            return reason;
        }
        let lately = self.rules.confirm_within;
        let of_this_change = |error: &RouteError| Duration::from_secs(error.seconds_ago) <= lately;
        let routes = self.seams.upstream().status().into_iter();
        let errors = routes.filter_map(|RouteStatus { route, last_error, .. }| {
            Some((route, last_error.filter(of_this_change)?.text))
        });
        RollbackReason::NotReached(LastErrors(errors.collect()))
    }

    /// Has the request wait that asked for a MAC address which another board took at the same moment;
    /// for how long.
    fn try_again(&mut self, reason: &RollbackReason) -> Option<Duration> {
        let pending = self.in_hand.take()?;
        let RollbackReason::Conflict(_) = reason else { return None };
        let why = format!("its change was taken back: {reason}");
        let now = self.seams.clock().now();
        let (pending, after) = pending.retried(&self.record.board, now)?;
        self.steps.tell(format!("{} is tried again in {} s", pending.delivery, after.as_secs()));
        self.waiting.add(pending, Until::Later(now + after, why)).then_some(after)
    }

    fn end_rollback(&mut self, hooks: &HooksBackEnd) {
        match hooks {
            HooksBackEnd::Worked => {}
            HooksBackEnd::Failed(why) => {
                self.steps.warn(format!("a hook failed after the rollback: {why}"));
            }
            HooksBackEnd::TooLong => self
                .steps
                .warn("a hook failed after the rollback: they did not end in time".to_owned()),
        }
        self.connect();
        self.change_ended();
    }

    /// Tells the panel's other software who the panel is; tried again if that fails.
    fn tell_software(&mut self, identity: &Current) {
        let now = self.seams.clock().now();
        let board = self.seams.board();
        if let Err(why) = write_runtime_files(board, &self.rules, &self.record, identity) {
            self.board_keeper.try_again(&why, now, &mut self.steps);
        }
    }

    fn release_room(&mut self) {
        if let Err(why) = self.seams.store().release() {
            self.steps.warn(format!("the reserved room cannot be freed: {why}"));
        }
    }
}

/// Gives the link what a change sets. A change that leaves an address that is not known to be the
/// board's own leaves the link alone.
fn set_new_mac(board: &mut impl Board, to: &Current) -> Result<(), SetBoardError> {
    if to.has_mac() { set_link(board, to.identity.mac) } else { Ok(()) }
}

/// Gives the link back what it had before a change. An address that is not known to be the board's own
/// may be of another boot, in which case the link never got the new one.
fn put_old_mac_back(board: &mut impl Board, change: &Change) -> Result<(), SetBoardError> {
    let Change { from, to, .. } = change;
    let is_set = |mac: Mac| to.has_mac() && mac == to.identity.mac;
    if !from.has_mac() && !is_set(board.link_mac().map_err(SetBoardError::LinkUnreadable)?) {
        return Ok(());
    }
    set_link(board, from.identity.mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::{FACTORY_MAC, FakeBoard, mac, record_changing_to};
    use crate::record::MacOrigin;

    const NEW: &str = "AA:BB:CC:DD:EE:FF";
    const OTHER: &str = "22:0D:CE:38:E7:15";

    /// What the link has after it had `link`, and a change from an address of this origin is taken
    /// back.
    fn put_back(mac_origin: MacOrigin, link: &str) -> Mac {
        let mut change = record_changing_to(NEW).change.expect("one");
        change.from.mac_origin = mac_origin;
        let mut board = FakeBoard::new(link);
        put_old_mac_back(&mut board, &change).expect("taken");
        board.link
    }

    #[test]
    fn the_old_address_is_put_back_whatever_the_link_has() {
        assert_eq!(put_back(MacOrigin::Board, NEW), mac(FACTORY_MAC));
        assert_eq!(put_back(MacOrigin::Board, OTHER), mac(FACTORY_MAC));
    }

    #[test]
    fn an_address_that_is_nobodys_is_put_back_only_where_the_change_took_it_away() {
        assert_eq!(put_back(MacOrigin::Random, NEW), mac(FACTORY_MAC));
        assert_eq!(put_back(MacOrigin::Random, OTHER), mac(OTHER), "it is another boot's");
    }
}
