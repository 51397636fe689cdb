//! When the link tries again: soon within a round through the broker's nodes, and later from round to
//! round.

use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The rounds until the broker is reached.
pub(super) struct Rounds {
    /// How many nodes there are.
    nodes: usize,
    /// How many have failed in this round.
    failed: usize,
    /// The pause after the last round.
    pause: Duration,
}

impl Rounds {
    pub(super) fn new(nodes: usize) -> Self {
        Rounds { nodes, failed: 0, pause: FIRST_PAUSE }
    }

    /// A connection is lost, or none was made. How long to wait before the next attempt.
    pub(super) fn pause(&mut self, was_up: bool) -> Duration {
        if was_up {
            (self.failed, self.pause) = (0, FIRST_PAUSE);
        }
        self.failed += 1;
        if self.failed < self.nodes {
            return FIRST_PAUSE;
        }
        self.failed = 0;
        if !was_up {
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(rounds: &mut Rounds, were_up: &[bool]) -> Vec<f32> {
        were_up.iter().map(|was_up| rounds.pause(*was_up).as_secs_f32()).collect()
    }

    #[test]
    fn with_one_node_each_failure_doubles_the_pause() {
        let mut rounds = Rounds::new(1);
        assert_eq!(pauses(&mut rounds, &[false; 3]), [1.0, 2.0, 4.0]);
        assert_eq!(pauses(&mut rounds, &[false; 9]).last(), Some(&60.0));
        assert_eq!(pauses(&mut rounds, &[true, true, false]), [0.5, 0.5, 1.0]);
    }

    #[test]
    fn with_several_only_a_whole_round_does() {
        let mut rounds = Rounds::new(3);
        let two = pauses(&mut rounds, &[false; 6]);
        assert_eq!(two, [0.5, 0.5, 1.0, 0.5, 0.5, 2.0]);
        let lost = pauses(&mut rounds, &[true, false, false]);
        assert_eq!(lost, [0.5, 0.5, 1.0]);
    }
}
