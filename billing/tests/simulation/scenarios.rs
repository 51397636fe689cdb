//! Short stories, each with what a sound world comes to. The mutants break one promise in them.

use intercom_agent::record::Route;
use intercom_billing::store::macs::Believed;
use intercom_wire::Identity;

use super::actions::{Action, Lie, Replay};
use super::broker::{After, Client};
use super::plan::{identity, mac};
use super::world::{Weather, World};

const SECOND: u64 = 1_000;
pub const MINUTE: u64 = 60 * SECOND;

/// Two doors with their panels on the walls, and a spare; the doors are intercoms 1 and 2. Nothing of
/// it has happened yet.
pub fn city() -> World {
    city_where(Believed::FirstSight)
}

/// The same, where an operator has enrolled the panels of the doors and nobody else.
pub fn closed_city() -> World {
    city_where(Believed::Known)
}

fn city_where(believed: Believed) -> World {
    let mut world = World::new(1, believed);
    for number in [1, 2] {
        world.create_door(&identity(number));
        let panel = world.add_panel(&format!("door-{number}"), number, &[Route::Mqtt], None);
        if believed == Believed::Known {
            world.perform(Action::Enrol { panel, mac: mac(number) });
        }
        world.script(SECOND, Action::PowerOn(panel));
    }
    world.add_panel("spare-11", 11, &[Route::Mqtt], None);
    world.add_puppet("stranger");
    world.add_puppet("mute");
    world
}

pub const SPARE: usize = 2;
pub const STRANGER: usize = 0;
pub const MUTE: usize = 1;

/// The first door is to have the identity with this number.
pub fn patch(number: u8) -> Action {
    patch_of(1, number)
}

pub fn patch_of(id: i64, number: u8) -> Action {
    let serial_number = identity(number).serial_number.map(|own| own.to_string());
    Action::Patch { id, mac: Some(mac(number)), serial_number }
}

pub fn lie(about: Option<(i64, usize)>, status: &'static str, identity: Identity) -> Action {
    let lie = Lie {
        about,
        has_issuer: about.is_some(),
        status,
        identity,
        previous: mac(1),
        as_board: None,
    };
    Action::Reports { puppet: STRANGER, lie }
}

/// The board that never answers by itself says how a request has ended, and what it carries.
fn mute_says(about: (i64, usize), status: &'static str, carries: u8) -> Action {
    let lie = Lie {
        about: Some(about),
        has_issuer: true,
        status,
        identity: identity(carries),
        previous: mac(3),
        as_board: None,
    };
    Action::Reports { puppet: MUTE, lie }
}

/// A story as a list of minutes and what happens then.
pub fn told(mut world: World, script: Vec<(u64, Action)>) -> World {
    let last = script.iter().map(|(minute, _)| *minute).max().unwrap_or(0);
    for (minute, action) in script {
        world.script(minute * MINUTE, action);
    }
    world.live_until((last + 1) * MINUTE);
    world.calm();
    world.live_to_the_end();
    world
}

/// A request is offered on two connections and withdrawn; on a third one it comes again.
pub fn withdrawn_offers_come_again(world: World) -> World {
    let mut script = vec![
        (5, Action::Busy(0, true)),
        (6, patch(21)),
        (8, Action::Cut(0)),
        (10, Action::Delete(1)),
        (11, Action::Cut(0)),
        (12, Action::Busy(0, false)),
    ];
    // Everything that was ever said comes again.
    script.extend((0..40).map(|which| (13, Action::Replay { which, how: Replay::Live })));
    told(world, script)
}

/// Billing is away for a while, and so is the spare when it comes back.
pub fn billing_comes_back(world: World) -> World {
    told(
        world,
        vec![(3, Action::PowerOn(SPARE)), (5, Action::RestartBilling(5 * MINUTE)), (12, patch(21))],
    )
}

/// The broker dies, and the spare with it: nobody says that the spare has gone.
pub fn a_spare_goes_with_the_broker(world: World) -> World {
    told(
        world,
        vec![
            (3, Action::PowerOn(SPARE)),
            (5, Action::RestartBroker(After::Kept, 30 * SECOND)),
            (5, Action::PowerOff(SPARE)),
            (8, patch(11)),
            (9, Action::OfferToTheDoor(1)),
        ],
    )
}

/// The spare is unplugged before it is asked for.
pub fn a_spare_is_unplugged(world: World) -> World {
    told(
        world,
        vec![
            (3, Action::PowerOn(SPARE)),
            (5, Action::PowerOff(SPARE)),
            (8, patch(11)),
            (9, Action::OfferToTheDoor(1)),
        ],
    )
}

/// The replacement is there before it is asked for.
pub fn a_spare_is_on_the_wall(world: World) -> World {
    told(world, vec![(3, Action::PowerOn(SPARE)), (5, patch(11))])
}

