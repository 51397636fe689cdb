//! Whole lives from seeds: strangers, faults, operators and power cuts in any order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::log::Log;
use super::plan::life;

/// How many seeds are followed, unless `SIM_SECONDS` says for how long.
const SEEDS: u64 = 100;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

/// What a seed broke, and how many steps it took.
fn broken_by(seed: u64) -> (Vec<String>, u64) {
    let lived = catch_unwind(AssertUnwindSafe(|| {
        let world = life(seed, Log::default());
        (world.watch.broken, world.steps)
    }));
    lived.unwrap_or_else(|_| (vec!["it panicked".to_owned()], 0))
}

#[test]
fn seeds_break_no_rule() {
    let limit = number("SIM_SECONDS").map(Duration::from_secs);
    let first = number("SIM_FIRST_SEED").unwrap_or(1);
    let goes_on = number("SIM_GO_ON").is_some();
    let (start, next, stop) = (Instant::now(), AtomicU64::new(first), AtomicBool::new(false));
    let (steps, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let is_over =
                        limit.map_or(seed >= first + SEEDS, |limit| start.elapsed() > limit);
                    if is_over {
                        return;
                    }
                    let (broken, took) = broken_by(seed);
                    steps.fetch_add(took, Ordering::Relaxed);
                    if !broken.is_empty() {
                        stop.store(!goes_on, Ordering::Relaxed);
                        failed.lock().expect("no panic").push((seed, broken));
                    }
                }
            });
        }
    });
    // Each thread has taken one more at its end.
    let seeds = (next.into_inner() - first).saturating_sub(2);
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    let failed = failed.into_inner().expect("no panic");
    println!(
        "{seeds} seeds, {:.0} a minute, {} steps, {} seeds with violations",
        seeds as f64 / minutes,
        steps.into_inner(),
        failed.len()
    );
    let told: Vec<String> = failed
        .iter()
        .map(|(seed, broken)| {
            let replay = format!(
                "SIM_SEED={seed} cargo test -p intercom-billing --test simulation replay -- --nocapture"
            );
            format!("seed {seed}:\n  {}\n  {replay}", broken.join("\n  "))
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// Follows `SIM_SEED` alone, and prints what happens.
#[test]
fn replay() {
    let Some(seed) = number("SIM_SEED") else { return };
    let world = life(seed, Log::kept());
    print!("{}", world.log.text());
    assert_eq!(world.watch.broken, Vec::<String>::new());
}
