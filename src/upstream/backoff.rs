//! Back-off with jitter: waits grow with every failure and differ from board to board.
//!
//! After a power failure in a city all its panels start together. Each draws its waits from a
//! generator that is seeded with its board name, so that they do not connect at the same times.

use std::time::Duration;

/// Waits between failures: exponential with full jitter, up to a cap.
#[derive(Debug, Clone)]
pub struct Backoff {
    jitter: Jitter,
    first: Duration,
    cap: Duration,
    ceiling: Duration,
}

/// A board's own sequence of evenly distributed times.
#[derive(Debug, Clone)]
pub struct Jitter {
    state: u64,
}

impl Backoff {
    /// The first wait is at most `first`. The limit doubles with each wait, up to `cap`. `seed` is the
    /// board's name.
    pub fn new(seed: &str, first: Duration, cap: Duration) -> Self {
        Backoff { jitter: Jitter::new(seed), first, cap, ceiling: first.min(cap) }
    }

    /// How long to wait after another failure: from zero to the current limit.
    #[expect(
        clippy::should_implement_trait,
        reason = "an endless sequence is no use as an iterator"
    )]
    pub fn next(&mut self) -> Duration {
        let wait = self.jitter.up_to(self.ceiling);
        self.ceiling = self.ceiling.saturating_mul(2).min(self.cap);
        wait
    }

    /// A short wait that counts as no failure.
    #[cfg(feature = "mqtt")]
    pub fn short(&mut self) -> Duration {
        self.jitter.up_to(self.first)
    }

    /// Starts again with short waits, after a success.
    pub fn reset(&mut self) {
        self.ceiling = self.first.min(self.cap);
    }
}

impl Jitter {
    /// The sequence of one board; the same name gives the same sequence.
    pub fn new(seed: &str) -> Self {
        // FNV-1a: names that differ in one digit give different states.
        let state = seed.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Jitter { state }
    }

    /// A time from zero to `longest`.
    pub fn up_to(&mut self, longest: Duration) -> Duration {
        let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
        let drawn = (u128::from(self.draw()) * (u128::from(nanos) + 1)) >> 64;
        // It is at most `nanos`, so it fits.
        Duration::from_nanos(drawn as u64)
    }

    /// A time that differs from `middle` by an eighth at most.
    pub fn around(&mut self, middle: Duration) -> Duration {
        let eighth = middle / 8;
        middle - eighth + self.up_to(eighth.saturating_mul(2))
    }

    /// SplitMix64, of Steele, Lea and Flood (2014).
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIRST: Duration = Duration::from_secs(1);
    const CAP: Duration = Duration::from_secs(900);

    #[test]
    fn the_generator_is_the_published_one() {
        let mut jitter = Jitter { state: 1_234_567 };
        let drawn: Vec<u64> = (0..3).map(|_| jitter.draw()).collect();
        assert_eq!(
            drawn,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn ten_thousand_boards_spread_evenly_over_the_first_second() {
        let mut tenths = [0; 10];
        for board in 0..10_000 {
            let name = format!("mac-0800001a{board:04x}");
            let wait = Backoff::new(&name, FIRST, CAP).next();
            tenths[wait.as_millis().min(999) as usize / 100] += 1;
        }
        assert!(tenths.iter().all(|count| (800..1200).contains(count)), "{tenths:?}");
    }

    #[test]
    fn a_success_makes_the_waits_short_again() {
        let mut backoff = Backoff::new("board", FIRST, CAP);
        let longest = (0..50).map(|_| backoff.next()).max();
        assert!(longest > Some(FIRST * 100));
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }

    proptest! {
        #[test]
        fn every_wait_is_within_its_ceiling(
            seed in ".{0,20}",
            first in 0..10_000_u64,
            cap in 0..10_000_000_u64,
            failures in 1..70_u32,
        ) {
            let (first, cap) = (Duration::from_millis(first), Duration::from_millis(cap));
            let mut backoff = Backoff::new(&seed, first, cap);
            for failure in 0..failures {
                let ceiling = first.saturating_mul(1 << failure.min(31)).min(cap);
                prop_assert!(backoff.next() <= ceiling);
            }
        }

        #[test]
        fn jitter_stays_around_its_middle(seed in ".{0,20}", middle in 0..1_000_000_u64) {
            let middle = Duration::from_millis(middle);
            let drawn = Jitter::new(&seed).around(middle);
            prop_assert!(drawn >= middle - middle / 8 && drawn <= middle + middle / 8);
        }
    }
}
