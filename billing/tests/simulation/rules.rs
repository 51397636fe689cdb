//! What must hold after each step, whatever was said by whom. README.md has the rules by their numbers.

use intercom_billing::mqtt::conversation::Message;
use intercom_wire::{BoardName, Identity, Mac, Outcome, Presence, Report, RequestBody, topics};
use serde_json::Value;

use super::billing::addressee;
use super::host::{short, unix_ms};
use super::watch::{Intercom, Tables};
use super::world::World;

/// What billing was told, or does, in one step.
#[derive(Debug)]
pub enum Cause {
    Nothing,
    Connect,
    Plan,
    Operator,
    Presence(BoardName, Box<Presence>),
    Poll(BoardName, Identity),
    /// From this board, by its channel.
    Report(BoardName, Box<Report>),
}

impl World {
    /// A board has deferred a request.
    pub fn take_note(&mut self, cause: &Cause) {
        if let Cause::Report(board, report) = cause
            && report.is_deferred()
            && let Some(request_id) = &report.request_id
        {
            let for_ms = i64::try_from(report.deferred_seconds.unwrap_or(0)).unwrap_or(0) * 1000;
            let until_ms = unix_ms(self.now()) + for_ms;
            self.watch.deferred.insert((request_id.clone(), board.clone()), until_ms);
        }
    }

    /// Rules 2, 4, 5, 7 and 11: what has changed in billing's tables by this cause.
    pub fn check_after(&mut self, cause: &Cause) {
        let database = &self.service.database;
        let version = database.query_row("PRAGMA data_version", [], |row| row.get(0));
        let version: i64 = version.expect("a version");
        let before = match version == self.watch.version {
            true => self.watch.tables.clone(),
            false => {
                let after = Tables::read(database).expect("the tables");
                self.watch.version = version;
                std::mem::replace(&mut self.watch.tables, after)
            }
        };
        if self.is_told_again(&before, cause) {
            self.check_told_again(&before, cause);
        } else {
            self.check_late(&before, cause);
            self.check_carries(&before, cause);
        }
        if before == self.watch.tables {
            return;
        }
        let after = self.watch.tables.clone();
        self.check_swaps(&before, &after);
        for (id, intercom) in &after.intercoms {
            if let Some(old) = before.intercoms.get(id) {
                self.check_confirmed(&before, (*id, old, intercom), cause);
                self.check_board(&before, (*id, old, intercom), cause);
                if intercom.is_deleted && !old.is_deleted {
                    self.check_deleted(&before, *id, cause);
                }
            }
        }
        for (mac, owner) in &after.macs {
            let old = before.macs.get(mac).map(|owner| &owner.board);
            self.check_owner(&before, *mac, old, &owner.board, cause);
        }
        for (request_id, request) in &after.requests {
            let was_pending = before.requests.get(request_id).is_none_or(|r| r.state == "pending");
            if was_pending && request.reason.as_deref() == Some("no answer") {
                self.check_no_answer(&before, request_id);
            }
        }
        if matches!(cause, Cause::Plan) {
            self.check_struck_out(&after);
        }
    }

    /// Whether this cause is an `installed` of a board that was offered its request, and of what was
    /// asked for.
    pub fn is_installed(&self, before: &Tables, id: i64, cause: &Cause) -> bool {
        let Cause::Report(board, report) = cause else { return false };
        let Some(request_id) = &report.request_id else { return false };
        let was_offered = self.watch.offered.contains_key(&(request_id.clone(), board.clone()));
        let request = before.requests.get(request_id);
        report.outcome() == Some(Outcome::Installed)
            && was_offered
            && request
                .is_some_and(|request| request.intercom == id && !before.is_overtaken(request))
    }

    /// Whether it is a report of the door's own board, which may say what that carries.
    fn is_of_the_door(before: &Intercom, cause: &Cause) -> bool {
        matches!(cause, Cause::Report(board, _) if before.board.as_ref() == Some(board))
    }

    /// Rule 2: a door's identity.
    fn check_confirmed(
        &mut self,
        before: &Tables,
        (id, old, new): (i64, &Intercom, &Intercom),
        cause: &Cause,
    ) {
        if old.confirmed == new.confirmed || matches!(cause, Cause::Operator) {
            return;
        }
        let Cause::Report(board, report) = cause else {
            return self.broke(2, format!("intercom {id} is at {}, by {cause:?}", new.confirmed));
        };
        let installed =
            self.is_installed(before, id, cause) || self.is_exchanged(before, id, cause);
        let by_hand = report.issuer.is_none() && Self::is_of_the_door(old, cause);
        let known = report
            .request_id
            .as_ref()
            .and_then(|request_id| self.watch.offered.get(&(request_id.clone(), board.clone())));
        // Its board says what it carries, which was asked for once.
        let found = Self::is_of_the_door(old, cause)
            && known.is_some()
            && (before.was_asked_for(id, new.confirmed.mac)
                || report.outcome() == Some(Outcome::RolledBack));
        if !(installed || by_hand || found) {
            let what = format!("intercom {id} is at {} by the word of {board}", new.confirmed);
            self.broke(2, format!("{what}, which was not offered {:?}", report.request_id));
        }
    }

