//! Which thing is killed or stopped next.

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A NATS node is killed, and starts again after a while.
    Node(usize),
    /// The billing process that leads is killed, and starts again.
    Leader,
    /// The one that does not lead is killed, and starts again.
    Follower,
    /// The one that leads is stopped for a while, and goes on as if nothing had happened.
    StoppedLeader,
    /// PostgreSQL ends every connection.
    Connections,
    /// PostgreSQL itself ends at once, and starts again.
    Postgres,
}

/// An endless row of faults that follows from a number.
pub(super) struct Faults {
    state: u64,
    waiting: Vec<Fault>,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        Faults { state: seed, waiting: Vec::new() }
    }

    /// The next one. Each kind comes once before one comes again.
    pub(super) fn next(&mut self) -> Fault {
        if self.waiting.is_empty() {
            let node = self.random(3);
            self.waiting = vec![
                Fault::Node(node),
                Fault::Leader,
                Fault::Follower,
                Fault::StoppedLeader,
                Fault::Connections,
                Fault::Postgres,
            ];
        }
        let chosen = self.random(self.waiting.len());
        self.waiting.swap_remove(chosen)
    }

    /// SplitMix64, below a bound.
    fn random(&mut self, below: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let below = u64::try_from(below).unwrap_or(1).max(1);
        usize::try_from((z ^ (z >> 31)) % below).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_faults_again_and_each_kind_comes() {
        let of = |seed| {
            let mut faults = Faults::new(seed);
            (0..12).map(|_| faults.next()).collect::<Vec<_>>()
        };
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        for kind in [
            Fault::Leader,
            Fault::Follower,
            Fault::StoppedLeader,
            Fault::Connections,
            Fault::Postgres,
        ] {
            assert_eq!(of(7).iter().filter(|fault| **fault == kind).count(), 2, "{kind:?}");
        }
    }
}