/// A known spare lies in a bag, and comes later.
pub fn a_spare_is_waited_for(world: World) -> World {
    told(
        world,
        vec![
            (3, Action::PowerOn(SPARE)),
            (5, Action::PowerOff(SPARE)),
            (8, patch(11)),
            (20, Action::PowerOn(SPARE)),
        ],
    )
}

/// A door's panel has died, and another one is to have its MAC address: it is not waited for.
pub fn a_dead_panels_mac_is_taken_over(world: World) -> World {
    told(world, vec![(4, Action::PowerOff(1)), (6, Action::Delete(2)), (7, patch(2))])
}

/// The board of another door was asked once to take what the first door is to have, and claims it
/// now.
pub fn another_doors_board_claims(mut world: World) -> World {
    let id = world.create_door(&identity(3));
    told(
        world,
        vec![
            (4, Action::Claims { puppet: MUTE, claim: identity(3) }),
            (5, patch_of(id, 12)),
            (6, patch_of(id, 22)),
            (50, Action::Claims { puppet: MUTE, claim: identity(12) }),
            (55, patch(12)),
        ],
    )
}

/// A board with the MAC address that is asked for has another serial number.
pub fn the_wrong_board_is_on_the_wall(world: World) -> World {
    told(
        world,
        vec![
            (3, Action::PowerOn(SPARE)),
            (5, Action::Patch { id: 1, mac: Some(mac(11)), serial_number: Some("S-30".into()) }),
        ],
    )
}

/// A stranger claims the MAC address of a spare that was seen before.
pub fn a_stranger_claims_a_spares_mac(world: World) -> World {
    told(
        world,
        vec![
            (3, Action::PowerOn(SPARE)),
            (5, Action::PowerOff(SPARE)),
            (8, Action::Claims { puppet: STRANGER, claim: identity(11) }),
            (10, patch(11)),
        ],
    )
}

/// An ordinary change to a MAC address that is nobody's.
pub fn a_plain_change(world: World) -> World {
    told(world, vec![(5, patch(21))])
}

/// The broker dies after a PATCH, before the grace time is over; the replacement comes back a while
/// later.
pub fn a_restart_within_the_grace_time(mut world: World) -> World {
    world.script(5 * MINUTE, Action::RestartBroker(After::Kept, 20 * SECOND));
    world.script(5 * MINUTE - SECOND, patch(21));
    told(world, vec![(6, Action::Weather(Weather::default()))])
}

/// The replacement shows up when the door's board has the request already and defers it.
pub fn a_replacement_shows_up_late(world: World) -> World {
    told(world, vec![(4, Action::Busy(0, true)), (5, patch(11)), (10, Action::PowerOn(SPARE))])
}

/// A call goes on at the door for longer than a board may be silent.
pub fn a_long_call(world: World) -> World {
    told(world, vec![(4, Action::Busy(0, true)), (5, patch(21)), (50, Action::Busy(0, false))])
}

/// The replacement never answers.
pub fn a_mute_replacement(world: World) -> World {
    told(world, vec![(4, Action::Claims { puppet: MUTE, claim: identity(12) }), (5, patch(12))])
}

/// A panel that was replaced polls on, with the ID that it learnt.
pub fn a_replaced_panel_polls_on(mut world: World) -> World {
    let id = world.create_door(&identity(3));
    let old = world.add_panel("old-3", 3, &[Route::Http], Some(id));
    told(
        world,
        vec![
            (1, Action::PowerOn(old)),
            (3, Action::PowerOn(SPARE)),
            (5, patch_of(id, 11)),
            (9, patch_of(id, 22)),
        ],
    )
}

/// Billing hears an old presence last, and so offers a request with an old nonce.
pub fn an_old_presence_comes_again(mut world: World) -> World {
    world.live_until(3 * MINUTE);
    let is_presence = |(topic, _): &&(String, Vec<u8>)| topic.ends_with("door-1/presence");
    let old = world.broker.archive.iter().find(is_presence).cloned().expect("a presence");
    world.script(4 * MINUTE, Action::Cut(0));
    world.live_until(6 * MINUTE);
    // Only billing hears it: the board was told its own presence by a connection that is gone.
    world.give(&Client::Billing, &old.0, &old.1, false, false);
    told(world, vec![(7, patch(21))])
}

/// The broker acknowledges a report and drops it.
pub fn a_report_is_dropped(world: World) -> World {
    let drops = Weather { drops: 1, ..Weather::default() };
    told(
        world,
        vec![(4, Action::Weather(drops)), (5, patch(21)), (9, Action::Weather(Weather::default()))],
    )
}

/// The broker acknowledges an offer and drops it, and so it does with the first questions after it.
pub fn an_offer_is_dropped(world: World) -> World {
    let drops = Weather { drops: 1, ..Weather::default() };
    told(
        world,
        vec![(4, Action::Weather(drops)), (5, patch(21)), (6, Action::Weather(Weather::default()))],
    )
}

