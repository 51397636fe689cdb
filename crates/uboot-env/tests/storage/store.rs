//! What is written, what is not, and what is said about it.

use std::sync::{Arc, Mutex};

use uboot_env::{
    Backup, Blocks, Error, Flags, Format, Layout, Location, NoBackup, Recovery, Store, Transaction,
    Unsafe, Written,
};

use super::images::image;
use super::simulated::{Chip, Power, SimulatedDisk, SimulatedFlash, Tear};

pub(super) const BLOCK: usize = 512;

const VARIABLES: &[u8] = b"bootcmd=run linux\0ethaddr=00:00:23:34:45:66\0\0";

/// What is in the copy that does not count.
const OLDER: &[u8] = b"bootcmd=run old linux\0\0";

/// Both at once, so that a mix would show.
const CHANGES: &[(&str, &str)] = &[("ethaddr", "AA:BB:CC:DD:EE:FF"), ("serialno", "A1-0042")];

/// What a recovery did.
#[derive(Debug, PartialEq)]
pub(super) enum Healed {
    Whole,
    Restored,
    Damaged,
}

/// A board with some flash and one disk.
#[derive(Clone)]
pub(super) struct World {
    pub(super) power: Power,
    pub(super) places: Vec<(Location, SimulatedFlash)>,
    pub(super) disk: SimulatedDisk,
}

/// One copy: its place, and what is in it.
pub(super) struct Made {
    pub(super) offset: usize,
    pub(super) size: usize,
    /// `None`: it was never written, as on a board fresh from the factory.
    pub(super) flag: Option<u8>,
}

impl World {
    /// Copies on chips of their own, full of other data outside of the copies if `neighbours`.
    pub(super) fn new(flags: Flags, neighbours: bool, copies: &[Made]) -> Self {
        let power = Power::on();
        let flag = |copy: usize| copies.get(copy).and_then(|made| made.flag);
        let active = flags.active([flag(0), flag(1)]);
        let format = if copies.len() > 1 { Format::Redundant } else { Format::Single };
        let places = copies.iter().enumerate().map(|(number, made)| {
            let mut bytes = vec![if neighbours { 0x5a } else { 0xff }; 6 * BLOCK];
            let place = &mut bytes[made.offset..made.offset + made.size];
            match made.flag {
                Some(flag) => {
                    let variables = if active == Some(number) { VARIABLES } else { OLDER };
                    let copy = image(made.size, format, variables, 0).with_flag(flag);
                    place.copy_from_slice(copy.bytes());
                }
                None => place.fill(0xff),
            }
            let chip = Chip {
                bytes,
                block: BLOCK,
                flags,
                is_locked: true,
                is_stuck: false,
                fails_once: false,
                erased: 0,
                programmed: 0,
            };
            let flash = SimulatedFlash { chip: Arc::new(Mutex::new(chip)), power: power.clone() };
            let location = Location {
                device: format!("/dev/mtd{number}"),
                offset: made.offset as i64,
                size: made.size,
            };
            (location, flash)
        });
        World { places: places.collect(), disk: SimulatedDisk::new(&power), power }
    }

    pub(super) fn single() -> Self {
        let (offset, size) = (BLOCK, 256);
        World::new(Flags::ActiveObsolete, true, &[Made { offset, size, flag: Some(0) }])
    }

    pub(super) fn redundant(flags: Flags, first: Option<u8>, second: Option<u8>) -> Self {
        let (offset, size) = (BLOCK, BLOCK);
        let copy = |flag| Made { offset, size, flag };
        World::new(flags, false, &[copy(first), copy(second)])
    }

    pub(super) fn store(&self) -> Store {
        let location = |copy: usize| self.places[copy].0.clone();
        let layout = match self.places.len() {
            1 => Layout::single(location(0)),
            _ => Layout::redundant(location(0), location(1)).expect("of one size"),
        };
        let flash = |at: &Location| {
            let (_, flash) = self.places.iter().find(|place| place.0 == *at).expect("there");
            Ok(Box::new(flash.clone()) as _)
        };
        Store::over(&layout, flash).expect("within the chips")
    }

    pub(super) fn chip(&self, copy: usize) -> Chip {
        self.places[copy].1.chip().clone()
    }

