//! The earliest time that it can be.

use std::fs;

use super::WallTime;
use crate::board::Root;

/// 2026-11-01: this version was made later.
const RELEASE: u64 = 1_793_491_200;

/// The later of this release and the firmware's `TIME_STAMP` in `/etc/os-release` (OpenIPC: seconds
/// since 1970). A calendar that says less is wrong.
pub fn earliest(root: &Root) -> WallTime {
    let os_release = fs::read_to_string(root.path("/etc/os-release")).unwrap_or_default();
    WallTime::from_unix_seconds(time_stamp(&os_release).unwrap_or(0).max(RELEASE))
}

fn time_stamp(os_release: &str) -> Option<u64> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("TIME_STAMP="))?;
    value.trim().trim_matches(['"', '\'']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::testing::Sandbox;

    #[test]
    fn a_firmware_younger_than_this_version_tells_when_it_was_made() {
        let sandbox = Sandbox::new();
        let of = |os_release: &str| {
            sandbox.write("/etc/os-release", os_release);
            earliest(sandbox.root()).unix_seconds()
        };
        assert_eq!(of("NAME=OpenIPC\nTIME_STAMP=1799999999\n"), 1_799_999_999);
        assert_eq!(of("TIME_STAMP=\"1799999999\""), 1_799_999_999);
        assert_eq!(of("TIME_STAMP=1234567890"), RELEASE);
        assert_eq!(of("TIME_STAMP=yesterday"), RELEASE);
        assert_eq!(earliest(Sandbox::new().root()).unix_seconds(), RELEASE);
    }
}
