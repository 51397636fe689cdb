//! A test of the test: a seed stands for one life, so that a failure can be replayed.

use std::collections::HashSet;

use super::replay::Replay;

const SEEDS: u64 = 100;

#[test]
fn the_same_seed_twice_gives_the_same_bytes_of_log() {
    let mut lives = HashSet::new();
    for seed in 1..=SEEDS {
        let (first, second) = (Replay::of(seed), Replay::of(seed));
        let differs = first.log.lines().zip(second.log.lines()).find(|(a, b)| a != b);
        assert_eq!(differs, None, "seed {seed}");
        assert!(first.log == second.log, "seed {seed}: one log goes on where the other ends");
        assert_eq!(first.broken, second.broken, "seed {seed}");
        assert!(first.log.contains(" boot "), "seed {seed}: nothing is told");
        lives.insert(first.log);
    }
    // A log that says nothing of the seed would be the same twice as well.
    assert_eq!(lives.len() as u64, SEEDS);
}
