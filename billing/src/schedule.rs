//! When a request may be offered: not before a time, not after another, and not in the quiet hours of
//! its group while a panel that is in use would have to change. Pure: no I/O, no clock.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A time zone by its name in the IANA database, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneName(String);

/// A time of day in minutes: `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(Time);

/// Hours of each day in which no panel of a group changes. They may go over midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietHours {
    /// Where the times count.
    pub time_zone: ZoneName,
    /// When they begin.
    pub begins: TimeOfDay,
    /// When they end; another time than they begin.
    pub ends: TimeOfDay,
}

/// When a request may be offered. Times are Unix times in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Nobody is offered it before.
    pub not_before_ms: Option<i64>,
    /// It ends then, if nobody has ended it.
    pub expires_ms: Option<i64>,
    /// The quiet hours of its group.
    pub quiet: Option<QuietHours>,
}

/// A text is no time zone or no time of day, or two times are no hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid {
    /// The IANA database has no such time zone.
    ZoneName,
    /// It is not `HH:MM`.
    TimeOfDay,
    /// The hours end when they begin.
    NoHours,
}

impl Schedule {
    /// Whether it is too late.
    pub fn is_over(&self, now_ms: i64) -> bool {
        self.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms)
    }

    /// The time before which nobody is offered it, if that is to come.
    pub fn waits_until(&self, now_ms: i64) -> Option<i64> {
        self.not_before_ms.filter(|not_before_ms| *not_before_ms > now_ms)
    }

    /// When the quiet hours end, if it is in them.
    pub fn is_quiet_until(&self, now_ms: i64) -> Option<i64> {
        self.quiet.as_ref()?.until(now_ms)
    }

    /// When any of it may change next.
    pub fn next_ms(&self, now_ms: i64) -> Option<i64> {
        let quiet = self.quiet.as_ref().and_then(|quiet| quiet.next_ms(now_ms));
        let expires = self.expires_ms.filter(|expires_ms| *expires_ms > now_ms);
        [self.waits_until(now_ms), expires, quiet].into_iter().flatten().min()
    }
}

impl QuietHours {
    /// Those between two times of day.
    ///
    /// # Errors
    /// Both are the same.
    pub fn new(time_zone: ZoneName, begins: TimeOfDay, ends: TimeOfDay) -> Result<Self, Invalid> {
        match begins == ends {
            true => Err(Invalid::NoHours),
            false => Ok(QuietHours { time_zone, begins, ends }),
        }
    }

    /// When they end, if it is in them. Unix times in milliseconds.
    fn until(&self, now_ms: i64) -> Option<i64> {
        self.around(now_ms)
            .find(|(begin, end)| (*begin..*end).contains(&now_ms))
            .map(|(_, end)| end)
    }

    /// When they end, if it is in them, or else begin.
    fn next_ms(&self, now_ms: i64) -> Option<i64> {
        let ends = self.around(now_ms).flat_map(|(begin, end)| [begin, end]);
        ends.filter(|at_ms| *at_ms > now_ms).min()
    }

    /// Those of yesterday, today and tomorrow. A time of day that a change of the clocks leaves out is
    /// taken for the one that the clocks show then.
    fn around(&self, now_ms: i64) -> impl Iterator<Item = (i64, i64)> {
        let zone = self.time_zone.zone();
        let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
        let today = zone.to_datetime(now).date();
        let (begins, ends) = (self.begins.0, self.ends.0);
        (-1..=1).filter_map(move |days: i64| {
            let day = today.checked_add(days.days()).ok()?;
            let last = if begins < ends { day } else { day.tomorrow().ok()? };
            let begin = zone.to_timestamp(day.to_datetime(begins)).ok()?;
            let end = zone.to_timestamp(last.to_datetime(ends)).ok()?;
            Some((begin.as_millisecond(), end.as_millisecond()))
        })
    }
}

impl ZoneName {
    fn zone(&self) -> TimeZone {
        // It was looked up when it was read.
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl FromStr for ZoneName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let zone = TimeZone::get(text).map_err(|_| Invalid::ZoneName)?;
        let name = zone.iana_name().ok_or(Invalid::ZoneName)?;
        Ok(ZoneName(name.to_owned()))
    }
}

