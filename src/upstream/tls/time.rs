//! The time by which certificates are judged, on a board whose clock may start in 1970.

use std::fs;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use crate::board::Root;

/// 2026-11-01: this version was made later, so no earlier time can be the right one.
const RELEASE: u64 = 1_793_491_200;

/// The clock, but never before the release of the agent or of the firmware. Verification is never
/// switched off: a certificate that begins later than the floor still needs a clock that is set.
#[derive(Debug)]
pub(super) struct NotBefore(u64);

impl NotBefore {
    /// The later of this release and `TIME_STAMP` in `/etc/os-release` (OpenIPC: seconds since 1970).
    pub(super) fn firmware(root: &Root) -> Self {
        let os_release = fs::read_to_string(root.path("/etc/os-release")).unwrap_or_default();
        NotBefore(time_stamp(&os_release).unwrap_or(0).max(RELEASE))
    }

    fn at_least(&self, clock: u64) -> u64 {
        clock.max(self.0)
    }
}

impl TimeProvider for NotBefore {
    fn current_time(&self) -> Option<UnixTime> {
        let clock = UnixTime::now().as_secs();
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(self.at_least(clock))))
    }
}

fn time_stamp(os_release: &str) -> Option<u64> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("TIME_STAMP="))?;
    value.trim().trim_matches(['"', '\'']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_in_1970_counts_as_the_release() {
        assert_eq!(NotBefore(RELEASE).at_least(17), RELEASE);
        assert_eq!(NotBefore(RELEASE).at_least(RELEASE + 5), RELEASE + 5);
    }

    #[test]
    fn the_firmware_tells_when_it_was_made() {
        assert_eq!(time_stamp("NAME=OpenIPC\nTIME_STAMP=1799999999\n"), Some(1_799_999_999));
        assert_eq!(time_stamp("TIME_STAMP=\"1799999999\""), Some(1_799_999_999));
        assert_eq!(time_stamp("TIME_STAMP=yesterday"), None);
        assert_eq!(time_stamp(""), None);
    }
}
