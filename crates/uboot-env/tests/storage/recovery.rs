//! What a recovery does with a torn write and its backup.

use uboot_env::{Format, Recovery};

use super::images::image;
use super::power::{Power, Tear};
use super::world::{BLOCK, Healed, World, powered_by};

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