impl FromStr for TimeOfDay {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_short = text.len() == 5 && text.as_bytes().get(2) == Some(&b':');
        let time = text.parse().ok().filter(|_| is_short);
        time.map(TimeOfDay).ok_or(Invalid::TimeOfDay)
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QuietHours { time_zone, begins, ends } = self;
        write!(f, "{begins} to {ends}, {time_zone}")
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Invalid::ZoneName => "must be a time zone such as Europe/Berlin",
            Invalid::TimeOfDay => "must be a time of day such as 22:30",
            Invalid::NoHours => "must be different from begins",
        })
    }
}

impl std::error::Error for Invalid {}

/// A time as RFC 3339, in UTC and in whole seconds.
pub fn rfc_3339(ms: i64) -> String {
    let seconds = Timestamp::from_second(ms.div_euclid(1000)).unwrap_or_default();
    seconds.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time").as_millisecond()
    }

    fn quiet(zone: &str, begins: &str, ends: &str) -> Schedule {
        let time = |text: &str| text.parse().expect("a time of day");
        let time_zone = zone.parse().expect("a time zone");
        let quiet = QuietHours { time_zone, begins: time(begins), ends: time(ends) };
        Schedule { quiet: Some(quiet), ..Schedule::default() }
    }

    #[test]
    fn quiet_hours_are_those_of_the_groups_time_zone_and_may_go_over_midnight() {
        let night = quiet("Europe/Berlin", "22:00", "07:00");
        for (now, until, next) in [
            ("2026-11-27T20:59:59Z", None, "2026-11-27T21:00:00Z"),
            ("2026-11-27T21:00:00Z", Some("2026-11-28T06:00:00Z"), "2026-11-28T06:00:00Z"),
            ("2026-11-28T02:00:00Z", Some("2026-11-28T06:00:00Z"), "2026-11-28T06:00:00Z"),
            ("2026-11-28T06:00:00Z", None, "2026-11-28T21:00:00Z"),
            // In summer the clocks there are two hours ahead.
            ("2026-07-01T19:59:59Z", None, "2026-07-01T20:00:00Z"),
        ] {
            assert_eq!(night.is_quiet_until(ms(now)), until.map(ms), "{now}");
            assert_eq!(night.next_ms(ms(now)), Some(ms(next)), "{now}");
        }
        let noon = quiet("Asia/Tokyo", "12:00", "14:30");
        assert_eq!(
            noon.is_quiet_until(ms("2026-01-01T04:00:00Z")),
            Some(ms("2026-01-01T05:30:00Z"))
        );
        assert_eq!(noon.is_quiet_until(ms("2026-01-01T12:00:00Z")), None);
    }

    #[test]
    fn quiet_hours_end_also_in_the_night_in_which_the_clocks_change() {
        // 02:30 does not exist there on that day: the clocks go from 02:00 to 03:00.
        let short = quiet("Europe/Berlin", "22:00", "02:30");
        let now = ms("2026-03-29T00:30:00Z");
        assert_eq!(short.is_quiet_until(now), Some(ms("2026-03-29T01:30:00Z")));
    }

    #[test]
    fn a_schedule_has_its_times() {
        let schedule =
            Schedule { not_before_ms: Some(1_000), expires_ms: Some(2_000), quiet: None };
        assert_eq!((schedule.waits_until(999), schedule.waits_until(1_000)), (Some(1_000), None));
        assert_eq!((schedule.is_over(1_999), schedule.is_over(2_000)), (false, true));
        let next = [999, 1_000, 2_000].map(|now| schedule.next_ms(now));
        assert_eq!(next, [Some(1_000), Some(2_000), None]);
        assert_eq!(Schedule::default().next_ms(0), None);
    }

    #[test]
    fn only_a_zone_and_a_time_of_day_are_read() {
        let zone = |text: &str| text.parse::<ZoneName>().is_ok();
        assert_eq!(["Europe/Berlin", "Nowhere/Here", ""].map(zone), [true, false, false]);
        let time = |text: &str| text.parse::<TimeOfDay>().map(|time| time.to_string());
        assert_eq!(time("07:05"), Ok("07:05".to_owned()));
        for text in ["7:05", "24:00", "07:60", "07:05:01", "0705", ""] {
            assert_eq!(time(text), Err(Invalid::TimeOfDay), "{text}");
        }
    }
}
