//! How much is logged: for a while more than the configuration says.

use std::time::Duration;

use log::{LevelFilter, info};
use tokio::time::Instant;

/// The level, and when it goes back to the configured one.
#[derive(Debug)]
pub(super) struct LogLevel {
    configured: LevelFilter,
    until: Option<Instant>,
}

impl LogLevel {
    pub(super) fn new(configured: LevelFilter) -> Self {
        LogLevel { configured, until: None }
    }

    /// Logs so much for so long.
    pub(super) fn set(&mut self, level: LevelFilter, time: Duration) {
        log::set_max_level(level);
        info!("the log is at {level} for {} s", time.as_secs());
        self.until = Some(Instant::now() + time);
    }

    /// When it goes back.
    pub(super) fn next(&self) -> Option<Instant> {
        self.until
    }

    /// Goes back once it is time.
    pub(super) fn tick(&mut self) {
        if self.until.is_some_and(|until| until <= Instant::now()) {
            self.until = None;
            log::set_max_level(self.configured);
            info!("the log is at {} again", self.configured);
        }
    }
}
