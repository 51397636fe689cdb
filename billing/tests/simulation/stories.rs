//! Stories that break no rule, and once did.

use intercom_agent::record::Route;

use super::actions::Action;
use super::broker::Client;
use super::plan::{identity, mac};
use super::scenarios::{MINUTE, SPARE, STRANGER, city, closed_city, patch, patch_of, told};
use super::world::{Weather, World};

/// Two doors with their panels on the walls, and a spare of which only the record is known.
fn city_with_a_spares_record() -> (World, i64) {
    let mut world = city();
    let spare = world.create_spare(&identity(31));
    (world, spare)
}

/// What the door with this ID is known to carry in the end.
fn confirmed(world: &World, id: i64) -> String {
    assert_eq!(world.watch.broken, Vec::<String>::new());
    world.watch.tables.intercoms[&id].confirmed.mac.to_string()
}

#[test]
fn a_spare_whose_record_is_deleted_is_not_waited_for() {
    let (world, spare) = city_with_a_spares_record();
    let world = told(world, vec![(5, patch(31)), (8, Action::Delete(spare))]);
    assert_eq!(confirmed(&world, 1), mac(31).to_string());
}

#[test]
fn a_spare_whose_serial_number_another_door_got_is_not_waited_for() {
    let (world, _) = city_with_a_spares_record();
    let new_mac = Action::Patch { id: 1, mac: Some(mac(31)), serial_number: None };
    let serial_number = identity(31).serial_number.map(|own| own.to_string());
    let its_serial_number = Action::Patch { id: 2, mac: None, serial_number };
    let world = told(world, vec![(5, new_mac), (8, its_serial_number)]);
    assert_eq!(confirmed(&world, 1), mac(31).to_string());
}

#[test]
fn a_spare_that_is_promised_to_a_door_gets_no_place_of_its_own() {
    let (world, spare) = city_with_a_spares_record();
    let its_place = Action::Patch { id: spare, mac: None, serial_number: None };
    let world = told(world, vec![(5, patch(31)), (6, its_place), (8, Action::OfferToTheDoor(1))]);
    assert_eq!(confirmed(&world, 1), mac(31).to_string());
}

#[test]
fn a_spare_that_is_promised_to_a_door_is_asked_for_no_other_identity() {
    let (world, spare) = city_with_a_spares_record();
    let another = patch_of(spare, 41);
    let world = told(world, vec![(5, patch(31)), (6, another), (8, Action::OfferToTheDoor(1))]);
    assert_eq!(confirmed(&world, 1), mac(31).to_string());
}

#[test]
fn a_former_mac_of_a_doors_board_is_not_waited_for() {
    let mut world = city();
    world.create_door(&identity(12));
    let claims = |number| Action::Claims { puppet: STRANGER, claim: identity(number) };
    let world =
        told(world, vec![(2, claims(31)), (3, claims(32)), (5, patch(31)), (8, claims(12))]);
    assert_eq!(confirmed(&world, 1), mac(31).to_string());
}

#[test]
fn what_is_withdrawn_at_any_moment_is_not_begun_later() {
    let serial_number =
        |text: &str| Action::Patch { id: 1, mac: None, serial_number: Some(text.to_owned()) };
    for after in (0..1_000).step_by(20) {
        let mut world = city();
        world.script(5 * MINUTE, serial_number("S-21"));
        world.script(5 * MINUTE + after, serial_number("S-22"));
        let world = told(world, vec![(6, Action::Weather(Weather::default()))]);
        assert_eq!(world.watch.broken, Vec::<String>::new(), "after {after} ms");
    }
}

#[test]
fn what_is_withdrawn_does_not_hold_up_what_came_after_it() {
    let to = identity(33);
    let world = told(
        city(),
        vec![
            (4, Action::Busy(0, true)),
            (5, patch(21)),
            (6, Action::ByHand { panel: 0, to }),
            (7, Action::Delete(1)),
            (8, Action::Busy(0, false)),
        ],
    );
    assert_eq!(world.watch.broken, Vec::<String>::new());
    assert_eq!(world.panels[0].link_mac(), mac(33));
}

/// What billing is told live: the broker has kept it in a queue for long.
fn an_old_presence_comes_again(world: &mut World, name: &str) {
    let is_online = |(topic, payload): &&(String, Vec<u8>)| {
        topic.ends_with(&format!("{name}/presence")) && payload.len() > 60
    };
    let old = world.broker.archive.iter().rfind(is_online).cloned().expect("a presence");
    world.give(&Client::Billing, &old.0, &old.1, false, false);
}

#[test]
fn a_board_that_is_gone_keeps_nobody_waiting_when_the_broker_brings_its_presence_back() {
    let mut world = city();
    world.script(2 * MINUTE, Action::PowerOn(SPARE));
    world.script(3 * MINUTE, Action::PowerOff(SPARE));
    world.live_until(5 * MINUTE);
    an_old_presence_comes_again(&mut world, "spare-11");
    // Not the one that hangs there, as far as billing knows.
    let new = Action::Patch { id: 1, mac: Some(mac(11)), serial_number: Some("S-30".to_owned()) };
    let world = told(world, vec![(6, new), (20, Action::OfferToTheDoor(1))]);
    assert_eq!(confirmed(&world, 1), mac(11).to_string());
}

#[test]
fn where_only_enrolled_boards_count_a_deleted_doors_board_does_not_keep_what_it_was_asked_for() {
    let world =
        told(closed_city(), vec![(5, patch(21)), (8, Action::Delete(1)), (10, patch_of(2, 21))]);
    // The deleted door's board still carries it, and says so to the panel that is asked to take it.
    assert_eq!(confirmed(&world, 2), mac(2).to_string());
}

#[test]
fn where_only_enrolled_boards_count_a_replaced_board_does_not_keep_what_it_was_asked_for() {
    let world = told(
        closed_city(),
        vec![
            (4, Action::Enrol { panel: SPARE, mac: mac(11) }),
            (5, patch(21)),
            (8, Action::PowerOn(SPARE)),
            (9, patch(11)),
            (12, patch_of(2, 21)),
        ],
    );
    // The replaced board still carries it, and says so to the panel that is asked to take it.
    assert_eq!(confirmed(&world, 2), mac(2).to_string());
}

#[test]
fn what_a_doors_board_carries_unasked_is_its_own_again_when_another_has_its_place() {
    let world = told(
        city(),
        vec![
            (3, Action::PowerOn(SPARE)),
            (5, patch(21)),
            // While another request is pending, nobody hears that the board has gone back.
            (8, Action::Busy(0, true)),
            (9, patch(22)),
            (10, Action::RollBack(0)),
            (14, patch(11)),
            (18, patch(1)),
        ],
    );
    assert_eq!(confirmed(&world, 1), mac(1).to_string());
}

#[test]
fn a_board_that_polls_has_three_polls_to_come_back_although_it_was_on_the_broker_too() {
    let mut world = city();
    let third = world.create_door(&identity(3));
    let both = world.add_panel("door-3", 3, &[Route::Mqtt, Route::Http], None);
    // Its first poll is lost, so its presence on the broker is what billing hears first.
    let loses = Weather { loses: 1, ..Weather::default() };
    let world = told(
        world,
        vec![
            (1, Action::Weather(loses)),
            (1, Action::PowerOn(both)),
            (2, Action::Weather(Weather::default())),
            (6, Action::PowerOff(both)),
            (8, Action::Delete(third)),
            (9, patch(3)),
        ],
    );
    assert_eq!(confirmed(&world, 1), mac(3).to_string());
}
