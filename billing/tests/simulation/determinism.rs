//! A test of the test: a seed stands for one life, so that a failure can be replayed.

use std::collections::BTreeSet;

use super::log::Log;
use super::plan::life;

const SEEDS: u64 = 10;

#[test]
fn the_same_seed_twice_gives_the_same_bytes_of_log() {
    let mut lives = BTreeSet::new();
    for seed in 1..=SEEDS {
        let (first, second) = (life(seed, Log::kept()), life(seed, Log::kept()));
        let (first, second) = (first.log.text(), second.log.text());
        let differs = first.lines().zip(second.lines()).find(|(a, b)| a != b);
        assert_eq!(differs, None, "seed {seed}");
        assert!(first == second, "seed {seed}: one log goes on where the other ends");
        assert!(first.contains("billing: intercoms/who"), "seed {seed}: nothing is told");
        lives.insert(first.to_owned());
    }
    // A log that says nothing of the seed would be the same twice as well.
    assert_eq!(lives.len() as u64, SEEDS);
}
