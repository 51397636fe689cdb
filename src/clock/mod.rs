//! Time: the boot's own clock for deadlines, the wall clock only for people.

mod floor;
mod moment;
mod real;
mod wall;

pub use floor::Floor;
pub use moment::{BootId, InvalidBootId, Moment};
pub use real::RealClock;
pub use wall::WallTime;

/// Where deadlines get their time from.
///
/// A panel's wall clock may be wrong by decades and jump; this clock only ever goes forward, and
/// starts again with each boot.
pub trait Clock {
    /// The time since the board booted, sleep included.
    fn now(&self) -> Moment;

    /// Which boot that was. Moments of two boots cannot be compared.
    fn boot_id(&self) -> BootId;

    /// What the wall clock says, which may be wrong: for people alone.
    fn wall_time(&self) -> WallTime;
}

#[cfg(test)]
mod tests;