    pub(super) fn write(&mut self) -> Result<Written, Error> {
        let mut store = self.store();
        let transaction = with_changes(store.begin()?);
        transaction.commit(&mut self.disk)
    }

    /// Looks for an interrupted write, and restores it.
    pub(super) fn recover(&mut self) -> Result<Healed, Error> {
        match self.store().recover(&mut self.disk)? {
            Recovery::Whole => Ok(Healed::Whole),
            Recovery::Damaged => Ok(Healed::Damaged),
            Recovery::Interrupted(write) => {
                write.restore(&mut self.disk)?;
                Ok(Healed::Restored)
            }
        }
    }

    fn get(&self, name: &str) -> Option<String> {
        let environment = self.store().read().expect("power");
        environment.get(name).map(|value| value.into_owned())
    }

    fn is_new(&self) -> bool {
        CHANGES.iter().all(|(name, value)| self.get(name).as_deref() == Some(value))
    }

    /// A backup as if a write had been interrupted.
    fn save_backup(&mut self, device: &str, bytes: Vec<u8>) {
        let blocks = Blocks { device: device.into(), start: BLOCK as u64, bytes };
        self.disk.save(&blocks).expect("saved");
    }

    fn has_backup(&self) -> bool {
        self.disk.has_file()
    }
}

#[test]
fn a_single_copy_is_written_with_one_erase_and_one_write_and_locked_again() {
    let mut world = World::single();
    assert_eq!(world.write().expect("allowed"), Written::Changed);
    assert!(world.is_new());
    assert_eq!(world.get("bootcmd").as_deref(), Some("run linux"));
    let chip = world.chip(0);
    assert_eq!((chip.erased, chip.programmed, chip.is_locked), (1, 1, true));
    let around = chip.bytes[..BLOCK].iter().chain(&chip.bytes[BLOCK + 256..]);
    assert!(around.into_iter().all(|byte| *byte == 0x5a));
    assert!(!world.has_backup());
}

#[test]
fn nothing_is_written_when_nothing_changes() {
    let mut world = World::single();
    let mut store = world.store();
    let mut transaction = store.begin().expect("good");
    transaction.set("ethaddr", "00:00:23:34:45:66").remove("nothing").set("empty", "");
    assert!(!transaction.is_change().expect("valid"));
    let written = transaction.commit(&mut world.disk);
    assert_eq!(written.expect("nothing to do"), Written::Unchanged);
    assert_eq!(world.recover().expect("whole"), Healed::Whole);
    assert_eq!(world.power.used(), 0);
}

#[test]
fn nothing_is_written_before_commit() {
    let world = World::single();
    let mut store = world.store();
    let transaction = with_changes(store.begin().expect("good"));
    assert!(transaction.is_change().expect("valid"));
    assert_eq!(transaction.get("ethaddr").as_deref(), Some("00:00:23:34:45:66"));
    drop(transaction);
    assert_eq!(world.power.used(), 0);
}

#[test]
fn changes_that_cannot_be_written_are_refused_together() {
    let mut world = World::single();
    let mut store = world.store();
    let mut transaction = store.begin().expect("good");
    transaction.set("a", "1").set("b=c", "2");
    assert!(matches!(transaction.commit(&mut world.disk), Err(Error::Variable(_))));
    assert_eq!(world.power.used(), 0);
}

#[test]
fn without_a_place_for_a_backup_a_single_copy_is_never_touched() {
    let world = World::single();
    let mut store = world.store();
    let refused = with_changes(store.begin().expect("good")).commit(&mut NoBackup);
    assert!(matches!(refused, Err(Error::BackupNotSaved(_))));
    assert_eq!(world.power.used(), 0);
}

#[test]
fn of_two_copies_the_other_one_is_written_and_no_file() {
    for (first, second, target) in [(1, 0, 1), (0, 1, 0), (1, 1, 1)] {
        let mut world = World::redundant(Flags::ActiveObsolete, Some(first), Some(second));
        let before = world.chip(1 - target);
        world.write().expect("allowed");
        assert!(world.is_new());
        let (new, old) = (world.chip(target), world.chip(1 - target));
        assert_eq!((new.erased, old.erased), (1, 0));
        assert_eq!((new.bytes[BLOCK + 4], old.bytes[BLOCK + 4]), (1, 0), "flags");
        assert_eq!(old.bytes[BLOCK + 5..], before.bytes[BLOCK + 5..]);
        // Unlock, erase, write, lock; unlock, one byte, lock.
        assert_eq!(world.power.used(), 7);
    }
}

