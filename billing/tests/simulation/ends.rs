//! Rules 7 and 11: how a request ends by silence, and what a report tells that comes late or says no.

use intercom_wire::{BoardName, Outcome, RequestId};

use super::host::{short, unix_ms};
use super::rules::Cause;
use super::watch::Tables;
use super::world::World;

/// How long a board that is there may leave a request without an answer.
const ANSWER_MS: i64 = 1_800_000;

impl World {
    /// Whether the same was reported before of a request that has ended since. From now on it was.
    pub fn is_told_again(&mut self, before: &Tables, cause: &Cause) -> bool {
        let Cause::Report(board, report) = cause else { return false };
        let Some(request_id) = &report.request_id else { return false };
        let status = report.intercom.status.clone();
        let told = (request_id.clone(), board.clone(), report.intercom.mac, status);
        let is_new = self.watch.reported.insert(told);
        let request = before.requests.get(request_id);
        !is_new && request.is_some_and(|request| request.state != "pending")
    }

    /// Rule 11: what is told again changes nothing.
    pub fn check_told_again(&mut self, before: &Tables, cause: &Cause) {
        if before.intercoms != self.watch.tables.intercoms {
            self.broke(11, format!("what was told before changes an intercom: {cause:?}"));
        }
    }

    /// Rule 11: an `installed` counts however its request has ended, unless a later one was installed.
    pub fn check_late(&mut self, before: &Tables, cause: &Cause) {
        let Cause::Report(board, report) = cause else { return };
        let Some(request) = report.request_id.as_ref().and_then(|id| before.requests.get(id))
        else {
            return;
        };
        let id = request.intercom;
        let carries_it = report.intercom.mac == Some(request.to.mac)
            && report.intercom.serial_number == request.to.serial_number;
        let door = &self.watch.tables.intercoms[&id];
        let is_overtaken = before.is_overtaken(request);
        if is_overtaken
            && door.confirmed != before.intercoms[&id].confirmed
            && door.confirmed.mac == request.to.mac
        {
            let what = "is back at what a later request has overtaken";
            return self.broke(11, format!("intercom {id} {what}, by {board}"));
        }
        // A half of a swap is worth nothing alone.
        if before.swaps.contains_key(report.request_id.as_ref().expect("a request")) {
            return;
        }
        let is_repeated = request.state == "installed";
        if !self.is_installed(before, id, cause) || !carries_it || is_repeated || door.is_deleted {
            return;
        }
        if door.confirmed != request.to && !before.is_taken(id, &request.to) {
            let what = format!("{board} has installed {}, and intercom {id} is", request.to);
            self.broke(11, format!("{what} at {}", door.confirmed));
        }
    }

    /// Rule 11: whatever else the newest request ends with, its report tells what the door's board
    /// carries.
    pub fn check_carries(&mut self, before: &Tables, cause: &Cause) {
        let Cause::Report(board, report) = cause else { return };
        let (Some(request_id), Some(carried)) = (&report.request_id, report.carried()) else {
            return;
        };
        let Some(request) = before.requests.get(request_id) else { return };
        let id = request.intercom;
        let ends_otherwise = report.outcome().is_some_and(|outcome| outcome != Outcome::Installed);
        let is_open = ["pending", "rejected", "rolled_back", "failed"].contains(&&*request.state)
            && before.is_newest(request)
            && report.seq_mark.is_none();
        let is_the_doors = before.door_of(board).is_some_and(|(door, _)| door == id);
        let was_offered = self.watch.offered.contains_key(&(request_id.clone(), board.clone()));
        let may_have_it =
            before.was_asked_for(id, carried.mac) && !before.is_anothers(id, &carried);
        if !(ends_otherwise && is_open && is_the_doors && was_offered && may_have_it) {
            return;
        }
        let confirmed = &self.watch.tables.intercoms[&id].confirmed;
        if confirmed.mac != carried.mac {
            let what = format!("{board} carries {carried}, and intercom {id} is at {confirmed}");
            self.broke(11, what);
        }
    }

    /// Rule 7: only silence ends a request so.
    pub fn check_no_answer(&mut self, before: &Tables, request_id: &RequestId) {
        let now_ms = unix_ms(self.now());
        let open = before.open.iter().filter(|(open, _)| open == request_id);
        let boards: Vec<_> = open.map(|(_, board)| board.clone()).collect();
        for board in boards {
            let key = (request_id.clone(), board.clone());
            let offered_ms = self.watch.offered.get(&key).copied().unwrap_or(now_ms);
            let deferred_ms = self.watch.deferred.get(&key).copied().unwrap_or(0);
            let claim = self.watch.book.claims.get(&board);
            let there_ms = claim.map_or(now_ms, |claim| claim.since_ms);
            let silent_ms = now_ms - offered_ms.max(deferred_ms).max(there_ms);
            let id = short(request_id.as_str());
            if silent_ms < ANSWER_MS {
                let what = format!("{board} was silent for {} s", silent_ms / 1000);
                self.broke(7, format!("{id}: no answer, and {what}"));
            } else if self.answers(&board) {
                self.broke(7, format!("{id}: no answer, and {board} is there and answers"));
            }
        }
    }

    /// Whether it is a panel that has been reached for as long as it had to answer.
    fn answers(&self, board: &BoardName) -> bool {
        let now = self.now();
        let mut own = self.panels.iter().filter(|panel| panel.name == *board);
        let (Some(panel), None) = (own.next(), own.next()) else { return false };
        let since = panel.mqtt.since + u64::try_from(ANSWER_MS).unwrap_or(0);
        panel.is_on_line() && panel.mqtt.is_reached && since < now && !panel.is_busy
    }
}
