//! Rule 12: two panels that have changed places.

use intercom_wire::{BoardName, Mac, Outcome, RequestId};

use super::actions::Action;
use super::host::short;
use super::plan::mac;
use super::rules::Cause;
use super::scenarios::{MINUTE, city, patch, told, two_panels_have_changed_places};
use super::watch::{Request, Tables};
use super::world::World;

impl Tables {
    /// The other request of the swap that a pending one is a half of.
    fn other_half(&self, request_id: &RequestId) -> Option<(&RequestId, &Request)> {
        let half = self.swaps.get(request_id)?;
        let own = self.requests.get(request_id)?.intercom;
        self.requests.iter().find(|(other_id, other)| {
            other.intercom == half.with
                && other.state == "pending"
                && self.swaps.get(*other_id).is_some_and(|other| other.with == own)
        })
    }
}

impl World {
    /// Whether an intercom changes by this cause because both boards of its swap have confirmed: the
    /// other one before, and this one now. Each was offered its request.
    pub fn is_exchanged(&self, before: &Tables, id: i64, cause: &Cause) -> bool {
        let Cause::Report(board, report) = cause else { return false };
        let Some(request_id) = &report.request_id else { return false };
        let Some((other_id, other)) = before.other_half(request_id) else { return false };
        let confirmed = &before.swaps[other_id].confirmed_by;
        let was_offered = |request_id: &RequestId, board: &BoardName| {
            self.watch.offered.contains_key(&(request_id.clone(), board.clone()))
        };
        report.outcome() == Some(Outcome::Installed)
            && was_offered(request_id, board)
            && confirmed.as_ref().is_some_and(|board| was_offered(other_id, board))
            && [before.requests[request_id].intercom, other.intercom].contains(&id)
    }

    /// Both requests of a swap are installed in one step, and each record has what the other had.
    pub fn check_swaps(&mut self, before: &Tables, after: &Tables) {
        let mut broken = Vec::new();
        for (request_id, half) in &after.swaps {
            let request = &after.requests[request_id];
            let was_pending =
                before.requests.get(request_id).is_some_and(|old| old.state == "pending");
            if request.state != "installed" || !was_pending {
                continue;
            }
            let is_both = before
                .other_half(request_id)
                .is_some_and(|(other, _)| after.requests[other].state == "installed");
            let (own, with) = (&after.intercoms[&request.intercom], &before.intercoms[&half.with]);
            if !is_both || own.confirmed != with.confirmed || own.board != with.board {
                broken.push(format!("{} is installed alone", short(request_id.as_str())));
            }
        }
        for what in broken {
            self.broke(12, what);
        }
    }

    /// Whether a half may be offered to a board: it is the other door's and has the MAC address.
    pub fn is_not_the_others(
        &self,
        board: &BoardName,
        request_id: &RequestId,
        mac: Mac,
        now_ms: i64,
    ) -> Option<String> {
        let half = self.watch.tables.swaps.get(request_id)?;
        let other = &self.watch.tables.intercoms[&half.with];
        let has_it = self.watch.book.claims.get(board).is_some_and(|claim| {
            claim.is_there(now_ms) && claim.identity.as_ref().is_some_and(|own| own.mac == mac)
        });
        let is_others = other.board.as_ref() == Some(board) && has_it;
        (!is_others || half.confirmed_by.is_some())
            .then(|| "and is not the other door's board with its MAC address".to_owned())
    }
}

/// What both doors are known to carry in the end.
fn confirmed(world: &World) -> [Mac; 2] {
    assert_eq!(world.watch.broken, Vec::<String>::new());
    [1, 2].map(|id| world.watch.tables.intercoms[&id].confirmed.mac)
}

#[test]
fn two_panels_that_have_changed_places_are_exchanged() {
    let world = two_panels_have_changed_places(city());
    assert_eq!(confirmed(&world), [mac(2), mac(1)]);
    let boards = [1, 2].map(|id| world.watch.tables.intercoms[&id].board.clone());
    assert_eq!(boards.map(|board| board.expect("a board").to_string()), ["door-2", "door-1"]);
    assert_eq!([0, 1].map(|panel| world.panels[panel].link_mac()), [mac(1), mac(2)]);
}

#[test]
fn a_swap_waits_for_the_panel_that_goes_away_and_is_exchanged_when_it_comes_back() {
    let mut world = city();
    world.script(5 * MINUTE - 1, Action::Unplug(1));
    let script = vec![(5, Action::Swap(1, 2)), (20, Action::PlugIn(1))];
    assert_eq!(confirmed(&told(world, script)), [mac(2), mac(1)]);
}

#[test]
fn a_swap_survives_a_restart_of_billing_at_any_moment() {
    for after in (1..400).step_by(20) {
        let mut world = city();
        world.script(5 * MINUTE + after, Action::RestartBilling(30_000));
        let world = told(world, vec![(5, Action::Swap(1, 2))]);
        assert_eq!(confirmed(&world), [mac(2), mac(1)], "after {after} ms");
    }
}

#[test]
fn a_patch_ends_a_swap_for_both_doors() {
    let mut world = city();
    world.script(5 * MINUTE, Action::Unplug(1));
    let script = vec![(5, Action::Swap(1, 2)), (7, patch(21)), (20, Action::PlugIn(1))];
    assert_eq!(confirmed(&told(world, script)), [mac(21), mac(2)]);
}

#[test]
fn exchanged_doors_take_other_identities_as_any_other_door() {
    let script = vec![(5, Action::Swap(1, 2)), (10, patch(21)), (15, Action::Swap(2, 1))];
    assert_eq!(confirmed(&told(city(), script)), [mac(1), mac(21)]);
}