#[test]
fn the_counter_goes_on_and_wraps() {
    for (first, second, next) in [(7, 6, 8), (255, 254, 0), (0, 255, 1)] {
        let mut world = World::redundant(Flags::Counter, Some(first), Some(second));
        world.write().expect("allowed");
        assert!(world.is_new());
        assert_eq!(world.chip(1).bytes[BLOCK + 4], next);
        assert_eq!(world.chip(0).programmed, 0);
    }
}

#[test]
fn a_second_copy_that_was_never_written_is_written_first() {
    let mut world = World::redundant(Flags::ActiveObsolete, None, Some(1));
    let health = world.store().read().expect("power").health;
    assert_eq!((health.copies, health.good), (2, 1));
    world.write().expect("allowed");
    assert!(world.is_new());
    assert_eq!(world.store().read().expect("power").health.good, 2);
}

#[test]
fn an_environment_with_a_bad_checksum_and_no_backup_is_never_written() {
    let mut world = World::single();
    world.places[0].1.chip().bytes[BLOCK + 20] ^= 1;
    assert_eq!(world.get("bootcmd"), None);
    let refused = world.write();
    assert!(matches!(refused, Err(Error::Unsafe(Unsafe::Damaged))));
    assert_eq!(world.recover().expect("nothing to do"), Healed::Damaged);
    assert_eq!(world.power.used(), 0);
}

#[test]
fn two_copies_in_one_erase_block_are_never_written() {
    let mut world = World::redundant(Flags::ActiveObsolete, Some(1), Some(0));
    let chip = world.places[0].1.clone();
    let copy = |offset| Location { device: "/dev/mtd0".into(), offset, size: 256 };
    world.places = vec![(copy(0), chip.clone()), (copy(256), chip.clone())];
    let both = image(256, Format::Redundant, VARIABLES, 0);
    chip.chip().bytes[..256].copy_from_slice(both.bytes());
    chip.chip().bytes[256..512].copy_from_slice(both.with_flag(0).bytes());
    let refused = world.write();
    assert!(matches!(refused, Err(Error::Unsafe(Unsafe::SharedBlock))));
    assert_eq!(world.power.used(), 0);
}

#[test]
fn a_backup_that_cannot_be_saved_is_found_out_before_anything_is_touched() {
    let mut world = World::single();
    world.disk.is_full = true;
    assert!(matches!(world.write(), Err(Error::BackupNotSaved(_))));
    assert_eq!(world.power.used(), 0);
    // No backup is needed where the copy that counts is not touched.
    let mut redundant = World::redundant(Flags::Counter, Some(1), Some(0));
    redundant.disk.is_full = true;
    assert!(redundant.write().is_ok());
}

#[test]
fn a_write_that_protection_swallowed_is_noticed() {
    for mut world in [World::single(), World::redundant(Flags::ActiveObsolete, Some(1), Some(0))] {
        for (_, flash) in &world.places {
            flash.chip().is_stuck = true;
        }
        let error = world.write().expect_err("swallowed");
        assert!(matches!(error, Error::WriteIgnored { .. }), "{error}");
        assert!(!world.is_new() && !world.has_backup());
    }
}

#[test]
fn a_mark_that_protection_swallowed_is_noticed_when_it_matters() {
    // The first counts as long as both say that they are active.
    let mut world = World::redundant(Flags::ActiveObsolete, Some(1), Some(0));
    world.places[0].1.chip().is_stuck = true;
    assert!(matches!(world.write(), Err(Error::WriteIgnored { .. })));
    assert!(!world.is_new());
    let mut world = World::redundant(Flags::ActiveObsolete, Some(0), Some(1));
    world.places[1].1.chip().is_stuck = true;
    world.write().expect("the first counts anyway");
    assert!(world.is_new());
}

