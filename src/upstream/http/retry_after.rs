//! `Retry-After`: how long a server does not want to be asked.

use std::time::Duration;

use ureq::http::HeaderMap;
use ureq::http::header::{DATE, HeaderName, RETRY_AFTER};

/// A server cannot ask for more: an installer who is there would wait in vain.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The value of `Retry-After` (RFC 9110, 10.2.3), at most a quarter of an hour.
///
/// A date is compared with the server's own `Date`, since the panel's clock may be wrong by decades.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let value = text(RETRY_AFTER)?.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that does not fit is a very long time.
        value.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let until = httpdate::parse_http_date(value).ok()?;
        let now = httpdate::parse_http_date(text(DATE)?.trim()).ok()?;
        until.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wait(value: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().ok()?);
        date.map(|date| headers.insert(DATE, date.parse().unwrap()));
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_count_up_to_a_quarter_of_an_hour() {
        assert_eq!(wait("0", None), Some(0));
        assert_eq!(wait(" 120 ", None), Some(120));
        assert_eq!(wait("86400", None), Some(900));
        assert_eq!(wait("99999999999999999999999999", None), Some(900));
    }

    #[test]
    fn a_date_counts_from_the_servers_own_clock() {
        let date = Some("Fri, 31 Dec 1999 23:59:59 GMT");
        assert_eq!(wait("Sat, 01 Jan 2000 00:01:00 GMT", date), Some(61));
        assert_eq!(wait("Fri, 31 Dec 1999 23:00:00 GMT", date), Some(0));
        assert_eq!(wait("Sat, 01 Jan 2000 00:01:00 GMT", None), None);
    }

    #[test]
    fn an_invalid_value_is_ignored() {
        for value in ["", "soon", "-5", "1.5", "+5"] {
            assert_eq!(wait(value, Some("Fri, 31 Dec 1999 23:59:59 GMT")), None, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn no_server_keeps_the_panel_away_for_long(value in "\\PC{0,40}", date in "\\PC{0,40}") {
            let waits = [wait(&value, None), wait(&date, Some("Fri, 31 Dec 1999 23:59:59 GMT"))];
            prop_assert!(waits.iter().flatten().all(|wait| *wait <= 900));
        }
    }
}
