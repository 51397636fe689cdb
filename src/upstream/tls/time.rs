//! The time against which certificates are checked. A board's clock may start in 1970.

use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use crate::clock::{Floor, WallTime};

/// The wall clock, or the floor if the clock is behind it. Verification is never switched off: a
/// certificate that begins after the floor needs a clock that is set.
#[derive(Debug)]
pub(super) struct Lifted(pub(super) Floor);

impl TimeProvider for Lifted {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.lift(WallTime::now()).unix_seconds();
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
