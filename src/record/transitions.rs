//! The transitions of the record: each is one replacement of the file.

use std::time::Duration;

use intercom_wire::{
    BoardName, FactoryIdentity, Identity, IntercomBody, NotTold, Outcome, Report,
    SOURCE_AUTO_REPLACE, Target,
};

use super::{
    Begun, Cause, Change, Current, Entry, FORMAT, Goal, Ledger, OutboxEntry, Record, Route, bounds,
};
use crate::clock::{BootId, Moment, WallTime};

/// The most reports that wait for upstream; the oldest make room, and the newest tells of it.
const MAX_OUTBOX: usize = 16;
/// How many bytes of JSON they may have.
const MAX_OUTBOX_BYTES: usize = 20 * 1024;
/// What the limit on changes counts.
const HOUR: Duration = Duration::from_secs(3600);

impl Record {
    /// A record in which nothing has happened yet.
    pub fn new(board: BoardName, factory: Option<FactoryIdentity>, current: Current) -> Self {
        Record {
            format: FORMAT,
            board,
            factory,
            current,
            interface: None,
            link_kept_in: None,
            learnt_id: None,
            change: None,
            outbox: Vec::new(),
            next_number: 1,
            ledger: Ledger::default(),
            recent_changes: Vec::new(),
            counters: super::Counters::default(),
            outcomes_not_told: None,
            rollback_undone: None,
            last_good_time: None,
        }
    }

    /// What the board had when the agent first ran, as it is told to others.
    pub fn factory(&self) -> FactoryIdentity {
        self.factory.clone().unwrap_or(FactoryIdentity::Unknown)
    }

    /// A change is begun.
    pub fn begin(&mut self, change: Change, begun: Begun) {
        let counts = |old: &Begun| old.boot_id == begun.boot_id && old.at + HOUR > begun.at;
        self.recent_changes.retain(counts);
        self.recent_changes.push(begun);
        // A change that sets no address leaves the link as an earlier one has left it.
        if change.to.has_mac() {
            self.link_kept_in = None;
        }
        self.change = Some(change);
        self.rollback_undone = None;
        self.counters.begun += 1;
    }

    /// How many changes were begun in this boot within the hour before `now`.
    pub fn changes_lately(&self, boot_id: &BootId, now: Moment) -> usize {
        let recent = |begun: &&Begun| begun.boot_id == *boot_id && begun.at + HOUR > now;
        self.recent_changes.iter().filter(recent).count()
    }

    /// Another boot found the change and tries it with a full new window.
    pub fn resume(&mut self, boot_id: BootId, deadline: Moment) {
        if let Some(change) = &mut self.change {
            change.boot_id = boot_id;
            change.deadline = deadline;
            change.attempts = change.attempts.saturating_add(1);
        }
    }

    /// The change is confirmed: the new identity is the current one.
    pub fn install(&mut self, at: WallTime) {
        let Some(change) = self.change.take() else { return };
        let previous = change.from;
        self.current = change.to;
        let outcome = match change.goal {
            Goal::Install => {
                self.learnt_id = change.cause.target.id.or(self.learnt_id);
                self.counters.installed += 1;
                Outcome::Installed
            }
            Goal::GoBack => {
                self.counters.rolled_back += 1;
                Outcome::RolledBack
            }
        };
        let reason = (change.goal == Goal::GoBack).then(|| "rolled back by hand".to_owned());
        self.ledger.marks.decided(&change.cause);
        self.end(&change.cause, outcome, previous, reason, at);
    }

    /// The change is taken back: the identity before it stays the current one.
    pub fn roll_back(&mut self, reason: String, at: WallTime) {
        let Some(change) = self.change.take() else { return };
        if !self.current.has_mac() {
            self.link_kept_in = Some(change.boot_id);
        }
        self.counters.rolled_back += 1;
        match change.goal {
            Goal::Install => {
                let previous = self.current.clone();
                self.ledger.marks.decided(&change.cause);
                self.end(&change.cause, Outcome::RolledBack, previous, Some(reason), at);
            }
            // The request that was to be taken back by hand still stands as it was reported.
            Goal::GoBack => self.rollback_undone = Some(bounds::reason(reason)),
        }
    }

    /// The board is already what the request asks for. Nothing was changed, so that alone leaves no
    /// mark of its `seq`.
    pub fn already_installed(&mut self, cause: &Cause, at: WallTime) {
        self.learnt_id = cause.target.id.or(self.learnt_id);
        self.counters.already_installed += 1;
        self.end(cause, Outcome::Installed, self.current.clone(), None, at);
    }

    /// Upstream has acknowledged a report on one route.
    pub fn reported(&mut self, number: u64, route: Route) {
        for entry in self.outbox.iter_mut().filter(|entry| entry.number == number) {
            entry.routes.retain(|owing| *owing != route);
        }
        let before = self.outbox.len();
        self.outbox.retain(|entry| !entry.routes.is_empty());
        self.counters.reported += (before - self.outbox.len()) as u64;
    }

