//! Whose turn a request is at, and when that may change.

use intercom_wire::{BoardName, Mac};

use super::{Claimant, Half, Rule, Turn, UNTIL_FURTHER_NOTICE, Waiting};
use crate::schedule::{QuietHours, Schedule};

const RULE: Rule = Rule { grace_ms: 5_000, since_ms: 0 };
const SPARE: &str = "22:0D:CE:38:E7:15";
const OLD: &str = "AA:BB:CC:DD:EE:FF";

fn mac(text: &str) -> Mac {
    text.parse().expect("a MAC")
}

fn board(name: &str) -> BoardName {
    name.parse().expect("a board")
}

fn door() -> Turn {
    Turn::Door(Some(board("old")))
}

fn claimant(until_ms: i64) -> Claimant {
    Claimant {
        board: board("spare"),
        serial_number: "S2".parse().ok(),
        until_ms,
        is_believed: true,
        is_of_another_door: false,
    }
}

fn waiting(claimants: &[Claimant]) -> Waiting {
    Waiting {
        new_mac: Some(mac(SPARE)),
        new_serial_number: "S2".parse().ok(),
        confirmed_mac: mac(OLD),
        asked_ms: 10_000,
        door: Some(board("old")),
        twins_until_ms: None,
        claimants: claimants.to_vec(),
        is_spares: false,
        polls_every_ms: None,
        is_for_the_door: false,
        is_offered_to_the_door: false,
        half: None,
        schedule: Schedule::default(),
    }
}

#[test]
fn without_a_replacement_the_doors_board_is_asked_after_the_grace_time() {
    let request = waiting(&[]);
    assert_eq!(RULE.turn(&request, 14_999), Turn::Grace(15_000));
    assert_eq!(RULE.next_turn(&request, 14_999), Some(15_000));
    assert_eq!(RULE.turn(&request, 15_000), door());
}

#[test]
fn nothing_is_offered_to_two_boards_with_one_name() {
    let twins = Waiting { twins_until_ms: Some(90_000), ..waiting(&[]) };
    assert_eq!(RULE.turn(&twins, 15_000), Turn::Twins(board("old")));
    assert_eq!(RULE.next_turn(&twins, 15_000), Some(90_000));
    let without_mac = Waiting { new_mac: None, ..twins.clone() };
    assert_eq!(RULE.turn(&without_mac, 10_000), Turn::Twins(board("old")));
    assert_eq!(RULE.turn(&twins, 90_000), door());
}

#[test]
fn while_the_replacement_is_there_it_alone_is_asked() {
    let request = waiting(&[claimant(UNTIL_FURTHER_NOTICE)]);
    assert_eq!(RULE.turn(&request, i64::MAX - 1), Turn::Replacement(board("spare")));
    assert_eq!(RULE.next_turn(&request, 0), None);
}

#[test]
fn when_the_replacement_goes_away_the_grace_time_starts_again() {
    let request = waiting(&[claimant(60_000)]);
    assert_eq!(RULE.next_turn(&request, 20_000), Some(60_000));
    assert_eq!(RULE.turn(&request, 60_000), Turn::Grace(65_000));
    assert_eq!(RULE.turn(&request, 65_000), door());
}

#[test]
fn a_known_spare_that_is_not_there_is_waited_for_until_an_operator_says_otherwise() {
    let request = Waiting { is_spares: true, ..waiting(&[]) };
    assert_eq!(RULE.turn(&request, i64::MAX), Turn::Spare);
    let by_word = Waiting { is_for_the_door: true, ..request };
    assert_eq!(RULE.turn(&by_word, 15_000), door());
}

#[test]
fn who_claims_the_mac_and_is_not_the_replacement_keeps_everybody_waiting() {
    let good = claimant(UNTIL_FURTHER_NOTICE);
    for wrong in [
        Claimant { is_of_another_door: true, ..good.clone() },
        Claimant { serial_number: "S3".parse().ok(), ..good.clone() },
    ] {
        let turn = RULE.turn(&waiting(std::slice::from_ref(&wrong)), 99_000);
        assert_eq!(turn, Turn::Conflict(board("spare")), "{wrong:?}");
    }
    let liar = Claimant { is_believed: false, ..good.clone() };
    assert_eq!(RULE.turn(&waiting(&[liar]), 99_000), door(), "it counts for nothing");
    let silent = Claimant { serial_number: None, ..good };
    assert_eq!(RULE.turn(&waiting(&[silent]), 0), Turn::Replacement(board("spare")));
}

