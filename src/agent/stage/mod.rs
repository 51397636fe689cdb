//! How far the change in progress has come: what happens next, without a clock and without I/O.
//!
//! ```text
//!  Ready ──► Idle, or Hooks
//!  Hooks ──► Confirming ──► Settling ──► Proving ──► Committing ──► Idle
//!    └────────────┴─────────────┴───────────┴────► PuttingBack ──► HooksBack ──► Idle
//! ```

mod others;
mod proof;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use super::hook_failure::HookFailure;
use super::rollback_reason::{LastErrors, RollbackReason};
use crate::board::UplinkError;
use crate::clock::Moment;
use crate::decide::MacOwner;
use crate::record::Route;
use others::Others;
use proof::Proof;

/// How far the change in progress has come. What a restart must know of it is in the record.
#[derive(Debug, Default)]
pub(super) enum Stage {
    /// No change.
    #[default]
    Idle,
    /// Nothing is touched yet; the hooks are asked whether it may be now, until the moment at the
    /// latest.
    Ready(Moment),
    /// The new identity is set; the hooks run.
    Hooks,
    /// Waiting for a new connection under the new identity.
    Confirming,
    /// There is one on this route; it must still work at the moment. The other boards are asked before.
    Settling(Route, Moment, Others),
    /// The moment has come: what is still to be proven.
    Proving(Proof),
    /// Confirmed, and the disk would not take it; tried again at the moment.
    Committing(Moment),
    /// The link would not take the old MAC back; tried again at the moment, for this reason.
    PuttingBack(Moment, RollbackReason),
    /// The old identity is back; the hooks run, until the moment at the latest.
    HooksBack(Moment),
}

/// What has happened.
#[derive(Debug)]
pub(super) enum Happened {
    /// The hooks have ended.
    HooksEnded(Result<(), HookFailure>),
    /// Upstream has answered on this route, on a new connection or when it was asked once more.
    Reached(Route),
    /// The connection on this route is gone.
    Lost(Route),
    /// Who else has the new MAC address.
    LookedUp(MacOwner),
    /// No other board on the LAN has the new MAC address, and the broker could not be asked.
    BrokerAway,
    /// Whether the traffic leaves by the link that bears the new identity.
    LinkJudged(Result<(), UplinkError>),
    /// Nothing but time has passed.
    Time,
}

/// When it has happened, and the limits of the change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) now: Moment,
    /// When the change in progress is rolled back unless it is confirmed.
    pub(super) deadline: Option<Moment>,
    /// How long a new connection must stay alive.
    pub(super) settle: Duration,
}

/// What the agent does now that something has happened.
#[derive(Debug)]
pub(super) enum Action {
    /// The hooks have answered whether a change may begin now.
    Asked(Result<(), NotReady>),
    /// Connect under the new identity, to confirm the change.
    Connect,
    /// Say that a new connection on this route is being watched.
    Watch(Route),
    /// Say that the watched connection on this route is gone, and another is waited for.
    WaitForAnother(Route),
    /// Have upstream answer once more on this route.
    Prove(Route),
    /// Ask whether another board has the new MAC.
    LookUp,
    /// Ask the LAN alone, ahead of the question that counts.
    MeetNeighbours,
    /// Say that only the LAN was asked, and take its answer.
    CountLanAlone,
    /// Find out by which link this route's traffic leaves.
    JudgeLink(Route),
    /// Commit, if the link still carries the new MAC address.
    CheckLinkAndCommit,
    /// Commit, which the disk did not take before.
    Commit,
    /// Roll back.
    RollBack(RollbackReason),
    /// Put the old identity back, which the link did not take before.
    PutBack(RollbackReason),
    /// End the change that was rolled back.
    EndRollback(HooksBackEnd),
}

/// Why a change does not begin now. Its `Display` is part of a report.
#[derive(Debug)]
pub(super) enum NotReady {
    /// A hook says so.
    Hook(HookFailure),
    /// The hooks were still running at the latest moment.
    TooLong,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotReady::Hook(why) => why.fmt(f),
            NotReady::TooLong => f.write_str("the hooks did not end in time"),
        }
    }
}

/// How the hooks ended that ran after a rollback.
#[derive(Debug)]
pub(super) enum HooksBackEnd {
    /// All of them worked.
    Worked,
    /// One failed.
    Failed(HookFailure),
    /// They were still running at the latest moment.
    TooLong,
}

/// The stage that holds now, unless the action sets another.
type Next = (Stage, Option<Action>);

