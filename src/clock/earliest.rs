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
