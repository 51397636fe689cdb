//! A panel that has lost its address: the hooks get it another one.

use std::time::Duration;

use crate::clock::Moment;

/// How long the link may be without an address: a DHCP client has its own tries first.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest time between two runs of the hooks.
const LONGEST: Duration = Duration::from_secs(900);

/// When the hooks run for it.
#[derive(Debug, Default)]
pub(super) struct LostAddress {
    /// How long was waited last, and until when.
    wait: Option<(Duration, Moment)>,
}

impl LostAddress {
    /// When it is looked at again; `None` while nothing is missing.
    pub(super) fn due(&self) -> Option<Moment> {
        self.wait.map(|(_, until)| until)
    }

    /// Nothing is missing.
    pub(super) fn found(&mut self) {
        self.wait = None;
    }

    /// Upstream is not reached, and the link has a carrier and no address. Whether the hooks are to
    /// run now.
    pub(super) fn is_missing(&mut self, now: Moment) -> bool {
        let (wait, run) = match self.wait {
            None => (PATIENCE, false),
            Some((_, until)) if now < until => return false,
            Some((wait, _)) => ((wait * 2).min(LONGEST), true),
        };
        self.wait = Some((wait, now + wait));
        run
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::NOW;

    #[test]
    fn the_hooks_run_after_a_while_and_then_ever_less_often() {
        let mut lost = LostAddress::default();
        assert_eq!(lost.due(), None);
        let mut now = NOW;
        let mut waits = Vec::new();
        for runs in 0..7 {
            assert_eq!(lost.is_missing(now), runs > 0, "{runs}");
            assert!(!lost.is_missing(now), "once");
            let due = lost.due().expect("a moment");
            waits.push(due.since(now).as_secs());
            now = due;
        }
        assert_eq!(waits, [60, 120, 240, 480, 900, 900, 900]);
        lost.found();
        assert_eq!(lost.due(), None);
        assert!(!lost.is_missing(now), "it is waited for again");
    }
}