    /// What upstream is told about a request that ended with the current identity in place.
    pub fn report(
        &self,
        cause: &Cause,
        outcome: Outcome,
        previous: Identity,
        reason: Option<String>,
    ) -> Report {
        let identity = self.current.identity.clone();
        Report {
            outcome_identity: Some(identity.clone()),
            intercom: IntercomBody {
                id: cause.target.id.or(self.learnt_id),
                external_id: None,
                department: None,
                title: None,
                mac: Some(identity.mac),
                model: cause.model.clone(),
                serial_number: identity.serial_number,
                status: Some(outcome.to_string()),
                flat_from: None,
                flat_to: None,
                source: Some(SOURCE_AUTO_REPLACE.to_owned()),
                group: None,
            },
            request_id: cause.request_id.clone(),
            issuer: cause.issuer.clone(),
            board: self.board.clone(),
            target: (cause.target != Target::default()).then(|| cause.target.clone()),
            previous,
            factory: self.factory(),
            reason: reason.map(bounds::reason),
            deferred_seconds: None,
            seq_mark: None,
            log_extra: cause.log_extra.clone(),
            message: None,
            errors: None,
            outcomes_not_told: None,
            unclean_ends: self.counters.unclean_ends.filter(|count| *count > 0),
        }
    }

    fn end(
        &mut self,
        cause: &Cause,
        outcome: Outcome,
        previous: Current,
        reason: Option<String>,
        at: WallTime,
    ) {
        let report = self.report(cause, outcome, previous.identity, reason);
        let entry = Entry {
            previous_mac_origin: Some(previous.mac_origin),
            ..Entry::new(cause, report.clone(), at)
        };
        self.ledger.add(entry);
        // The documented PATCH can say that something is installed, and nothing else.
        let says = |route: &Route| *route != Route::Billing || outcome == Outcome::Installed;
        let routes: Vec<Route> = cause.routes.iter().copied().filter(says).collect();
        if !routes.is_empty() {
            self.outbox.push(OutboxEntry { number: self.next_number, report, routes });
            self.next_number += 1;
            self.make_room_in_the_outbox();
        }
    }

    /// The newest report takes the place of the oldest ones, and tells of them and of all before.
    fn make_room_in_the_outbox(&mut self) {
        let reports = self.outbox.iter().map(|entry| &entry.report);
        let fit = bounds::last_that_fit(reports, MAX_OUTBOX, MAX_OUTBOX_BYTES);
        let mut made_room = false;
        for gone in self.outbox.drain(..self.outbox.len() - fit) {
            let last = gone.report.request_id;
            self.counters.unreported += 1;
            let count = self.counters.unreported;
            let before = self.outcomes_not_told.take();
            let first = before.map_or_else(|| last.clone(), |before| before.first);
            self.outcomes_not_told = Some(NotTold { count, first, last });
            made_room = true;
        }
        if let Some(newest) = self.outbox.last_mut().filter(|_| made_room) {
            newest.report.outcomes_not_told.clone_from(&self.outcomes_not_told);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::MacOrigin;

    #[test]
    fn an_outcome_that_had_to_make_room_is_summarised_in_a_later_report() {
        let identity = Identity { mac: "08:00:00:00:00:01".parse().unwrap(), serial_number: None };
        let mac_origin = MacOrigin::Board;
        let current = Current { identity: identity.clone(), mac_origin, serial_origin: None };
        let factory = FactoryIdentity::Known(identity);
        let mut record = Record::new("b".parse().unwrap(), Some(factory), current);
        let id = |number: usize| format!("r-{number}").parse().ok();
        let total = 3 * MAX_OUTBOX + 5;
        let then = WallTime::from_unix_seconds(1_800_000_000);
        for number in 1..=total {
            record.already_installed(&Cause::bare(id(number), vec![Route::Mqtt]), then);
        }
        let gone = total - MAX_OUTBOX;
        assert_eq!(record.outbox.len(), MAX_OUTBOX);
        let told = NotTold { count: gone as u64, first: id(1), last: id(gone) };
        assert_eq!(record.outcomes_not_told.as_ref(), Some(&told));
        let newest = record.outbox.last().map(|entry| &entry.report);
        assert_eq!(newest.and_then(|report| report.outcomes_not_told.as_ref()), Some(&told));
        assert_eq!(
            record.outbox[0].report.request_id,
            id(gone + 1),
            "the rest is reported in full"
        );
        record.outbox.clear();
        record.already_installed(&Cause::bare(id(999), vec![Route::Mqtt]), then);
        assert_eq!(record.outbox[0].report.outcomes_not_told, None, "it took nobody's place");
    }
}
