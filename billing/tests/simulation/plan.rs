//! A world and its script from a seed.

use intercom_agent::record::Route;
use intercom_billing::store::macs::Believed;
use intercom_wire::{Identity, Mac};

use super::actions::{Action, Lie, Replay};
use super::broker::After;
use super::hardware::Hardware;
use super::log::Log;
use super::panel::Panel;
use super::puppet::Puppet;
use super::random_numbers::Random;
use super::world::{Happening, Weather, World};

/// When the script begins: the doors have shown themselves.
const BEGINS: u64 = 300_000;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

/// The identity with this number: a door's below 10, a spare's below 20, then nobody's.
pub fn identity(number: u8) -> Identity {
    let serial_number = format!("S-{number}").parse().ok();
    Identity { mac: mac(number), serial_number }
}

pub fn mac(number: u8) -> Mac {
    Mac::try_from([0x02, 0, 0, 0, 0, number]).expect("a MAC")
}

impl World {
    pub fn add_panel(
        &mut self,
        name: &str,
        number: u8,
        routes: &[Route],
        id: Option<i64>,
    ) -> usize {
        let hardware = Hardware::new(identity(number), self.clock.clone());
        self.panels.push(Panel::new(name, hardware, routes, id));
        self.panels.len() - 1
    }

    pub fn add_puppet(&mut self, name: &str) -> usize {
        self.puppets.push(Puppet::new(name));
        self.puppets.len() - 1
    }

    pub fn script(&mut self, time: u64, action: Action) {
        self.at(time, Happening::Action(action));
    }
}

/// A whole life from a seed: what breaks, and the log if it is kept.
pub fn life(seed: u64, log: Log) -> World {
    let mut random = Random::new(seed ^ 0x5eed);
    let is_open = !random.one_in(6);
    let believed = if is_open { Believed::FirstSight } else { Believed::Known };
    let mut world = World::new(seed, believed);
    world.log = log;
    let doors = 2 + random.below(2);
    let routes = |random: &mut Random| match random.below(8) {
        0 | 1 => vec![Route::Http],
        2 => vec![Route::Mqtt, Route::Http],
        _ => vec![Route::Mqtt],
    };
    for number in 1..=doors {
        let id = world.create_door(&identity(number as u8));
        let knows = random.one_in(3).then_some(id);
        let routes = routes(&mut random);
        let panel = world.add_panel(&format!("door-{number}"), number as u8, &routes, knows);
        world.script(random.below(MINUTE), Action::PowerOn(panel));
        if !is_open {
            world.perform(Action::Enrol { panel, mac: mac(number as u8) });
        }
    }
    for number in 11..=12 {
        let routes = routes(&mut random);
        let panel = world.add_panel(&format!("spare-{number}"), number, &routes, None);
        if !is_open && random.one_in(2) {
            world.perform(Action::Enrol { panel, mac: mac(number) });
        }
        match random.below(4) {
            // It was seen before, and lies in a bag now.
            0 => {
                world.script(random.below(MINUTE), Action::PowerOn(panel));
                world.script(2 * MINUTE + random.below(MINUTE), Action::PowerOff(panel));
            }
            1 => drop(world.create_spare(&identity(number))),
            2 => world.script(random.below(4 * MINUTE), Action::PowerOn(panel)),
            _ => {}
        }
    }
    if random.one_in(6) {
        // A copied image: another board with the same name.
        world.add_panel("door-1", 13, &[Route::Mqtt], None);
    }
    world.add_puppet("stranger");
    world.add_puppet("mute");
    let mut time = BEGINS;
    for _ in 0..8 + random.below(24) {
        time += match random.below(6) {
            0 => random.below(20 * MINUTE),
            1 | 2 => random.below(3 * MINUTE),
            3 | 4 => random.below(15 * SECOND),
            _ => random.below(SECOND),
        };
        for action in trouble(&mut random, &world, doors) {
            world.script(time, action);
        }
    }
    world.live_until(time + MINUTE);
    world.calm();
    world.live_to_the_end();
    world
}

fn trouble(random: &mut Random, world: &World, doors: u64) -> Vec<Action> {
    let panel = random.below(world.panels.len() as u64) as usize;
    let door = random.below(doors);
    let id = 1 + door as i64;
    let any = |random: &mut Random| match random.below(6) {
        0..=2 => 11 + random.below(2) as u8,
        3 => 1 + random.below(doors) as u8,
        _ => 21 + random.below(3) as u8,
    };
    match random.below(32) {
        0..=7 => {
            let number = any(random);
            let serial = identity(number).serial_number.map(|own| own.to_string());
            let serial_number = match random.below(4) {
                0 => None,
                1 => Some(format!("S-{}", any(random))),
                _ => serial,
            };
            vec![Action::Patch { id, mac: Some(mac(number)), serial_number }]
        }
        8 => {
            vec![Action::Patch { id, mac: None, serial_number: Some(format!("S-{}", any(random))) }]
        }
        9 | 10 => vec![Action::PowerOn(panel)],
        11 => vec![Action::PowerOff(panel)],
        12 => vec![if random.one_in(2) { Action::Unplug(panel) } else { Action::PlugIn(panel) }],
        13 => vec![Action::Busy(panel, random.one_in(2))],
        14 => vec![Action::Cut(panel)],
        15 => vec![Action::RestartBilling(random.below(4 * MINUTE))],
        16 => vec![Action::CutBilling],
        17 | 18 => {
            let data = random.pick(&[After::Kept, After::Older, After::Older, After::Empty]);
            vec![Action::RestartBroker(data, random.below(2 * MINUTE))]
        }
        19 => vec![Action::Snapshot],
        20..=22 => {
            let how = random.pick(&[Replay::Live, Replay::AsRetained, Replay::Queued]);
            let which = random.next();
            (0..1 + random.below(4))
                .map(|next| Action::Replay { which: which + next, how })
                .collect()
        }
        23 => {
            let (delay, loses) = (random.below(3_000), 3 * random.below(3));
            vec![Action::Weather(Weather { delay, loses, drops: 4 * random.below(2) })]
        }
        24 => match random.below(4) {
            0 => vec![Action::Delete(id)],
            1 => vec![Action::Enrol { panel, mac: mac(any(random)) }],
            2 => vec![Action::AcceptByHand { panel, id }],
            _ => vec![Action::OfferToTheDoor(id)],
        },
        25 => vec![Action::ByHand { panel, to: identity(any(random)) }],
        26 => vec![Action::RollBack(panel)],
        27 | 28 => vec![Action::Swap(id, 1 + ((door + 1) % doors) as i64)],
        29 => {
            let puppet = random.below(2) as usize;
            match random.below(4) {
                0 => vec![Action::Leaves(puppet)],
                1 => {
                    let board = format!("door-{}", 1 + door);
                    vec![Action::Pretends { puppet, board, claim: identity(any(random)) }]
                }
                _ => vec![Action::Claims { puppet, claim: identity(any(random)) }],
            }
        }
        _ => {
            let about = (!random.one_in(4)).then(|| (id, random.below(3) as usize));
            let lie = Lie {
                about,
                has_issuer: !random.one_in(3),
                status: random.pick(&[
                    "installed",
                    "installed",
                    "rolled_back",
                    "failed",
                    "rejected",
                    "deferred",
                ]),
                identity: identity(any(random)),
                previous: mac(any(random)),
                as_board: random.one_in(3).then(|| format!("door-{}", 1 + random.below(doors))),
            };
            vec![Action::Reports { puppet: 0, lie }]
        }
    }
}
