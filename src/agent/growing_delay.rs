//! The delays with which the agent tries again what the board's sources and its environment refuse for a
//! while: twice as long each time, up to the longest.

use std::time::Duration;

pub(super) const FIRST_DELAY: Duration = Duration::from_secs(5);
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(600);

/// How long to wait the next time.
#[derive(Debug)]
pub(super) struct GrowingDelay(Duration);

impl Default for GrowingDelay {
    fn default() -> Self {
        GrowingDelay(FIRST_DELAY)
    }
}

impl GrowingDelay {
    /// How long to wait now. The next time it is twice as long.
    pub(super) fn next(&mut self) -> Duration {
        let longer = (self.0 * 2).min(LONGEST_DELAY);
        std::mem::replace(&mut self.0, longer)
    }
}
