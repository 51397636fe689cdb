//! What a commit writes, and what it leaves alone.

use uboot_env::{Flags, Written};

use super::world::{BLOCK, Healed, World, with_changes};

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

/// Else it could come back when it is long out of date.
#[test]
fn when_a_write_is_done_its_backup_is_gone_for_good() {
    let mut world = World::single();
    world.write().expect("allowed");
    world.disk = world.disk.after_a_cut(false, &world.power);
    assert!(!world.has_backup());
}