#[test]
fn a_write_that_fails_with_the_power_on_is_taken_back() {
    let mut world = World::single();
    let before = world.chip(0).bytes;
    world.places[0].1.chip().fails_once = true;
    let error = world.write().expect_err("failed");
    assert!(matches!(error, Error::NotWritten { .. }), "{error}");
    assert_eq!(world.chip(0).bytes, before);
    assert!(!world.has_backup());
}

#[test]
fn what_another_tool_wrote_after_a_torn_write_is_not_overwritten_by_the_backup() {
    let mut world = (0..20)
        .map(|calls| {
            let power = Power::failing_in(calls, Tear::FirstHalf);
            let mut world = powered_by(&World::single(), &power);
            world.write().expect_err("cut");
            let power = Power::on();
            world.disk = world.disk.after_a_cut(true, &power);
            powered_by(&world, &power)
        })
        .find(|world| world.get("bootcmd").is_none())
        .expect("some cut is in the middle");
    assert!(world.has_backup());
    let saved = image(256, Format::Single, b"bootcmd=by hand\0\0", 0);
    world.places[0].1.chip().bytes[BLOCK..BLOCK + 256].copy_from_slice(saved.bytes());
    world.recover().expect("healed");
    assert_eq!(world.get("bootcmd").as_deref(), Some("by hand"));
    assert!(!world.has_backup());
}

#[test]
fn a_backup_that_is_no_good_environment_is_not_restored() {
    let mut world = World::single();
    world.places[0].1.chip().bytes[BLOCK + 20] ^= 1;
    let blocks = world.chip(0).bytes[BLOCK..2 * BLOCK].to_vec();
    world.save_backup("/dev/mtd0", vec![1; blocks.len()]);
    let before = world.chip(0);
    let healed = world.recover().expect("nothing to do");
    assert_eq!((healed, world.chip(0)), (Healed::Damaged, before));
}

/// Else it could come back when it is long out of date.
#[test]
fn when_a_write_is_done_its_backup_is_gone_for_good() {
    let mut world = World::single();
    world.write().expect("allowed");
    world.disk = world.disk.after_a_cut(false, &world.power);
    assert!(!world.has_backup());
}

#[test]
fn a_torn_write_is_restored_only_when_that_is_asked_for() {
    let mut world = World::single();
    let blocks = world.chip(0).bytes[BLOCK..2 * BLOCK].to_vec();
    world.save_backup("/dev/mtd0", blocks.clone());
    world.places[0].1.chip().bytes[BLOCK..2 * BLOCK].fill(0xff);
    let before = world.chip(0);
    let mut store = world.store();
    let found = store.recover(&mut world.disk).expect("readable");
    assert!(matches!(found, Recovery::Interrupted(write) if write.health().good == 0));
    assert_eq!(world.chip(0), before);
    assert_eq!(world.recover().expect("possible"), Healed::Restored);
    assert_eq!(world.chip(0).bytes[BLOCK..2 * BLOCK], blocks);
    assert!(!world.has_backup());
}

#[test]
fn a_backup_of_another_place_is_not_restored() {
    let mut world = World::single();
    let blocks = world.chip(0).bytes[BLOCK..2 * BLOCK].to_vec();
    world.places[0].1.chip().bytes[BLOCK..2 * BLOCK].fill(0xff);
    let before = world.chip(0);
    for (device, bytes) in [("/dev/mtd2", blocks.clone()), ("/dev/mtd0", blocks[1..].to_vec())] {
        world.save_backup(device, bytes);
        assert_eq!(world.recover().expect("nothing to do"), Healed::Damaged);
        assert_eq!(world.chip(0), before);
    }
}

fn with_changes(mut transaction: Transaction<'_>) -> Transaction<'_> {
    for (name, value) in CHANGES {
        transaction.set(*name, *value);
    }
    transaction
}

/// The same board with another supply.
pub(super) fn powered_by(world: &World, power: &Power) -> World {
    let places = world.places.iter().map(|(location, flash)| {
        let chip = Arc::clone(&flash.chip);
        let power = power.clone();
        (location.clone(), SimulatedFlash { chip, power })
    });
    let mut disk = world.disk.clone();
    disk.power = power.clone();
    World { places: places.collect(), disk, power: power.clone() }
}
