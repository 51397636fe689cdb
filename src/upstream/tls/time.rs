//! The time by which certificates are judged, on a board whose clock may start in 1970.

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use crate::board::Root;
use crate::clock;

/// The clock, but never before the release of the agent or of the firmware. Verification is never
/// switched off: a certificate that begins later than the floor still needs a clock that is set.
#[derive(Debug)]
pub(super) struct NotBefore(u64);

impl NotBefore {
    /// The earliest time that it can be, given this firmware.
    pub(super) fn firmware(root: &Root) -> Self {
        NotBefore(clock::earliest(root).unix_seconds())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_in_1970_counts_as_the_release() {
        assert_eq!(NotBefore(1000).at_least(17), 1000);
        assert_eq!(NotBefore(1000).at_least(1005), 1005);
    }
}
