//! How far the change in progress has come: what happens next, without a clock and without I/O.
//!
//! ```text
//!  Hooks ──► Confirming ──► Settling ──► PollingAgain ──► Committing ──► Idle
//!    └────────────┴─────────────┴──────────────┴───► PuttingBack ──► HooksBack ──► Idle
//! ```

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::hook_failure::HookFailure;
use super::rollback_reason::RollbackReason;
use crate::clock::Moment;
use crate::record::Route;

/// How far the change in progress has come. What a restart must know of it is in the record.
#[derive(Debug, Default)]
pub(super) enum Stage {
    /// No change.
    #[default]
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

/// What the agent does now that something has happened.
#[derive(Debug)]
pub(super) enum Action {
    /// Connect under the new identity, to confirm the change.
    Connect,
    /// Say that a new connection on this route is being watched.
    Watch(Route),
    /// Say that the watched connection on this route is gone, and another is waited for.
    WaitForAnother(Route),
    /// Poll the HTTP service once more.
    PollAgain,
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

    /// When [`Stage::tick`] is due, given the deadline of the change in progress.
    pub(super) fn due(&self, deadline: Option<Moment>) -> Option<Moment> {
        match self {
            Stage::Idle => None,
            Stage::Hooks | Stage::Confirming | Stage::PollingAgain => deadline,
            Stage::Settling(_, at) | Stage::Committing(at) => deadline.map(|end| end.min(*at)),
            Stage::PuttingBack(at, _) | Stage::HooksBack(at) => Some(*at),
        }
    }

    /// The hooks have ended.
    pub(super) fn hooks_ended(self, result: Result<(), HookFailure>) -> Next {
        match (self, result) {
            (Stage::Hooks, Ok(())) => (Stage::Confirming, Some(Action::Connect)),
            (Stage::Hooks, Err(why)) => {
                (Stage::Hooks, Some(Action::RollBack(RollbackReason::Hook(why))))
            }
            (Stage::HooksBack(_), result) => {
                let end = result.map_or_else(HooksBackEnd::Failed, |()| HooksBackEnd::Worked);
                (Stage::Idle, Some(Action::EndRollback(end)))
            }
            // Of a change that has ended in the meantime.
            (stage, _) => (stage, None),
        }
    }

    /// There is a new connection on this route, or a poll was answered. A connection must stay alive
    /// for `settle`.
    pub(super) fn reached(self, route: Route, now: Moment, settle: Duration) -> Next {
        match self {
            Stage::Confirming => (Stage::Settling(route, now + settle), Some(Action::Watch(route))),
            Stage::PollingAgain if route == Route::Http => {
                (Stage::PollingAgain, Some(Action::CheckLinkAndCommit))
            }
            stage => (stage, None),
        }
    }

    /// The connection on this route is gone.
    pub(super) fn lost(self, route: Route) -> Next {
        let was_watched = match self {
            Stage::Settling(settling, _) => settling == route,
            Stage::PollingAgain => route == Route::Http,
            Stage::Idle
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

    /// Time has passed, given the deadline of the change in progress.
    pub(super) fn tick(self, now: Moment, deadline: Option<Moment>) -> Next {
        let too_late = deadline.is_some_and(|deadline| deadline <= now);
        let action = match self {
            Stage::PuttingBack(at, reason) if at <= now => {
                return (Stage::Idle, Some(Action::PutBack(reason)));
            }
            Stage::HooksBack(until) if until <= now => {
                return (Stage::Idle, Some(Action::EndRollback(HooksBackEnd::TooLong)));
            }
            Stage::Settling(Route::Http, until) if until <= now && !too_late => {
                return (Stage::PollingAgain, Some(Action::PollAgain));
            }
            Stage::Settling(Route::Mqtt, until) if until <= now => Action::CheckLinkAndCommit,
            Stage::Hooks if too_late => Action::RollBack(RollbackReason::HooksTooLong),
            Stage::Confirming | Stage::Settling(..) | Stage::PollingAgain if too_late => {
                Action::RollBack(RollbackReason::NotReached)
            }
            Stage::Committing(_) if too_late => Action::RollBack(RollbackReason::NotWritten),
            Stage::Committing(at) if at <= now => Action::Commit,
            Stage::Idle
            | Stage::Hooks
            | Stage::Confirming
            | Stage::Settling(..)
            | Stage::PollingAgain
            | Stage::Committing(_)
            | Stage::PuttingBack(..)
            | Stage::HooksBack(_) => return (self, None),
        };
        (self, Some(action))
    }

    /// For people, while there is a change.
    pub(super) fn in_words(&self) -> &'static str {
        match self {
            Stage::Idle | Stage::Hooks => "the hooks run",
            Stage::Confirming => "waiting for a new connection",
            Stage::Settling(..) | Stage::PollingAgain => "watching the new connection",
            Stage::Committing(_) => "confirmed; the record cannot be written",
            Stage::PuttingBack(..) => "the old identity cannot be put back",
            Stage::HooksBack(_) => "rolled back; the hooks run",
        }
    }
}
