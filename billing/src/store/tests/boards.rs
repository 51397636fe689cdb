//! Which boards are remembered, for how long, and whose claims are believed.

use intercom_test_support::Database;
use intercom_wire::{BoardName, Identity, Nonce};

use super::{carried, changed, count, in_store, mac};
use crate::offer::UNTIL_FURTHER_NOTICE;
use crate::store::boards;
use crate::store::intercoms::{self, Details, INSTALLED, RecordState};
use crate::store::macs::{self, Believed};
use crate::store::seen::{Channel, Seen};
use crate::store::{Changed, Store, doors, presence};

fn board(name: &str) -> BoardName {
    name.parse().expect("a board")
}

fn seen(name: &str, last: u8, nonce: u64) -> Seen {
    let claim = Some(Identity { mac: mac(last), serial_number: None });
    let channel = Channel::Broker(Some(Nonce::of(nonce)));
    Seen { board: board(name), claim, changing: false, channel }
}

fn present(store: &Store, seen: Seen, now_ms: i64) {
    in_store(store, move |t| presence::present(t, &seen, now_ms, Believed::FirstSight));
}

/// An intercom in its place at that MAC address.
fn door(store: &Store, last: u8) -> i64 {
    in_store(store, move |t| {
        let at = carried(last, &format!("S{last}"));
        let id = intercoms::insert(t, &at, &Details::default(), 1)?;
        let state = RecordState { confirmed: &at, desired: &at, status: INSTALLED, source: "auto" };
        intercoms::set_state(t, id, &state)?;
        Ok(id)
    })
}

fn conflict(store: &Store, name: &str, last: u8) -> bool {
    let name = board(name);
    let claimants = in_store(store, move |t| boards::claiming(t, mac(last), 0));
    !claimants.iter().any(|claimant| claimant.board == name && claimant.is_believed)
}

#[test]
fn a_board_has_one_claim_at_a_time_and_is_there_until_it_says_otherwise() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let changed = || Vec::from_iter(changed(&store));
    assert_eq!(changed(), [], "nothing so far");
    let online = |last, nonce| {
        present(&store, seen("die-1", last, nonce), 10);
        changed()
    };
    let rows = || {
        let text =
            "board || ' ' || mac || ' ' || CASE WHEN present_until_ms > 20 THEN 1 ELSE 0 END";
        let rows = database.rows(&format!("SELECT {text} FROM boards"));
        rows.into_iter().flatten().flatten().collect::<Vec<_>>()
    };
    let there = Changed::Board(board("die-1"));
    assert_eq!(online(1, 1), [there.clone(), Changed::Mac(mac(1))], "news");
    assert_eq!(online(1, 1), [], "known already");
    assert_eq!(online(1, 2), [there.clone(), Changed::Mac(mac(1))], "another nonce");
    let moved = [there.clone(), Changed::Mac(mac(1)), Changed::Mac(mac(2))];
    assert_eq!(online(2, 2), moved, "it carries another one now");
    let changing = Seen { claim: None, changing: true, ..seen("die-1", 2, 3) };
    present(&store, changing, 15);
    assert_eq!(rows(), [format!("die-1 {} 1", mac(2))], "in mid-change its last claim stays");
    changed();
    in_store(&store, |t| presence::gone(t, &board("die-2"), 20));
    assert_eq!(changed(), [], "not that one");
    in_store(&store, |t| presence::gone(t, &board("die-1"), 20));
    assert_eq!(changed(), [there, Changed::Mac(mac(2))]);
    assert_eq!(rows(), [format!("die-1 {} 0", mac(2))]);
}

#[test]
fn a_mac_belongs_to_the_board_that_was_first_seen_with_it() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    present(&store, seen("die-1", 1, 1), 10);
    present(&store, seen("thief", 1, 1), 20);
    assert!(!conflict(&store, "die-1", 1));
    assert!(conflict(&store, "thief", 1));
    in_store(&store, |t| presence::gone(t, &board("die-1"), 30));
    present(&store, seen("thief", 1, 2), 40);
    assert!(conflict(&store, "thief", 1), "also while the first one is away");
    in_store(&store, |t| macs::enrol(t, mac(1), &board("thief"), 50));
    present(&store, seen("thief", 1, 3), 60);
    assert!(!conflict(&store, "thief", 1), "until an operator says otherwise");
}

#[test]
fn a_doors_board_that_claims_another_mac_unasked_is_not_believed() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let id = door(&store, 1);
    present(&store, seen("die-1", 1, 1), 10);
    let of_die_1 = in_store(&store, |t| doors::of_board(t, &board("die-1")));
    assert_eq!(of_die_1.map(|door| door.intercom_id), Some(id), "it was the first there");
    present(&store, seen("die-1", 2, 2), 20);
    assert!(conflict(&store, "die-1", 2));
}

#[test]
fn only_enrolled_boards_are_believed_where_the_operator_wants_it_so() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let shows_itself = |nonce| {
        let seen = seen("die-1", 1, nonce);
        in_store(&store, move |t| presence::present(t, &seen, 10, Believed::Known));
    };
    shows_itself(1);
    assert!(conflict(&store, "die-1", 1));
    in_store(&store, |t| macs::enrol(t, mac(1), &board("die-1"), 20));
    shows_itself(2);
    assert!(!conflict(&store, "die-1", 1));
}

/// As many boards as are kept that are no door's, there until then.
fn fill_with_strangers(database: &Database, until_ms: i64) {
    database.execute(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
         INSERT INTO boards (board, present_since_ms, present_until_ms, stranger, changing)
         SELECT 'stranger-' || n, 0, {until_ms}, 1, 0 FROM n"
    ));
    let strangers = "SELECT count(*) FROM boards WHERE board LIKE 'stranger-%'";
    assert_eq!(database.number(strangers), 10_000);
}

/// A board shows itself; whether that is remembered.
fn appears(database: &Database, store: &Store, last: u8, now_ms: i64) -> bool {
    let name = format!("die-{last}");
    let seen = Seen { channel: Channel::Poll(60_000), ..seen(&name, last, 1) };
    present(store, seen, now_ms);
    database.number(&format!("SELECT count(*) FROM boards WHERE board = '{name}'")) == 1
}

#[test]
fn boards_of_no_door_are_remembered_up_to_a_bound() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    let id = door(&store, 1);
    present(&store, seen("die-1", 1, 1), 10);
    in_store(&store, |t| presence::gone(t, &board("die-1"), 20));
    fill_with_strangers(&database, UNTIL_FURTHER_NOTICE);
    assert!(!appears(&database, &store, 2, 20_000), "one too many");
    assert!(appears(&database, &store, 1, 20_000), "a door's");
    database.execute("DELETE FROM boards WHERE board = 'stranger-1'");
    assert!(appears(&database, &store, 2, 20_000), "there is room");
    assert!(!appears(&database, &store, 3, 20_000), "and none any more");
    in_store(&store, move |t| {
        doors::give(t, &board("die-2"), id, mac(2), Believed::FirstSight, 30_000)
    });
    assert!(!appears(&database, &store, 3, 20_000), "the replaced board is a stranger now");
}

#[test]
fn a_board_that_has_been_gone_for_an_hour_is_forgotten_when_another_appears() {
    let database = Database::new();
    let store = Store::open(&database).expect("a store");
    fill_with_strangers(&database, 1_000);
    assert!(!appears(&database, &store, 1, 1_000 + 3_600_000), "an hour has not passed");
    assert!(appears(&database, &store, 1, 1_001 + 3_600_000));
    assert_eq!(count(&database, "boards"), 1);
}
