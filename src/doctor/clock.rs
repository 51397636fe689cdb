//! The wall clock: not before the firmware was made, nor a generation after.

use super::{Check, Finding, Look};
use crate::clock::{Floor, WallTime};
use crate::panel::Panel;

/// No firmware is in the field for as long.
const GENERATION: u64 = 25 * 365 * 86_400;

pub(super) const PLAUSIBLE: Check =
    Check { id: "clock", description: "the clock is plausible", look: Look::Board(look) };

pub(super) fn look(panel: &Panel) -> Finding {
    judge(WallTime::now(), Floor::new(&panel.root, None).made())
}

fn judge(now: WallTime, earliest: WallTime) -> Finding {
    let latest = WallTime::from_unix_seconds(earliest.unix_seconds() + GENERATION);
    if (earliest..=latest).contains(&now) {
        return Finding::ok(now.to_string());
    }
    Finding::warning(
        format!("{now} cannot be: this firmware was made after {earliest}"),
        "set the clock (NTP): certificates are judged by it. Nothing else of the agent depends on it",
    )
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_panel_in_1970_or_2106_has_no_plausible_clock() {
        let made = 1_793_491_200;
        let judge =
            |now| judge(WallTime::from_unix_seconds(now), WallTime::from_unix_seconds(made)).state;
        assert_eq!(judge(0), State::Warning);
        assert_eq!(judge(made - 1), State::Warning);
        assert_eq!(judge(made), State::Ok);
        assert_eq!(judge(u64::from(u32::MAX)), State::Warning);
    }
}
