//! The runs of the hooks: one at a time, for a change or for the sake of the link.

use std::mem;

use super::Agent;
use super::hook_failure::HookFailure;
use super::seams::{HookRun, HookRunNumber, Seams};
use super::stage::Happened;
use crate::clock::{Clock, Moment};

/// Which run was begun last, and whether the link needs one.
#[derive(Debug, Default)]
pub(super) struct HookRuns {
    last: HookRunNumber,
    for_link: ForLink,
}

/// Whether the link needs a run: its MAC address was put right, or it has lost its IP address.
#[derive(Debug, Default)]
enum ForLink {
    #[default]
    None,
    /// When the change in progress has ended.
    Due(HookRun),
    /// It goes on; requests wait for its end, until the moment at the latest.
    GoesOn(Moment),
}

impl HookRuns {
    /// A run begins, in place of one that still goes on. Only its end counts from now on: that of the one
    /// before may be on its way already.
    fn begin(&mut self, for_link: ForLink) -> HookRunNumber {
        self.for_link = for_link;
        self.last = self.last.next();
        self.last
    }

    fn is_last(&self, number: HookRunNumber) -> bool {
        self.last == number
    }

    /// Until when a run for the sake of the link is waited for, if one goes on.
    pub(super) fn for_link_until(&self, now: Moment) -> Option<Moment> {
        match self.for_link {
            ForLink::GoesOn(until) => Some(until).filter(|until| now < *until),
            ForLink::None | ForLink::Due(_) => None,
        }
    }
}

impl<S: Seams> Agent<S> {
    /// Begins a run that a change needs: what the link needs is done by it.
    pub(super) fn start_hooks(&mut self, run: HookRun) {
        let number = self.hook_runs.begin(ForLink::None);
        self.seams.start_hooks(number, run);
    }

    /// Begins a run for the sake of the link; in mid-change when that has ended.
    pub(super) fn start_hooks_for_link(&mut self, run: HookRun) {
        if self.changing() {
            self.hook_runs.for_link = ForLink::Due(run);
            return;
        }
        let until = self.seams.clock().now() + self.rules.confirm_within;
        let number = self.hook_runs.begin(ForLink::GoesOn(until));
        self.seams.start_hooks(number, run);
    }

    /// No change is in progress any more: begins the run that the link came to need meanwhile.
    pub(super) fn start_hooks_that_are_due(&mut self) {
        if let ForLink::Due(run) = mem::take(&mut self.hook_runs.for_link) {
            self.start_hooks_for_link(run);
        }
    }

    /// A run of the hooks has ended; the failure is that of the first hook that failed.
    pub fn hooks_ended(&mut self, number: HookRunNumber, result: Result<(), HookFailure>) {
        if !self.hook_runs.is_last(number) {
            return;
        }
        if self.changing() {
            return self.advance(Happened::HooksEnded(result));
        }
        if let ForLink::GoesOn(_) = self.hook_runs.for_link {
            self.hook_runs.for_link = ForLink::None;
            // Whatever connections there were, the link's address is new.
            self.connect();
            self.decide_on_those_that_awaited_the_hooks();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::NOW;
    use std::time::Duration;

    #[test]
    fn only_the_end_of_the_run_that_was_begun_last_counts() {
        let mut runs = HookRuns::default();
        let for_link = runs.begin(ForLink::GoesOn(NOW));
        assert!(runs.is_last(for_link));
        let of_a_change = runs.begin(ForLink::None);
        assert!(runs.is_last(of_a_change) && !runs.is_last(for_link));
    }

    #[test]
    fn a_run_for_the_link_is_waited_for_until_it_takes_too_long() {
        let mut runs = HookRuns::default();
        assert_eq!(runs.for_link_until(NOW), None);
        let until = NOW + Duration::from_secs(1);
        runs.begin(ForLink::GoesOn(until));
        assert_eq!((runs.for_link_until(NOW), runs.for_link_until(until)), (Some(until), None));
        runs.begin(ForLink::None);
        assert_eq!(runs.for_link_until(NOW), None, "a change has taken its place");
    }
}
