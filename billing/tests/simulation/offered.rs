//! Rule 5: who is offered a request, read again from the documentation and from what the boards have
//! said, without billing's own rule.

use intercom_billing::store::macs::Believed;
use intercom_wire::{BoardName, Mac, Nonce, RequestId};

use super::host::{short, unix_ms};
use super::service::GRACE_MS;
use super::watch::{Claim, Request};
use super::world::World;

/// How long boards have at least to come back after billing or the broker was away: the longest pause
/// between two attempts of a panel's to connect.
const COMES_BACK_WITHIN_MS: i64 = 120_000;
const POLLS_MS: i64 = 180_000;

impl World {
    /// Billing says over the broker that a request is this board's.
    pub fn check_offer(
        &mut self,
        board: &BoardName,
        request_id: &RequestId,
        nonce: Option<&Nonce>,
    ) {
        let claim = self.watch.book.claims.get(board).cloned();
        let Some(claim) = claim.filter(|claim| claim.nonce.is_some() && !claim.changing) else {
            return self.broke(5, format!("{board} is offered a request and is not there"));
        };
        if nonce != claim.nonce.as_ref() {
            let what = "is offered a request without the nonce of its presence";
            return self.broke(5, format!("{board} {what}"));
        }
        let offer = nonce.map(|nonce| (request_id.clone(), board.clone(), nonce.to_string()));
        self.watch.offers.extend(offer);
        self.check_turn(board, request_id);
    }

    /// Whether a request may be this board's, over whatever route.
    pub fn check_turn(&mut self, board: &BoardName, request_id: &RequestId) {
        let now_ms = unix_ms(self.now());
        let first = (request_id.clone(), board.clone());
        let had_it = self.watch.offered.contains_key(&first);
        if let Some(why) = self.not_its_turn(board, request_id, had_it, now_ms) {
            self.broke(5, format!("{board} is offered {}, {why}", short(request_id.as_str())));
        }
        self.watch.offered.entry(first).or_insert(now_ms);
    }

    fn not_its_turn(
        &self,
        board: &BoardName,
        request_id: &RequestId,
        had_it: bool,
        now_ms: i64,
    ) -> Option<String> {
        let tables = &self.watch.tables;
        let Some(request) = tables.requests.get(request_id) else { return Some("unknown".into()) };
        if request.state != "pending" {
            return Some(format!("which has ended: {}", request.state));
        }
        if let Some(mac) = request.new_mac
            && tables.swaps.contains_key(request_id)
        {
            return self.is_not_the_others(board, request_id, mac, now_ms);
        }
        let door = &tables.intercoms[&request.intercom];
        let is_doors = door.board.is_none() || door.board.as_ref() == Some(board);
        let Some(mac) = request.new_mac.filter(|mac| *mac != door.confirmed.mac) else {
            return (!is_doors).then(|| "and is not the board of the door".to_owned());
        };
        let believed = |(other, _): &(&BoardName, &Claim)| self.is_believed(other, mac);
        let claimants: Vec<_> = self.watch.book.claiming(mac).filter(believed).collect();
        if claimants.iter().any(|(other, claim)| *other == board && claim.is_there(now_ms)) {
            return self.is_no_replacement(board, request);
        }
        let there = |(_, claim): &&(&BoardName, &Claim)| claim.is_surely_there(now_ms);
        if let Some((other, _)) = claimants.iter().find(there) {
            return Some(format!("and {other} is there with the new MAC address"));
        }
        if !is_doors {
            return Some("and is neither the replacement nor the board of the door".to_owned());
        }
        if self.is_spares(mac) && !request.for_the_door {
            return Some("which waits for a spare".to_owned());
        }
        let ends_ms = self.grace_ends(request, mac, &claimants, had_it);
        (now_ms < ends_ms).then(|| format!("{} ms before the grace time is over", ends_ms - now_ms))
    }

