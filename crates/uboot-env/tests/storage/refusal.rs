//! What is refused before anything is touched.

use uboot_env::{Error, Flags, Format, Location, NoBackup, Unsafe};

use super::images::image;
use super::world::{BLOCK, Healed, VARIABLES, World, with_changes};

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
