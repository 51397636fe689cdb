//! Other software that sets the link's MAC address: how often, and what is still done about it.

use std::fmt;
use std::time::Duration;

use intercom_wire::Mac;
use serde::Serialize;

use crate::clock::Moment;

/// How often the hooks are run for it within [`WINDOW`]. More often they would keep the panel from ever
/// having an address for long.
const RUNS: usize = 3;
const WINDOW: Duration = Duration::from_secs(600);
/// Without the hooks the link is put right at most this often: two programs that each set it at once
/// would occupy the board.
const PAUSE: Duration = Duration::from_secs(5);

/// What other software has done to the link since the daemon started.
#[derive(Debug, Default)]
pub(super) struct ContestedLink {
    /// When the hooks were run for it, within the window.
    runs: Vec<Moment>,
    /// When the link was put right last.
    last: Option<(Moment, Mac)>,
    times: u64,
}

/// The same for people and `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkContest {
    /// How often other software has set the link's address.
    pub times: u64,
    /// What it was set to last.
    pub mac: Mac,
    /// When the link was put right last.
    pub seconds_ago: u64,
    /// Whether the hooks are left out now, since they ran too often.
    pub without_hooks: bool,
}

impl fmt::Display for LinkContest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LinkContest { times, mac, seconds_ago, without_hooks } = self;
        write!(
            f,
            "other software has set its MAC address {times} times, last to {mac} {seconds_ago} s ago"
        )?;
        match without_hooks {
            true => write!(
                f,
                "; it is put right without the hooks now, at most every {} s, and wrong in between",
                PAUSE.as_secs()
            ),
            false => Ok(()),
        }
    }
}

impl ContestedLink {
    /// Whether the hooks ran so often that they are left out.
    fn is_without_hooks(&self, now: Moment) -> bool {
        self.runs.iter().filter(|at| **at + WINDOW > now).count() >= RUNS
    }

    /// When the link may be put right.
    pub(super) fn from(&self, now: Moment) -> Moment {
        match self.last {
            Some((at, _)) if self.is_without_hooks(now) => now.max(at + PAUSE),
            _ => now,
        }
    }

    /// The link had this address and was put right. Whether the hooks are to run.
    pub(super) fn put_right(&mut self, had: Mac, now: Moment) -> bool {
        self.times += 1;
        self.last = Some((now, had));
        if self.is_without_hooks(now) {
            return false;
        }
        self.runs.retain(|at| *at + WINDOW > now);
        self.runs.push(now);
        true
    }

    /// What to tell; `None` if nobody has set it.
    pub(super) fn status(&self, now: Moment) -> Option<LinkContest> {
        let (at, mac) = self.last?;
        Some(LinkContest {
            times: self.times,
            mac,
            seconds_ago: now.since(at).as_secs(),
            without_hooks: self.is_without_hooks(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::{FACTORY_MAC, NOW, mac};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_hooks_run_three_times_within_ten_minutes() {
        let mut contested = ContestedLink::default();
        let at = |seconds: u32| NOW + SECOND * seconds;
        let mut put_right = |seconds| contested.put_right(mac(FACTORY_MAC), at(seconds));
        assert_eq!([0, 10, 20, 30, 599].map(&mut put_right), [true, true, true, false, false]);
        assert_eq!([601, 602, 611].map(&mut put_right), [true, false, true]);
    }

    #[test]
    fn it_is_put_right_at_once_unless_that_is_in_vain() {
        let mut contested = ContestedLink::default();
        assert_eq!((contested.from(NOW), contested.status(NOW)), (NOW, None));
        for _ in 0..3 {
            assert_eq!(contested.from(NOW), NOW);
            contested.put_right(mac(FACTORY_MAC), NOW);
        }
        assert_eq!(contested.from(NOW), NOW + PAUSE);
        assert_eq!(contested.from(NOW + WINDOW), NOW + WINDOW);
        let expected =
            LinkContest { times: 3, mac: mac(FACTORY_MAC), seconds_ago: 1, without_hooks: true };
        assert_eq!(contested.status(NOW + SECOND).as_ref(), Some(&expected));
        assert_eq!(
            expected.to_string(),
            "other software has set its MAC address 3 times, last to 08:00:00:00:00:01 1 s ago; it is put \
             right without the hooks now, at most every 5 s, and wrong in between"
        );
    }
}
