//! Rule 6: a record that is damaged, or that cannot be read, is set aside; the last good copy counts,
//! or else the board.

use intercom_wire::FactoryIdentity;

use super::disk::Unsynced;
use super::driver::{Cut, Run};
use super::power::Reach;
use super::requests::identity;
use super::scenario::Scenario;
use super::scenarios::named;
use super::script::Death;

const RECORD: &str = "record.json";
const PREVIOUS: &str = "record.json.previous";
const ASIDE: &str = "record.json.damaged";

/// The board has become C long ago, and nothing else happens.
fn at_rest() -> Scenario {
    Scenario { script: Vec::new(), spoiled: false, ..named("a damaged record") }
}

fn live_on(spoil: impl Fn(&mut super::disk::DiskState)) -> Run {
    let mut world = at_rest().prepared();
    world.watch.spoiled = true;
    spoil(&mut world.disk);
    let mut run = Run::new(world);
    run.live_to_the_end();
    assert_eq!(run.broken(), Vec::<String>::new());
    run
}

fn says(run: &Run, what: &str) -> bool {
    let agent = run.agent().expect("alive");
    agent.steps().after(0).any(|step| step.text.contains(what))
}

#[test]
fn a_damaged_record_is_set_aside_and_its_last_good_copy_counts() {
    let mut damaged = Vec::new();
    {
        let mut world = at_rest().prepared();
        world.disk.spoil(RECORD);
        damaged.extend_from_slice(world.disk.file(RECORD).expect("there"));
    }
    let run = live_on(|disk| disk.spoil(RECORD));
    let record = run.agent().expect("alive").record().clone();
    assert_eq!(record.current.identity, identity('C'));
    assert_eq!(record.factory(), FactoryIdentity::Known(identity('A')));
    assert_eq!(run.world.borrow().disk.file(ASIDE), Some(&*damaged));
}

#[test]
fn the_damage_is_told() {
    let mut world = at_rest().prepared();
    world.watch.spoiled = true;
    world.disk.spoil(RECORD);
    let mut run = Run::new(world);
    run.live_to_the_end();
    // The one-shot restore at boot is the first to see it, and tells it to whoever started it.
    let remarks = run.world.borrow().watch.remarks.clone();
    assert!(remarks.iter().any(|r| r.contains("going on from its last good copy")), "{remarks:?}");
}

#[test]
fn without_a_good_copy_the_board_says_what_it_is() {
    let run = live_on(|disk| {
        disk.spoil(RECORD);
        disk.spoil(PREVIOUS);
    });
    let record = run.agent().expect("alive").record().clone();
    // The environment has told it since the change.
    assert_eq!(record.current.identity, identity('C'));
    assert_eq!(record.factory(), FactoryIdentity::Known(identity('A')), "and what the factory had");
}

#[test]
fn a_record_that_cannot_be_read_is_never_written_over() {
    let record = at_rest().prepared().disk.file(RECORD).expect("there").to_vec();
    let run = live_on(|disk| disk.make_unreadable(RECORD));
    let agent = run.agent().expect("alive");
    assert_eq!(agent.record().current.identity, identity('C'));
    assert_eq!(run.world.borrow().disk.file(ASIDE), Some(&*record));
    assert!(!says(&run, "from the board"));
}

/// Wherever a change is cut off, and the record is damaged on top of it.
#[test]
fn damage_after_a_cut_anywhere_leaves_one_identity() {
    for name in ["MAC and serial number", "unreachable afterwards", "rolled back by hand"] {
        let world = named(name).prepared();
        let mut base = Run::new(world.copy());
        base.live(&[]);
        for at in 0..base.operations[0] {
            let death = Death::Power(Unsynced::Lost);
            let mut run = Run::new(world.copy());
            run.live_until(&Cut { at, reach: Reach::Whole, death });
            let mut damaged = run.hardware();
            damaged.watch.spoiled = true;
            damaged.disk.spoil(RECORD);
            let mut run = Run::new(damaged);
            run.live_to_the_end();
            assert_eq!(run.broken(), Vec::<String>::new(), "{name}, cut at {at}");
        }
    }
}
