//! The host that billing runs on: a clock that the world moves, and request IDs in their order.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use intercom_billing::host::Host;
use uuid::Uuid;

/// Unix time at the beginning of a world, in milliseconds.
pub const BEGINNING_MS: i64 = 1_800_000_000_000;

#[derive(Debug)]
pub struct SimulatedHost {
    now_ms: AtomicI64,
    ids: AtomicU64,
}

impl SimulatedHost {
    pub fn new() -> Self {
        SimulatedHost { now_ms: AtomicI64::new(BEGINNING_MS), ids: AtomicU64::new(0) }
    }

    /// It is that many milliseconds after the beginning now.
    pub fn set(&self, now: u64) {
        self.now_ms.store(unix_ms(now), Ordering::Relaxed);
    }
}

impl Host for SimulatedHost {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn fresh_id(&self) -> Uuid {
        Uuid::from_u64_pair(0, self.ids.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The Unix time that many milliseconds after the beginning.
pub fn unix_ms(now: u64) -> i64 {
    BEGINNING_MS + i64::try_from(now).expect("a time")
}

/// The last part of a request's ID, which tells it from the others.
pub fn short(request_id: &str) -> String {
    let number = request_id.rsplit('-').next().unwrap_or(request_id).trim_start_matches('0');
    format!("r{number}")
}