    /// Whether a board is the first of those that are there with a new MAC address, of which none may
    /// have the request: it is asked whether it is still there.
    pub fn keeps_one_waiting(&self, board: &BoardName) -> bool {
        let now_ms = unix_ms(self.now());
        let tables = &self.watch.tables;
        let is_kept = |request: &Request, mac: Mac| {
            let is_there = |(other, claim): &(&BoardName, &Claim)| {
                claim.is_there(now_ms) && self.is_believed(other, mac)
            };
            let there: Vec<_> = self.watch.book.claiming(mac).filter(is_there).collect();
            there.first().is_some_and(|(first, _)| *first == board)
                && there.iter().all(|(other, _)| self.is_no_replacement(other, request).is_some())
        };
        tables.requests.iter().any(|(request_id, request)| {
            let confirmed = tables.intercoms[&request.intercom].confirmed.mac;
            request.state == "pending"
                && !tables.swaps.contains_key(request_id)
                && request.new_mac.is_some_and(|mac| mac != confirmed && is_kept(request, mac))
        })
    }

    /// A board that is there with the new MAC address, and must not have the request.
    fn is_no_replacement(&self, board: &BoardName, request: &Request) -> Option<String> {
        let tables = &self.watch.tables;
        let door = &tables.intercoms[&request.intercom];
        if tables.door_of(board).is_some_and(|(id, _)| id != request.intercom) {
            return Some("and belongs to another door".to_owned());
        }
        let claim = self.watch.book.claims[board].identity.as_ref();
        let own = claim.and_then(|own| own.serial_number.as_ref()).map(|own| own.as_str());
        let contradicts = matches!(
            (own, request.new_serial_number.as_deref()), (Some(own), Some(asked)) if own != asked
        );
        (contradicts && door.board.as_ref() != Some(board))
            .then(|| "and contradicts the serial number".to_owned())
    }

    /// Whether a MAC address is the board's that claims it.
    pub fn is_believed(&self, board: &BoardName, mac: Mac) -> bool {
        let tables = &self.watch.tables;
        match tables.door_of(board) {
            Some((id, door)) => door.confirmed.mac == mac || tables.was_asked_for(id, mac),
            None => self.owns(board, mac),
        }
    }

    /// Whether a MAC address is the board's that was first seen with it, or enrolled where it must be.
    pub fn owns(&self, board: &BoardName, mac: Mac) -> bool {
        match self.watch.tables.macs.get(&mac) {
            Some(owner) if self.service.believed == Believed::Known => {
                owner.board == *board && owner.is_enrolled
            }
            Some(owner) => owner.board == *board,
            None => self.service.believed == Believed::FirstSight,
        }
    }

    fn is_spares(&self, mac: Mac) -> bool {
        let tables = &self.watch.tables;
        let own_record = tables.intercoms.values().any(|intercom| {
            intercom.is_spare && !intercom.is_deleted && intercom.confirmed.mac == mac
        });
        own_record || tables.macs.get(&mac).is_some_and(|owner| !owner.is_of_a_door)
    }

    fn grace_ends(
        &self,
        request: &Request,
        mac: Mac,
        claimants: &[(&BoardName, &Claim)],
        had_it: bool,
    ) -> i64 {
        let book = &self.watch.book;
        let tables = &self.watch.tables;
        let door = &tables.intercoms[&request.intercom].board;
        // Nobody waits for the door's board to show itself with what it had before.
        let other = tables.macs.get(&mac).filter(|owner| Some(&owner.board) != door.as_ref());
        let owner = other.map(|owner| (mac, owner.board.clone()));
        let polls_ms =
            if owner.is_some_and(|own| book.polled.contains(&own)) { POLLS_MS } else { 0 };
        let grace_ms = GRACE_MS.max(polls_ms);
        // A poll may not be written down that prolongs the presence by less than half a minute.
        let slack_ms = if polls_ms > 0 { 30_000 } else { 0 };
        let left_ms = claimants.iter().map(|(_, claim)| claim.until_ms - slack_ms).max();
        let ends_ms = request.asked_ms.max(left_ms.unwrap_or(0)) + grace_ms;
        if request.asked_ms >= book.since_ms || had_it {
            return ends_ms;
        }
        ends_ms.max(book.since_ms + grace_ms.max(COMES_BACK_WITHIN_MS))
    }
}
