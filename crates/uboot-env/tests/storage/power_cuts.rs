//! The power is cut in every call of `write`, and again in every call of `recover`: afterwards it is
//! exactly the old environment or the new one, and what is around it is what it was.

use std::sync::{Arc, Mutex};

use uboot_env::{Flags, Written};

use super::flash::{Chip, SimulatedFlash};
use super::power::{Power, TEARS, Tear};
use super::world::{BLOCK, Made, World, powered_by};

/// What a world's flash holds, apart from the world.
type Chips = Vec<Chip>;

fn scenarios() -> Vec<(&'static str, World)> {
    let nor = Flags::ActiveObsolete;
    let one = |offset, size| [Made { offset, size, flag: Some(0) }];
    let two = |size, first, second| {
        let copy = |flag| Made { offset: BLOCK, size, flag };
        [copy(first), copy(second)]
    };
    vec![
        ("smaller than its block", World::new(nor, true, &one(BLOCK, 256))),
        ("in the middle of its block", World::new(nor, true, &one(BLOCK + 128, 256))),
        ("at the end of its block", World::new(nor, true, &one(2 * BLOCK - 256, 256))),
        ("exactly its block", World::new(nor, true, &one(BLOCK, BLOCK))),
        ("more than one block", World::new(nor, true, &one(BLOCK, 2 * BLOCK + 64))),
        ("redundant, first active", World::new(nor, false, &two(BLOCK, Some(1), Some(0)))),
        ("redundant, second active", World::new(nor, false, &two(BLOCK, Some(0), Some(1)))),
        ("redundant, both active", World::new(nor, false, &two(BLOCK, Some(1), Some(1)))),
        ("redundant, first blank", World::new(nor, false, &two(BLOCK, None, Some(1)))),
        ("redundant, second blank", World::new(nor, false, &two(BLOCK, Some(1), None))),
        ("redundant, larger", World::new(nor, false, &two(2 * BLOCK, Some(1), Some(0)))),
        ("redundant, neighbours", World::new(nor, true, &two(256, Some(1), Some(0)))),
        ("redundant, blank, neighbours", World::new(nor, true, &two(256, None, Some(1)))),
        ("counter", World::new(Flags::Counter, false, &two(BLOCK, Some(6), Some(7)))),
        ("counter wraps", World::new(Flags::Counter, false, &two(BLOCK, Some(255), Some(254)))),
    ]
}

/// A copy of the world that shares nothing with it, on another supply.
fn copy_of(world: &World, power: &Power) -> World {
    let mut copy = powered_by(world, power);
    for (_, flash) in &mut copy.places {
        let chip = Arc::new(Mutex::new(flash.chip().clone()));
        let power = power.clone();
        *flash = SimulatedFlash { chip, power };
    }
    copy
}

/// The same world when the power is back.
fn after_a_cut(world: &World, keeps_names: bool, power: &Power) -> World {
    let mut next = copy_of(world, power);
    next.disk = world.disk.after_a_cut(keeps_names, power);
    next
}

fn chips(world: &World) -> Chips {
    (0..world.places.len()).map(|copy| world.chip(copy)).collect()
}

/// Everything about the chips outside of the copies.
fn around(world: &World) -> Vec<Vec<u8>> {
    let places = world.places.iter().zip(chips(world));
    places
        .map(|((location, _), chip)| {
            let start = location.offset as usize;
            let end = start + location.size;
            [&chip.bytes[..start], &chip.bytes[end..]].concat()
        })
        .collect()
}

fn variables(world: &World) -> Vec<Option<String>> {
    let environment = world.store().read().expect("power");
    ["bootcmd", "ethaddr", "serialno"]
        .map(|name| environment.get(name).map(|value| value.into_owned()))
        .to_vec()
}

fn written(world: &World) -> World {
    let mut world = copy_of(world, &Power::on());
    assert_eq!(world.write().expect("possible"), Written::Changed);
    world
}