impl Stage {
    /// Whether there is no change.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self, Stage::Idle)
    }

    /// Whether the board carries what the record says is current.
    pub(super) fn has_touched_nothing(&self) -> bool {
        matches!(self, Stage::Idle | Stage::Ready(_))
    }

    /// When [`Happened::Time`] is due, given the deadline of the change in progress.
    pub(super) fn due(&self, deadline: Option<Moment>) -> Option<Moment> {
        let at = match self {
            Stage::Idle => return None,
            Stage::Ready(at) | Stage::PuttingBack(at, _) | Stage::HooksBack(at) => {
                return Some(*at);
            }
            Stage::Hooks | Stage::Confirming => None,
            Stage::Settling(_, at, others) => Some(others.due().map_or(*at, |due| due.min(*at))),
            Stage::Committing(at) => Some(*at),
            Stage::Proving(proof) => proof.due(),
        };
        deadline.into_iter().chain(at).min()
    }

    /// Takes what has happened. After the deadline nothing confirms the change any more, however late
    /// the process was woken: an event may have waited for it longer than the change had time.
    pub(super) fn take(self, happened: Happened, terms: Terms) -> Next {
        if terms.deadline.is_some_and(|deadline| deadline <= terms.now)
            && let Some(reason) = self.overdue()
        {
            return (self, Some(Action::RollBack(reason)));
        }
        match happened {
            Happened::HooksEnded(result) => self.hooks_ended(result),
            Happened::Reached(route) => self.reached(route, terms),
            Happened::Lost(route) => self.lost(route),
            Happened::LookedUp(owner) => self.looked_up(owner, terms.now),
            Happened::BrokerAway => self.broker_away(terms.now),
            Happened::LinkJudged(judged) => self.link_judged(judged, terms.now),
            Happened::Time => self.tick(terms.now),
        }
    }

    /// Why the change is taken back if this is how far it has come at the deadline; `None` if it is
    /// taken back already.
    fn overdue(&self) -> Option<RollbackReason> {
        match self {
            Stage::Hooks => Some(RollbackReason::HooksTooLong),
            Stage::Confirming | Stage::Settling(..) => {
                Some(RollbackReason::NotReached(LastErrors::default()))
            }
            Stage::Proving(proof) => Some(proof.missing()),
            Stage::Committing(_) => Some(RollbackReason::NotWritten),
            Stage::Idle | Stage::Ready(_) | Stage::PuttingBack(..) | Stage::HooksBack(_) => None,
        }
    }

    fn hooks_ended(self, result: Result<(), HookFailure>) -> Next {
        match (self, result) {
            (Stage::Hooks, Ok(())) => (Stage::Confirming, Some(Action::Connect)),
            (Stage::Hooks, Err(why)) => {
                (Stage::Hooks, Some(Action::RollBack(RollbackReason::Hook(why))))
            }
            (Stage::Ready(_), result) => {
                (Stage::Idle, Some(Action::Asked(result.map_err(NotReady::Hook))))
            }
            (Stage::HooksBack(_), result) => {
                let end = result.map_or_else(HooksBackEnd::Failed, |()| HooksBackEnd::Worked);
                (Stage::Idle, Some(Action::EndRollback(end)))
            }
            // Of a change that has ended in the meantime.
            (stage, _) => (stage, None),
        }
    }

    fn reached(self, route: Route, terms: Terms) -> Next {
        match self {
            Stage::Confirming => {
                let until = terms.now + terms.settle;
                let others = Others::within(terms.settle, terms.now);
                (Stage::Settling(route, until, others), Some(Action::Watch(route)))
            }
            Stage::Proving(proof) if route == Route::Mqtt => {
                Self::proven(proof.broker_is_there(terms.now).reached(route))
            }
            Stage::Proving(proof) => Self::proven(proof.reached(route)),
            stage => (stage, None),
        }
    }

    fn lost(self, route: Route) -> Next {
        let was_watched = match &self {
            Stage::Settling(settling, ..) => *settling == route,
            Stage::Proving(proof) => proof.is_on(route),
            Stage::Idle
            | Stage::Ready(_)
            | Stage::Hooks
            | Stage::Confirming
            | Stage::Committing(_)
            | Stage::PuttingBack(..)
            | Stage::HooksBack(_) => false,
        };
        match was_watched {
            true => (Stage::Confirming, Some(Action::WaitForAnother(route))),
            false => (self, None),
        }
    }

    fn looked_up(self, owner: MacOwner, now: Moment) -> Next {
        match (self, owner) {
            (
                stage @ (Stage::Idle
                | Stage::Ready(_)
                | Stage::PuttingBack(..)
                | Stage::HooksBack(_)),
                _,
            ) => (stage, None),
            (stage, MacOwner::AnotherBoard(board)) => {
                (stage, Some(Action::RollBack(RollbackReason::Conflict(board))))
            }
            (Stage::Settling(route, until, others), owner) => {
                (Stage::Settling(route, until, others.answered(&owner, now)), None)
            }
            (Stage::Proving(proof), owner) => {
                Self::proven(proof.broker_is_there(now).answered(owner, now))
            }
            (stage, _) => (stage, None),
        }
    }

    fn broker_away(self, now: Moment) -> Next {
        let unknown = |others: Others| others.answered(&MacOwner::Unknown(None), now);
        match self {
            Stage::Settling(route, until, others) => {
                (Stage::Settling(route, until, unknown(others)), None)
            }
            Stage::Proving(proof) if proof.counts_lan_alone(now) => {
                (Stage::Proving(proof), Some(Action::CountLanAlone))
            }
            Stage::Proving(proof) => {
                let others = unknown(proof.others());
                (Stage::Proving(proof.with(others)), None)
            }
            stage => (stage, None),
        }
    }

    fn link_judged(self, judged: Result<(), UplinkError>, now: Moment) -> Next {
        match (self, judged) {
            (stage @ Stage::Proving(_), Err(UplinkError::OtherMac(mac))) => {
                (stage, Some(Action::RollBack(RollbackReason::OtherMac(mac))))
            }
            (stage @ Stage::Proving(_), Err(why)) if why.is_lasting() => {
                (stage, Some(Action::RollBack(RollbackReason::Uplink(why))))
            }
            (Stage::Proving(proof), judged) if proof.judges_link() => {
                Self::proven(proof.link_judged(judged, now))
            }
            (stage, _) => (stage, None),
        }
    }

    fn proven(proof: Proof) -> Next {
        if proof.lacks_link() {
            let route = proof.route();
            return (Stage::Proving(proof.judging_link()), Some(Action::JudgeLink(route)));
        }
        let action = proof.is_complete().then_some(Action::CheckLinkAndCommit);
        (Stage::Proving(proof), action)
    }

    fn tick(self, now: Moment) -> Next {
        match self {
            Stage::Ready(until) if until <= now => {
                (Stage::Idle, Some(Action::Asked(Err(NotReady::TooLong))))
            }
            Stage::PuttingBack(at, reason) if at <= now => {
                (Stage::Idle, Some(Action::PutBack(reason)))
            }
            Stage::HooksBack(until) if until <= now => {
                (Stage::Idle, Some(Action::EndRollback(HooksBackEnd::TooLong)))
            }
            // First, since its answer takes longer.
            Stage::Settling(route, until, others) if others.due().is_some_and(|due| due <= now) => {
                let action = match others {
                    Others::AskEarly(..) => Action::MeetNeighbours,
                    Others::AskAt(_) | Others::Asked | Others::None => Action::LookUp,
                };
                (Stage::Settling(route, until, others.asked()), Some(action))
            }
            Stage::Settling(route, until, others) if until <= now => {
                (Stage::Proving(Proof::on(route, others, now)), Some(Action::Prove(route)))
            }
            Stage::Proving(proof) if proof.link_due().is_some_and(|due| due <= now) => {
                let route = proof.route();
                (Stage::Proving(proof.judging_link()), Some(Action::JudgeLink(route)))
            }
            Stage::Proving(proof) if proof.others().due().is_some_and(|due| due <= now) => {
                (Stage::Proving(proof.with(Others::Asked)), Some(Action::LookUp))
            }
            Stage::Committing(at) if at <= now => (Stage::Committing(at), Some(Action::Commit)),
            stage => (stage, None),
        }
    }

    /// For people, while there is a change.
    pub(super) fn in_words(&self) -> &'static str {
        match self {
            Stage::Idle | Stage::Ready(_) | Stage::Hooks => "the hooks run",
            Stage::Confirming => "waiting for a new connection",
            Stage::Settling(..) => "watching the new connection",
            Stage::Proving(_) => "proving that the new connection still works",
            Stage::Committing(_) => "confirmed; the record cannot be written",
            Stage::PuttingBack(..) => "the old identity cannot be put back",
            Stage::HooksBack(_) => "rolled back; the hooks run",
        }
    }
}
