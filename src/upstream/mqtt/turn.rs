//! Which of the broker's addresses is tried next, and when.

use std::time::Duration;

use intercom_wire::BoardName;

use crate::upstream::backoff::Backoff;

/// The longest pause after the first lost connection, and between two addresses.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two rounds.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Where an attempt goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// Which of the broker's URLs is tried; behind the last comes the first again.
    pub(super) broker: usize,
    /// Which of its host's addresses is tried first.
    pub(super) address: usize,
}

/// The rounds through the broker's URLs until it is reached. Within a round the pauses are short; they
/// grow from round to round.
#[derive(Debug)]
pub(super) struct Rounds {
    backoff: Backoff,
    /// How many URLs there are.
    brokers: usize,
    /// How many have failed in this round.
    failed: usize,
}

impl Rounds {
    pub(super) fn new(board: &BoardName, brokers: usize) -> Self {
        let backoff = Backoff::new(board.as_str(), FIRST_PAUSE, LONGEST_PAUSE);
        Rounds { backoff, brokers, failed: 0 }
    }

    /// A connection is lost, or none was made. How long to wait before the next attempt.
    pub(super) fn pause(&mut self, turn: &mut Turn, was_reachable: bool) -> Duration {
        if was_reachable {
            self.backoff.reset();
            self.failed = 0;
        }
        self.failed += 1;
        if self.failed < self.brokers {
            return self.backoff.short();
        }
        self.failed = 0;
        if !was_reachable {
            // What answers there may be no broker, or one that never gets ready.
            turn.address = turn.address.wrapping_add(1);
        }
        self.backoff.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(brokers: usize) -> Rounds {
        Rounds::new(&"gate-1".parse().expect("a board name"), brokers)
    }

    /// The longest of the pauses that a fresh start makes after as many failures as `failures`, over
    /// many boards.
    fn longest(brokers: usize, failures: usize) -> Duration {
        let of_board = |number: u32| {
            let board = format!("gate-{number}").parse().expect("a board name");
            let (mut rounds, mut turn) = (Rounds::new(&board, brokers), Turn::default());
            (0..failures).map(|_| rounds.pause(&mut turn, false)).last().unwrap_or_default()
        };
        (0..200).map(of_board).max().unwrap_or_default()
    }

    #[test]
    fn pauses_grow_from_round_to_round_and_are_short_within_one() {
        for failures in [1, 2, 3, 4, 5, 7, 8, 10, 11] {
            assert!(longest(3, failures) <= FIRST_PAUSE, "{failures}");
        }
        for (limit, failures) in [(2, 6), (4, 9), (8, 12)] {
            let (limit, longest) = (FIRST_PAUSE * limit, longest(3, failures));
            assert!(limit / 2 < longest && longest <= limit, "{failures}: {longest:?}");
        }
    }

    #[test]
    fn a_success_begins_another_round_with_short_pauses() {
        let (mut rounds, mut turn) = (rounds(2), Turn::default());
        for _ in 0..9 {
            rounds.pause(&mut turn, false);
        }
        for was_reachable in [true, false] {
            assert!(rounds.pause(&mut turn, was_reachable) <= FIRST_PAUSE);
        }
    }

    #[test]
    fn the_next_round_begins_with_another_address_of_each_host_unless_the_broker_was_reached() {
        let (mut rounds, mut turn) = (rounds(2), Turn::default());
        let mut after = |was_reachable| {
            rounds.pause(&mut turn, was_reachable);
            turn.address
        };
        assert_eq!([false, false, false, false].map(&mut after), [0, 1, 1, 2]);
        assert_eq!([true, true, false].map(&mut after), [2, 2, 3]);
        let (mut one, mut turn) = (self::rounds(1), Turn::default());
        one.pause(&mut turn, true);
        assert_eq!(turn.address, 0, "the connection to it was good");
    }
}
