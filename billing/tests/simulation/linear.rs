//! Rule 10: what billing says for each replacement does not depend on how many panels there are, also
//! after the broker was away.

use intercom_agent::record::Route;
use intercom_billing::store::macs::Believed;

use super::actions::Action;
use super::broker::After;
use super::plan::{identity, mac};
use super::world::World;

const MINUTE: u64 = 60_000;

/// How many messages billing publishes until each of so many doors has another identity.
fn published(doors: u8) -> u64 {
    let mut world = World::new(1, Believed::FirstSight);
    for number in 1..=doors {
        let id = world.create_door(&identity(number));
        let panel = world.add_panel(&format!("door-{number}"), number, &[Route::Mqtt], None);
        let at = u64::from(number) * 1_000;
        world.script(at, Action::PowerOn(panel));
        let new = 100 + number;
        let serial_number = Some(format!("S-{new}"));
        let patch = Action::Patch { id, mac: Some(mac(new)), serial_number };
        world.script(10 * MINUTE + at, patch);
        let restart = number == doors / 2;
        if restart {
            world.script(10 * MINUTE + at, Action::RestartBroker(After::Older, MINUTE));
        }
    }
    world.live_until(20 * MINUTE);
    world.calm();
    world.live_to_the_end();
    assert_eq!(world.watch.broken, Vec::<String>::new());
    let installed = world.watch.tables.requests.values().filter(|r| r.state == "installed").count();
    assert_eq!(installed, usize::from(doors), "each door has another identity");
    world.service.published
}

#[test]
fn messages_are_linear_in_the_number_of_panels() {
    let counts = [10, 20, 40, 80].map(|doors| (doors, published(doors)));
    println!("panels and messages of billing's: {counts:?}");
    for (doors, count) in counts {
        // Two offers, the answer to a report, the end of the request, and questions by name.
        assert!(count <= 10 * u64::from(doors), "{count} messages for {doors} replacements");
    }
}
