//! How often something may be done within an hour.

use std::time::Duration;

use crate::clock::Moment;

const HOUR: Duration = Duration::from_secs(3600);

/// What was done within the last hour.
#[derive(Debug, Default)]
pub(super) struct HourlyQuota(Vec<Moment>);

impl HourlyQuota {
    /// Uses one of `most` an hour; `false` if none is left.
    #[must_use]
    pub(super) fn take(&mut self, now: Moment, most: usize) -> bool {
        self.0.retain(|at| *at + HOUR > now);
        let is_left = self.0.len() < most;
        if is_left {
            self.0.push(now);
        }
        is_left
    }

    /// When one is left again after none was.
    pub(super) fn next(&self, now: Moment) -> Moment {
        self.0.first().map_or(now, |first| *first) + HOUR
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::NOW;

    #[test]
    fn what_is_used_comes_back_after_an_hour() {
        let half = HOUR / 2;
        let mut quota = HourlyQuota::default();
        assert!(quota.take(NOW, 2) && quota.take(NOW + half, 2));
        assert!(!quota.take(NOW + half, 2));
        assert!(quota.take(NOW + HOUR, 2), "the first is an hour ago");
        assert!(!quota.take(NOW + HOUR, 2), "the second is not");
    }

    #[test]
    fn it_is_known_when_one_is_left_again() {
        let mut quota = HourlyQuota::default();
        assert!(quota.take(NOW, 1));
        let next = quota.next(NOW + HOUR / 2);
        assert!(next == NOW + HOUR && quota.take(next, 1));
    }

    #[test]
    fn a_quota_of_none_allows_none() {
        assert!(!HourlyQuota::default().take(NOW, 0));
    }
}