    /// Rule 2: a door's board.
    fn check_board(
        &mut self,
        before: &Tables,
        (id, old, new): (i64, &Intercom, &Intercom),
        cause: &Cause,
    ) {
        if old.board == new.board || new.is_spare || matches!(cause, Cause::Operator) {
            return;
        }
        let Some(board) = &new.board else {
            // It is the board of another door now.
            let moved = matches!(cause, Cause::Report(by, _) if old.board.as_ref() == Some(by));
            if !moved {
                self.broke(2, format!("intercom {id} has lost its board by {cause:?}"));
            }
            return;
        };
        let is_seen = match cause {
            Cause::Presence(by, presence) => {
                by == board && presence.claim().is_some_and(|own| own.mac == new.confirmed.mac)
            }
            Cause::Poll(by, own) => by == board && own.mac == new.confirmed.mac,
            _ => false,
        };
        let adopted = old.board.is_none() && is_seen;
        let is_given = self.is_installed(before, id, cause) || self.is_exchanged(before, id, cause);
        if !(adopted || is_given) {
            self.broke(2, format!("{board} is the board of intercom {id} by {cause:?}"));
        }
    }

    /// Rule 2: a record is deleted because a replacement that was asked for has taken its place, or
    /// by an operator.
    fn check_deleted(&mut self, before: &Tables, id: i64, cause: &Cause) {
        let Cause::Report(board, report) = cause else { return };
        let request = report.request_id.as_ref().and_then(|id| before.requests.get(id));
        let is_asked = request.is_some_and(|own| self.is_installed(before, own.intercom, cause));
        if !is_asked {
            self.broke(2, format!("intercom {id} is deleted by an unasked report of {board}"));
        }
    }

    /// Rule 4: whose a MAC address is.
    fn check_owner(
        &mut self,
        before: &Tables,
        mac: Mac,
        old: Option<&BoardName>,
        board: &BoardName,
        cause: &Cause,
    ) {
        if old == Some(board) || matches!(cause, Cause::Operator) {
            return;
        }
        let speaks = match cause {
            Cause::Presence(by, presence) => {
                by == board && presence.claim().is_none_or(|own| own.mac == mac)
            }
            Cause::Poll(by, own) => by == board && own.mac == mac,
            _ => false,
        };
        let given = match cause {
            Cause::Report(by, report) => {
                let by_hand =
                    report.issuer.is_none() && old.is_none() && before.door_of(by).is_some();
                let id = report.request_id.as_ref();
                let intercom = id.and_then(|id| before.requests.get(id)).map(|r| r.intercom);
                by == board
                    && (by_hand || intercom.is_some_and(|id| self.is_installed(before, id, cause)))
            }
            _ => false,
        };
        // The board of the other door of a swap has confirmed before.
        let exchanged = self
            .watch
            .tables
            .door_of(board)
            .is_some_and(|(id, _)| self.is_exchanged(before, id, cause));
        if !(given || exchanged || (old.is_none() && speaks)) {
            self.broke(4, format!("{mac} is {board}'s and was {old:?}'s, by {cause:?}"));
        }
    }

    /// Rule 5: whoever is not offered a request any more is struck out.
    fn check_struck_out(&mut self, after: &Tables) {
        for request_id in after.requests.keys() {
            if after.open.iter().filter(|(open, _)| open == request_id).count() > 1 {
                self.broke(5, format!("{} is offered to two boards", short(request_id.as_str())));
            }
        }
    }

    /// Rule 5: each message that billing publishes.
    pub fn check_said(&mut self, message: &Message) {
        let named = message.topic.strip_prefix("intercoms/by-board/");
        if let Some(board) = named.and_then(|rest| rest.strip_suffix("/who")) {
            let board: BoardName = board.parse().expect("a board");
            // One that is only silent about an offer counts as there all the same.
            if self.keeps_one_waiting(&board) {
                self.watch.book.asks(&board, unix_ms(self.now()));
            }
            return;
        }
        let Some(board) = addressee(&message.topic).filter(|_| !message.payload.is_empty()) else {
            return;
        };
        let body: Value = serde_json::from_slice(&message.payload).expect("JSON");
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let Some(request_id) = text("request_id").and_then(|id| id.parse().ok()) else { return };
        let nonce = text("nonce").and_then(|nonce| nonce.parse().ok());
        self.check_offer(&board, &request_id, nonce.as_ref());
    }

    pub fn check_listed(&mut self, board: &BoardName, request: &RequestBody) {
        self.check_turn(board, &request.request_id);
    }

    /// Rule 6: a report under billing's issuer is answered at once. `before` is how many messages
    /// billing had published until then.
    pub fn check_answered(&mut self, cause: &Cause, before: u64) {
        let Cause::Report(board, report) = cause else { return };
        let is_ours = report.issuer.as_ref().is_none_or(|issuer| issuer.as_str() == "billing");
        let Some(request_id) = report.request_id.as_ref().filter(|_| is_ours) else { return };
        if report.is_deferred() || self.service.published > before {
            return;
        }
        let topic = topics::patch_by_board(board, request_id);
        self.broke(6, format!("a report of {board} has no answer on {topic}"));
    }
}
