//! The host that the service runs on: its wall clock, and its random numbers.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// What the operations take from the host. A simulation has a host of its own.
pub trait Host: Send + Sync {
    /// Unix time in milliseconds; 0 if the clock is before 1970.
    fn now_ms(&self) -> i64;
    /// A new name that nobody else has, for a request.
    fn fresh_id(&self) -> Uuid;
}

/// The host itself.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Host for System {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
    }

    fn fresh_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// A host whose clock only goes on when a test says so. Unix time in milliseconds.
    pub(crate) struct Clock(pub(crate) AtomicI64);

    impl Host for Clock {
        fn now_ms(&self) -> i64 {
            self.0.load(Ordering::Relaxed)
        }

        fn fresh_id(&self) -> Uuid {
            Uuid::new_v4()
        }
    }
}