/// What a scenario must be after every cut.
struct Expected {
    old: World,
    new: World,
}

impl Expected {
    fn is_met_by(&self, world: &World) -> bool {
        let now = variables(world);
        let is_one = now == variables(&self.old) || now == variables(&self.new);
        // With a single copy there is nothing but it, so it is the old or the new one in every bit.
        let same = |other: &World| chips_equal(world, other);
        let is_exact = world.places.len() == 2 || same(&self.old) || same(&self.new);
        is_one && is_exact && around(world) == around(&self.old)
    }
}

fn chips_equal(one: &World, other: &World) -> bool {
    let both = chips(one).into_iter().zip(chips(other));
    both.into_iter().all(|(one, other)| one.bytes == other.bytes)
}

/// How many cuts there were, and which broke the rule.
fn cut_everywhere(name: &str, start: &World) -> (usize, Vec<String>) {
    let expected = Expected { old: copy_of(start, &Power::on()), new: written(start) };
    let (mut cuts, mut broken) = (0, Vec::new());
    for (first, tear) in each_cut(expected.new.power.used()) {
        for keeps_names in [false, true] {
            let mut cut = copy_of(start, &Power::failing_in(first, tear));
            let _ = cut.write();
            assert!(cut.power.is_out());
            cuts += 1;
            let place = format!("{name}: cut at {first} ({tear:?}), names kept {keeps_names}");
            let restarted = after_a_cut(&cut, keeps_names, &Power::on());
            if restarted.places.len() == 2 {
                let now = variables(&restarted);
                if now != variables(&expected.old) && now != variables(&expected.new) {
                    broken.push(format!("{place}, without healing"));
                }
            }
            let mut healed = copy_of(&restarted, &Power::on());
            if healed.recover().is_err() || !expected.is_met_by(&healed) {
                broken.push(place.clone());
            }
            let calls = healed.power.used();
            if healed.recover().is_err() || healed.power.used() != calls {
                broken.push(format!("{place}, healed twice"));
            }
            if !can_be_changed(&healed, &expected.new) {
                broken.push(format!("{place}, and written again"));
            }
            for (second, tear) in each_cut(calls) {
                for keeps_names in [false, true] {
                    let mut cut = copy_of(&restarted, &Power::failing_in(second, tear));
                    let _ = cut.recover();
                    cuts += 1;
                    let mut healed = after_a_cut(&cut, keeps_names, &Power::on());
                    if healed.recover().is_err() || !expected.is_met_by(&healed) {
                        broken.push(format!("{place}, again at {second} ({tear:?})"));
                    }
                }
            }
        }
    }
    (cuts, broken)
}

fn each_cut(calls: usize) -> impl Iterator<Item = (usize, Tear)> {
    (0..calls).flat_map(|call| TEARS.map(|tear| (call, tear)))
}

fn can_be_changed(world: &World, new: &World) -> bool {
    let mut world = copy_of(world, &Power::on());
    let written = world.write();
    written.is_ok() && variables(&world) == variables(new)
}

#[test]
fn after_any_cut_it_is_the_old_environment_or_the_new_one() {
    let mut total = 0;
    for (name, world) in scenarios() {
        let (cuts, broken) = cut_everywhere(name, &world);
        assert_eq!(broken, Vec::<String>::new());
        total += cuts;
    }
    println!("{} scenarios, {total} power cuts", scenarios().len());
    assert!(total > 5000, "{total} cuts are not everywhere");
}

/// The check above bites: a single copy needs every sync of its backup.
#[test]
fn without_a_sync_of_the_backup_a_cut_loses_a_single_copy() {
    let (files, names) = ("file", "directory");
    for left_out in [files, names] {
        for (name, mut world) in scenarios().into_iter().take(5) {
            world.disk.syncs_files = left_out != files;
            world.disk.syncs_names = left_out != names;
            let (_, broken) = cut_everywhere(name, &world);
            assert!(!broken.is_empty(), "{name}: nobody missed the sync of the {left_out}");
        }
    }
}
