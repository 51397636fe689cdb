//! Whether a change may begin now: the hooks are asked before anything is touched.

use std::time::Duration;

use intercom_wire::Identity;

use super::Agent;
use super::delivery::{Delivery, Handling};
use super::error::NotApplied;
use super::pending_request::{Deferral, PendingRequest};
use super::seams::{HookRun, Phase, Seams};
use super::stage::{NotReady, Stage};
use super::waiting::Until;
use crate::clock::Clock;
use crate::decide::{Decision, MacOwner};

/// When the hooks are asked again that said "not now".
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// For how long they may say so before the request ends.
const LIMIT: Duration = Duration::from_secs(24 * 3600);
/// When it is told again that a request is still deferred.
const TELL_AGAIN: Duration = Duration::from_secs(10 * 60);

impl<S: Seams> Agent<S> {
    /// Asks the hooks whether the board may take an identity now.
    pub(super) fn ask_the_hooks(&mut self, pending: PendingRequest, to: Identity) -> Handling {
        let now = self.seams.clock().now();
        if let Some(until) = self.hook_runs.for_link_until(now) {
            return self.wait(pending, Until::HooksEnd(until));
        }
        let from = self.record.current.identity.clone();
        self.stage = Stage::Ready(now + self.rules.confirm_within);
        self.in_hand = Some(pending);
        self.start_hooks(HookRun { phase: Phase::Ready, from, to });
        Handling::Kept
    }

    /// The request that the hooks are asked about.
    pub(super) fn asked_about(&mut self) -> Option<&mut PendingRequest> {
        self.in_hand.as_mut().filter(|_| matches!(self.stage, Stage::Ready(_)))
    }

    /// The hooks have answered. What the board is may have become known meanwhile, so that the request
    /// is decided once more.
    pub(super) fn hooks_answered(&mut self, answer: Result<(), NotReady>) {
        match (self.in_hand.take(), answer) {
            (None, _) => {} // It was withdrawn meanwhile.
            (Some(pending), Ok(())) => match self.check(&pending.delivery, MacOwner::Nobody) {
                Decision::Apply(identity) => _ = self.apply(pending, identity),
                _ => _ = self.decide_on(pending, MacOwner::NotLookedUp),
            },
            (Some(pending), Err(why)) => self.not_now(pending, why),
        }
        if !self.changing() {
            self.change_ended();
        }
    }

    fn not_now(&mut self, mut pending: PendingRequest, why: NotReady) {
        let now = self.seams.clock().now();
        let before = pending.deferral;
        let since = before.map_or(now, |before| before.since);
        let until = since + LIMIT;
        if until <= now {
            self.not_applied(pending, &NotApplied::NotReady(why));
            return;
        }
        let told = match before {
            Some(Deferral { told, .. }) if now < told + TELL_AGAIN => told,
            Some(_) | None => {
                self.tell_that_it_is_deferred(&pending.delivery, &why);
                now
            }
        };
        pending.deferral = Some(Deferral { since, until, told });
        self.wait(pending, Until::Later(now + ASK_AGAIN, why.to_string()));
    }

    fn tell_that_it_is_deferred(&mut self, delivery: &Delivery, why: &NotReady) {
        self.steps.warn(format!(
            "{delivery} is deferred: {why}; asking again every {} s",
            ASK_AGAIN.as_secs()
        ));
        self.report_deferred(delivery, &why.to_string(), ASK_AGAIN);
    }
}