/// Billing asks who is there when it has connected again, and the broker drops every answer: also that of the
/// spare that is asked for later.
pub fn a_spares_presence_is_dropped(world: World) -> World {
    let drops = Weather { drops: 1, ..Weather::default() };
    told(
        world,
        vec![
            (3, Action::PowerOn(SPARE)),
            (4, Action::Weather(drops)),
            (5, Action::CutBilling),
            (8, Action::Weather(Weather::default())),
            (9, patch(11)),
        ],
    )
}

/// A stranger says that it has installed what was offered to another board.
pub fn a_stranger_reports(world: World) -> World {
    told(
        world,
        vec![
            (4, Action::Busy(0, true)),
            (5, patch(21)),
            (6, Action::Claims { puppet: STRANGER, claim: identity(30) }),
            (7, lie(Some((1, 0)), "installed", identity(21))),
        ],
    )
}

/// The same, and it names the board that was asked.
pub fn a_stranger_reports_as_another(world: World) -> World {
    let lie = Lie {
        about: Some((1, 0)),
        has_issuer: true,
        status: "installed",
        identity: identity(21),
        previous: mac(1),
        as_board: Some("door-1".to_owned()),
    };
    told(
        world,
        vec![
            (4, Action::Busy(0, true)),
            (5, patch(21)),
            (6, Action::Claims { puppet: STRANGER, claim: identity(30) }),
            (7, Action::Reports { puppet: STRANGER, lie }),
        ],
    )
}

/// A stranger says on its own topic that it is the board of the door.
pub fn a_stranger_pretends(world: World) -> World {
    let (board, claim) = ("door-1".to_owned(), identity(1));
    told(
        world,
        vec![
            (4, Action::Claims { puppet: STRANGER, claim: identity(30) }),
            (5, Action::Pretends { puppet: STRANGER, board, claim }),
            (6, patch(21)),
        ],
    )
}

/// A request is superseded while its board installs it.
pub fn an_installed_comes_late(mut world: World) -> World {
    // The change is in its middle: it takes a second to begin, and some more to prove.
    world.script(5 * MINUTE + 8 * SECOND, patch(22));
    told(world, vec![(5, patch(21))])
}

/// A door's board has installed two requests, and tells of the second one first.
pub fn an_overtaken_report_comes_late(mut world: World) -> World {
    let id = world.create_door(&identity(3));
    told(
        world,
        vec![
            (4, Action::Claims { puppet: MUTE, claim: identity(3) }),
            (5, patch_of(id, 21)),
            (6, patch_of(id, 22)),
            (7, mute_says((id, 0), "installed", 22)),
            (8, mute_says((id, 1), "installed", 21)),
        ],
    )
}

/// A panel is rolled back by hand, and the broker brings back that it has installed the request.
pub fn an_installed_comes_again_after_a_rollback(mut world: World) -> World {
    world.script(5 * MINUTE, patch(21));
    world.script(8 * MINUTE, Action::RollBack(0));
    world.live_until(10 * MINUTE);
    let is_report = |(topic, _): &&(String, Vec<u8>)| topic.ends_with("door-1/status");
    let (topic, payload) = world.broker.archive.iter().find(is_report).cloned().expect("a report");
    world.give(&Client::Billing, &topic, &payload, false, true);
    told(world, vec![(11, Action::Weather(Weather::default()))])
}

/// A door's board has said that it does not take a MAC address. Then it says the same of another one,
/// and that it carries the first.
pub fn a_board_carries_what_it_was_asked_for_once(mut world: World) -> World {
    let id = world.create_door(&identity(3));
    told(
        world,
        vec![
            (4, Action::Claims { puppet: MUTE, claim: identity(3) }),
            (5, patch_of(id, 21)),
            (6, mute_says((id, 0), "failed", 3)),
            (7, patch_of(id, 22)),
            (8, mute_says((id, 0), "failed", 21)),
        ],
    )
}

/// An installer gives a door's board the MAC address of a spare, which waits for an operator's yes. The
/// door is to have another serial number meanwhile.
pub fn a_panel_carries_what_waits_for_a_yes(world: World) -> World {
    let serial_number = Some("S-21".to_owned());
    told(
        world,
        vec![
            (3, Action::PowerOn(SPARE)),
            (5, Action::PowerOff(SPARE)),
            (6, Action::ByHand { panel: 0, to: identity(11) }),
            (12, Action::Patch { id: 1, mac: None, serial_number }),
        ],
    )
}

/// Two panels have changed places.
pub fn two_panels_have_changed_places(world: World) -> World {
    told(world, vec![(5, Action::Swap(1, 2))])
}

/// A stranger says that it stands in for a door, by hand.
pub fn a_stranger_changes_by_hand(world: World) -> World {
    told(
        world,
        vec![
            (6, Action::Claims { puppet: STRANGER, claim: identity(30) }),
            (7, lie(None, "installed", identity(30))),
        ],
    )
}
