//! One seed, told line by line.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::driver::Run;
use super::log::Log;
use super::plan::Plan;
use super::random::{follow, number};

/// A life and its log: what is going to happen around the board, and then what happens on it.
pub struct Replay {
    pub log: String,
    pub broken: Vec<String>,
}

impl Replay {
    pub fn of(seed: u64) -> Self {
        let Plan { mut world, cuts, faulty } = Plan::of(seed);
        let mut log = Log::kept();
        for (time, action) in world.script() {
            log.tell(time, || format!("{action:?}"));
        }
        log.tell(0, || format!("{cuts:?} {:?} {:?}", world.rules, world.environments.kept));
        world.log = log;
        let mut run = Run::new(world);
        // A life that ends in a panic has a log too.
        let followed = catch_unwind(AssertUnwindSafe(|| follow(&mut run, &cuts, faulty)));
        let mut broken = run.broken();
        if followed.is_err() {
            broken.push("it panicked".to_owned());
        }
        let log = run.world.borrow().log.text().to_owned();
        Replay { log, broken }
    }
}

/// Follows `SIM_SEED` alone, and prints what happens on the board.
#[test]
fn replay() {
    let Some(seed) = number("SIM_SEED") else { return };
    let Replay { log, broken } = Replay::of(seed);
    print!("{log}");
    assert_eq!(broken, Vec::<String>::new());
}
