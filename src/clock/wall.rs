//! The wall clock, for people and for nothing else.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use intercom_wire::json_newtype;

/// Seconds since 1970 in UTC, as the board's wall clock has them: perhaps wrong. Shown as
/// `2026-01-31T12:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(u64);

impl WallTime {
    /// What the wall clock says now; 1970 if it says something earlier.
    pub fn now() -> Self {
        WallTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    /// So many seconds after the start of 1970.
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        WallTime(seconds)
    }

    /// Seconds since the start of 1970.
    pub const fn unix_seconds(self) -> u64 {
        self.0
    }
}

json_newtype!(WallTime);

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        // The calendar repeats every 400 years of 146,097 days. Years begin in March here, so that
        // the leap day is the last of its year and month lengths follow one formula.
        let since_march_of_year_0 = days + 719_468;
        let era = since_march_of_year_0 / 146_097;
        let day_of_era = since_march_of_year_0 % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }
}
