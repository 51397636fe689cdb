//! Whole lives of a board from a seed: requests, troubles, faults and power cuts in any order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::driver::{Cut, Run};
use super::plan::Plan;

/// How long the seeds are followed, in seconds; `SIM_SECONDS` says otherwise.
const SECONDS: u64 = 3;

/// What a seed broke.
fn broken_by(seed: u64) -> Vec<String> {
    let followed = catch_unwind(AssertUnwindSafe(|| {
        let Plan { world, cuts, faulty } = Plan::of(seed);
        let mut run = Run::new(world);
        follow(&mut run, &cuts, faulty);
        run.broken()
    }));
    followed.unwrap_or_else(|_| vec!["it panicked".to_owned()])
}

/// Lives a whole life, and once more with nothing in the way.
pub fn follow(run: &mut Run, cuts: &[Cut], faulty: bool) {
    run.world.borrow_mut().watch.faulty = faulty;
    run.live(cuts);
    run.world.borrow_mut().watch.faulty = false;
    run.switch_off();
    run.live_to_the_end();
}

pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

/// An address that was lost during a change; a made-up one that was set by others in one; serial numbers
/// that were installed in the boot in which an unread or made-up address had been put back; two that
/// were taken back while the environment could not be written; a life that ended before the last poll; a
/// factory identity that was open when a boot took a change back.
const BROKE_A_RULE_ONCE: [u64; 9] = [
    4_010_413,
    7_004_207,
    1_116_922_968,
    1_116_022_216,
    20_023_508,
    9_001_988,
    9_014_510,
    514_462,
    525_393,
];

#[test]
fn seeds_that_broke_a_rule_once_break_none() {
    for seed in BROKE_A_RULE_ONCE {
        assert_eq!(broken_by(seed), [""; 0], "seed {seed}");
    }
}

#[test]
fn seeds_break_no_rule() {
    let limit = Duration::from_secs(number("SIM_SECONDS").unwrap_or(SECONDS));
    let first = number("SIM_FIRST_SEED").unwrap_or(1);
    let (start, next, stop) = (Instant::now(), AtomicU64::new(first), AtomicBool::new(false));
    let failed = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while start.elapsed() < limit && !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let broken = broken_by(seed);
                    if !broken.is_empty() {
                        stop.store(true, Ordering::Relaxed);
                        *failed.lock().expect("no panic") = Some((seed, broken));
                    }
                }
            });
        }
    });
    let schedules = next.into_inner() - first;
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    println!("{schedules} schedules, {:.0} a minute", schedules as f64 / minutes);
    if let Some((seed, broken)) = failed.into_inner().expect("no panic") {
        let replay = format!("SIM_SEED={seed} cargo test --test simulation replay -- --nocapture");
        panic!("{}\n{replay}", broken.join("\n"));
    }
}
