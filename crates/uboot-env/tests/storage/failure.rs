//! Writes that fail while the power is on.

use uboot_env::{Error, Flags};

use super::world::World;

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