#[test]
fn a_board_that_polls_has_three_polls_to_show_up() {
    let request = Waiting { polls_every_ms: Some(60_000), ..waiting(&[]) };
    assert_eq!(RULE.turn(&request, 189_999), Turn::Grace(190_000));
    assert_eq!(RULE.turn(&request, 190_000), door());
}

#[test]
fn a_connect_gives_the_replacement_time_to_come_back() {
    let rule = Rule { since_ms: 50_000, ..RULE };
    assert_eq!(rule.turn(&waiting(&[]), 50_000), Turn::Grace(170_000));
    let later = Waiting { asked_ms: 50_000, ..waiting(&[]) };
    assert_eq!(rule.turn(&later, 50_000), Turn::Grace(55_000));
}

#[test]
fn a_connect_does_not_take_the_request_from_the_doors_board_that_has_it() {
    let rule = Rule { since_ms: 50_000, ..RULE };
    let offered = Waiting { is_offered_to_the_door: true, ..waiting(&[]) };
    assert_eq!(rule.turn(&offered, 50_000), door());
}

#[test]
fn a_request_is_offered_in_its_time_and_not_to_the_doors_board_in_quiet_hours() {
    let in_time = Schedule { not_before_ms: Some(60_000), expires_ms: Some(90_000), quiet: None };
    let request = Waiting { schedule: in_time, ..waiting(&[claimant(UNTIL_FURTHER_NOTICE)]) };
    assert_eq!(RULE.turn(&request, 59_999), Turn::NotBefore(60_000));
    assert_eq!(RULE.next_turn(&request, 59_999), Some(60_000));
    assert_eq!(RULE.turn(&request, 60_000), Turn::Replacement(board("spare")));
    assert_eq!(RULE.next_turn(&request, 60_000), Some(90_000));
    assert_eq!(RULE.turn(&request, 90_000), Turn::Expired);

    let time = |text: &str| text.parse().expect("a time of day");
    let time_zone = "Etc/UTC".parse().expect("a time zone");
    let quiet = QuietHours { time_zone, begins: time("00:00"), ends: time("01:00") };
    let quiet = Schedule { quiet: Some(quiet), ..Schedule::default() };
    let hour = 3_600_000;
    let alone = Waiting { schedule: quiet.clone(), ..waiting(&[]) };
    assert_eq!(RULE.turn(&alone, hour - 1), Turn::Quiet(hour));
    assert_eq!(RULE.next_turn(&alone, hour - 1), Some(hour));
    assert_eq!(RULE.turn(&alone, hour), door());
    assert_eq!(RULE.next_turn(&alone, hour), Some(24 * hour), "they begin again");
    let on_the_wall = Waiting { schedule: quiet, ..waiting(&[claimant(UNTIL_FURTHER_NOTICE)]) };
    assert_eq!(RULE.turn(&on_the_wall, hour - 1), Turn::Replacement(board("spare")));
}

#[test]
fn a_request_of_a_swap_is_for_the_other_doors_board_alone() {
    let of_the_other = Claimant { is_of_another_door: true, ..claimant(60_000) };
    let half = Half { board: Some(board("spare")), is_confirmed: false };
    let there = Waiting { half: Some(half.clone()), ..waiting(&[of_the_other]) };
    assert_eq!(RULE.turn(&there, 20_000), Turn::Replacement(board("spare")));
    assert_eq!(RULE.turn(&there, 60_000), Turn::Exchanged(Some(board("spare"))));
    let other_serial = Waiting { new_serial_number: "S3".parse().ok(), ..there.clone() };
    assert_eq!(RULE.turn(&other_serial, 20_000), Turn::Exchanged(Some(board("spare"))));
    let twins = Waiting { twins_until_ms: Some(90_000), ..there.clone() };
    assert_eq!(RULE.turn(&twins, 20_000), Turn::Twins(board("spare")));
    let third = Half { board: Some(board("third")), ..half.clone() };
    let third = Waiting { half: Some(third), ..there.clone() };
    assert_eq!(RULE.turn(&third, i64::MAX), Turn::Exchanged(Some(board("third"))));
    let confirmed = Waiting { half: Some(Half { is_confirmed: true, ..half }), ..there };
    assert_eq!(RULE.turn(&confirmed, 20_000), Turn::OtherHalf);
}

#[test]
fn without_another_mac_the_doors_board_is_asked_at_once() {
    let mut request = waiting(&[]);
    for new_mac in [None, Some(mac(OLD))] {
        request.new_mac = new_mac;
        assert_eq!(RULE.turn(&request, 0), door(), "{new_mac:?}, clock set back");
    }
}
