//! The kernel's clock.

use std::fs;
use std::io;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::{BootId, Clock, Moment, WallTime};
use crate::random;
use crate::root::Root;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// `CLOCK_BOOTTIME` and the kernel's boot id.
#[derive(Debug, Clone)]
pub struct RealClock {
    boot_id: BootId,
}

impl RealClock {
    /// The clock of this boot. A sandbox can pretend another boot with a boot id file of its own.
    ///
    /// # Errors
    /// When the boot id cannot be read.
    pub fn start(root: &Root) -> io::Result<Self> {
        let text = match fs::read_to_string(root.path(BOOT_ID)) {
            Err(why) if why.kind() == io::ErrorKind::NotFound && root.is_sandbox() => {
                fs::read_to_string(BOOT_ID)
            }
            found => found,
        };
        let text = text.map_err(|why| {
            let told = format!("the boot id {BOOT_ID} cannot be read: {why}; is /proc mounted?");
            io::Error::new(why.kind(), told)
        })?;
        let boot_id = text.trim_end().parse().map_err(io::Error::other)?;
        Ok(RealClock { boot_id })
    }

    /// A clock for a boot that cannot be told from others (there is no /proc yet): it counts as a new
    /// one, so that a change that was begun before is not taken for one of this boot.
    ///
    /// # Errors
    /// When the kernel gives no random numbers.
    pub fn of_unknown_boot() -> io::Result<Self> {
        let random = random::number().map_err(io::Error::other)?;
        let boot_id = format!("unknown-{random:016x}").parse().map_err(io::Error::other)?;
        Ok(RealClock { boot_id })
    }
}

impl Clock for RealClock {
    fn now(&self) -> Moment {
        // Fails only on a kernel before 2.6.39, which has no such clock; a deadline then passes at once
        // rather than never.
        clock_gettime(ClockId::CLOCK_BOOTTIME)
            .map_or(Moment::from_millis(u64::MAX), |time| Moment::BOOT + Duration::from(time))
    }

    fn boot_id(&self) -> BootId {
        self.boot_id.clone()
    }

    fn wall_time(&self) -> WallTime {
        WallTime::now()
    }
}
