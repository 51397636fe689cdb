//! Which boards are remembered, and for how long.

use intercom_wire::{BoardName, Identity, Mac};

use super::{File, carried, count, file, in_store, mac, outside, promise_the_second};
use crate::offer::UNTIL_FURTHER_NOTICE;
use crate::replacement::Carried;
use crate::store::boards::{self, Seen};
use crate::store::intercoms::{self, Details};
use crate::store::{Changed, Store};

#[test]
fn a_board_has_one_mac_at_a_time_and_is_present_until_it_says_otherwise() {
    let file = file();
    let store = Store::open(&file.path).expect("a store");
    let name: BoardName = "die-1".parse().expect("a board");
    let other: Option<BoardName> = "die-2".parse().ok();
    let changed = || Vec::from_iter(store.changes().take());
    let online = |last, board: Option<&BoardName>| {
        let seen = Seen { mac: mac(last), board: board.cloned(), until_ms: UNTIL_FURTHER_NOTICE };
        in_store(&store, move |t| boards::present(t, &seen, 10));
        changed()
    };
    let offline = |last, board: Option<&BoardName>| {
        let board = board.cloned();
        in_store(&store, move |t| boards::gone(t, mac(last), board.as_ref(), 20));
        changed()
    };
    let rows = || {
        outside(&file)
            .prepare("SELECT mac || ' ' || board || ' ' || (present_until_ms > 20) FROM boards")
            .and_then(|mut all| all.query_map([], |row| row.get::<_, String>(0))?.collect())
            .unwrap_or_else(|why| vec![why.to_string()])
    };
    assert_eq!(online(1, Some(&name)), [Changed::Board(mac(1))], "news");
    assert_eq!(online(1, Some(&name)), [], "known already");
    assert_eq!(online(1, None), [], "the same board, without its name");
    let moved = [Changed::Board(mac(1)), Changed::Board(mac(2))];
    assert_eq!(online(2, Some(&name)), moved, "it has another MAC now");
    assert_eq!(rows(), [format!("{} die-1 1", mac(2))]);
    assert_eq!(offline(2, other.as_ref()), [], "not that one");
    assert_eq!(offline(2, Some(&name)), [Changed::Board(mac(2))]);
    assert_eq!(rows(), [format!("{} die-1 0", mac(2))]);
}

/// As many boards without an intercom as are kept, present until then.
fn fill_with_strangers(file: &File, until_ms: i64) {
    let made = outside(file).execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
         INSERT INTO boards (mac, present_until_ms, stranger)
         SELECT printf('02:00:00:00:%02X:%02X', n / 256, n % 256), ?1, 1 FROM n",
        [until_ms],
    );
    assert_eq!(made, Ok(10_000));
}

/// A board shows itself; whether that is remembered.
fn appears(file: &File, store: &Store, last: u8, now_ms: i64) -> bool {
    let seen = Seen { mac: mac(last), board: None, until_ms: now_ms + 180_000 };
    in_store(store, move |t| boards::present(t, &seen, now_ms));
    let is_kept = "SELECT EXISTS (SELECT 1 FROM boards WHERE mac = ?1)";
    outside(file).query_row(is_kept, [mac(last).to_string()], |row| row.get(0)).expect("a row")
}

#[test]
fn boards_without_an_intercom_are_remembered_up_to_a_bound_and_an_intercoms_board_always() {
    let file = file();
    let store = Store::open(&file.path).expect("a store");
    fill_with_strangers(&file, UNTIL_FURTHER_NOTICE);
    let appears = |last| appears(&file, &store, last, 20_000);
    assert!(!appears(1), "one too many");
    assert_eq!(count(&file, "boards"), 10_000);
    let id =
        in_store(&store, move |t| intercoms::insert(t, &carried(1, "S1"), &Details::default(), 1));
    assert!(appears(1), "an intercom's");
    promise_the_second(&store, id);
    assert!(appears(2), "one that an intercom is promised");
    assert!(!appears(3), "still one too many");
    let known = carried(0, "S0").identity;
    let of_a_stranger = Mac::try_from([2, 0, 0, 0, 0, 1]).expect("a MAC");
    let identity = Identity { mac: of_a_stranger, ..known };
    let carried = Carried { identity, model: None };
    in_store(&store, move |t| intercoms::insert(t, &carried, &Details::default(), 1));
    assert!(appears(3), "there is room: one of them is an intercom's by now");
}

#[test]
fn a_board_that_has_been_gone_for_an_hour_is_forgotten_when_another_appears() {
    let file = file();
    let store = Store::open(&file.path).expect("a store");
    fill_with_strangers(&file, 1_000);
    assert!(!appears(&file, &store, 1, 1_000 + 3_600_000), "an hour has not passed");
    assert!(appears(&file, &store, 1, 1_001 + 3_600_000));
    assert_eq!(count(&file, "boards"), 1);
}
