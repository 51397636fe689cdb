//! The floor under the wall clock of a board that may start in 1970.

use std::fs;

use super::WallTime;
use crate::root::Root;

/// 2026-11-01: this version was made later.
const RELEASE: u64 = 1_793_491_200;

/// The earliest time that it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    made: WallTime,
    last_good: Option<WallTime>,
}

impl Floor {
    /// The later of this release and the firmware's `TIME_STAMP` in `/etc/os-release` (OpenIPC:
    /// seconds since 1970), and the last good time that was seen.
    pub fn new(root: &Root, last_good: Option<WallTime>) -> Self {
        let os_release = fs::read_to_string(root.path("/etc/os-release")).unwrap_or_default();
        let made = time_stamp(&os_release).unwrap_or(0).max(RELEASE);
        Floor { made: WallTime::from_unix_seconds(made), last_good }
    }

    /// When the firmware was made: a wall clock that says less was never set.
    pub fn made(&self) -> WallTime {
        self.made
    }

    /// What time it is, given what the wall clock says. The last good time counts only where the
    /// wall clock was never set: a wrong one that was seen must not stand against a right one.
    pub fn lift(&self, wall_clock: WallTime) -> WallTime {
        if wall_clock >= self.made {
            wall_clock
        } else {
            self.last_good.max(Some(self.made)).unwrap_or(self.made)
        }
    }
}

fn time_stamp(os_release: &str) -> Option<u64> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("TIME_STAMP="))?;
    value.trim().trim_matches(['"', '\'']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sandbox;

    const fn time(seconds: u64) -> WallTime {
        WallTime::from_unix_seconds(seconds)
    }

    #[test]
    fn a_firmware_younger_than_this_version_tells_when_it_was_made() {
        let sandbox = Sandbox::new();
        let of = |os_release: &str| {
            sandbox.write("/etc/os-release", os_release);
            Floor::new(sandbox.root(), None).made().unix_seconds()
        };
        assert_eq!(of("NAME=OpenIPC\nTIME_STAMP=1799999999\n"), 1_799_999_999);
        assert_eq!(of("TIME_STAMP=\"1799999999\""), 1_799_999_999);
        assert_eq!(of("TIME_STAMP=1234567890"), RELEASE);
        assert_eq!(of("TIME_STAMP=yesterday"), RELEASE);
        assert_eq!(Floor::new(Sandbox::new().root(), None).made().unix_seconds(), RELEASE);
    }

    #[test]
    fn a_wall_clock_that_was_never_set_counts_as_the_last_good_time() {
        let lift =
            |last_good, wall_clock| Floor { made: time(1000), last_good }.lift(time(wall_clock));
        assert_eq!(lift(None, 17), time(1000));
        assert_eq!(lift(Some(time(900)), 17), time(1000));
        assert_eq!(lift(Some(time(5000)), 17), time(5000));
        assert_eq!(lift(Some(time(5000)), 1005), time(1005), "one that was set counts");
    }
}
