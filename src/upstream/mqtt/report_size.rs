//! Which form of a report the broker takes.
//!
//! An MQTT 3.1.1 broker does not tell its limit for a packet. It closes the connection over one that is
//! larger, and the report would come back with every connection.

use std::time::Duration;

use intercom_wire::Report;
use tokio::time::Instant;

use super::line::MAX_PACKET;

/// How often in a row the broker closes the connection over packets of one size before they count as too
/// large for it: once happens by chance.
const OFTEN: u32 = 2;
/// For how long a size counts as too large: the broker's limit may have been raised.
const KNOWN_FOR: Duration = Duration::from_secs(3600);

/// What is known of the broker's limit.
#[derive(Debug, Default)]
pub(super) struct ReportSize {
    /// The size that the last connections ended with, and how many did.
    suspect: Option<(usize, u32)>,
    /// The smallest size that is too large, in bytes, and since when that is known.
    too_large: Option<(usize, Instant)>,
}

impl ReportSize {
    /// The report as JSON, in its fullest form whose packet fits; `None` if not even the smallest does.
    /// `others` is the size of the rest of the packet.
    pub(super) fn fit(&self, report: &Report, others: usize, now: Instant) -> Option<Vec<u8>> {
        let known = self.too_large.filter(|(_, since)| now < *since + KNOWN_FOR);
        let limit = known.map_or(MAX_PACKET, |(bytes, _)| bytes - 1);
        forms(report).find(|form| form.len() + others <= limit)
    }

    /// The broker has closed the connection before it acknowledged a report whose packet has so many
    /// bytes. True if that is too large for it.
    pub(super) fn closed_over(&mut self, bytes: usize, now: Instant) -> bool {
        let times = match self.suspect {
            Some((size, times)) if size == bytes => times + 1,
            _ => 1,
        };
        self.suspect = Some((bytes, times));
        if times < OFTEN {
            return false;
        }
        (self.suspect, self.too_large) = (None, Some((bytes, now)));
        true
    }

    /// The broker has acknowledged a report.
    pub(super) fn arrived(&mut self) {
        self.suspect = None;
    }
}

/// The report as JSON: as it is, without what was passed through, without what a 422 would say, and without
/// the reason.
fn forms(report: &Report) -> impl Iterator<Item = Vec<u8>> {
    let shorten: [fn(&mut Report); 4] = [
        |_| {},
        |report| report.log_extra = None,
        |report| (report.message, report.errors) = (None, None),
        |report| report.reason = None,
    ];
    let mut report = report.clone();
    shorten.into_iter().filter_map(move |shorten| {
        shorten(&mut report);
        serde_json::to_vec(&report).ok()
    })
}

#[cfg(test)]
pub(super) mod tests {
    use intercom_wire::json;

    use super::*;

    const OTHERS: usize = 50;

    pub(in crate::upstream::mqtt) fn report() -> Report {
        let report = serde_json::json!({
            "request_id": "r-1", "board": "gate-1", "status": "rejected", "factory": "unknown",
            "previous": {"mac": "AA:BB:CC:DD:EE:FE", "serial_number": null},
            "reason": "r".repeat(100), "log_extra": "x".repeat(700), "message": "m".repeat(100),
            "errors": {"model": ["e".repeat(100)]},
        });
        json::read(report.to_string().as_bytes()).expect("a report")
    }

    fn fit(size: &ReportSize, now: Instant) -> Option<String> {
        size.fit(&report(), OTHERS, now).and_then(|form| String::from_utf8(form).ok())
    }

    #[test]
    fn each_form_that_is_too_large_is_followed_by_a_smaller_one_until_there_is_none() {
        let (mut size, now) = (ReportSize::default(), Instant::now());
        let mut forms = Vec::new();
        while let Some(form) = fit(&size, now) {
            let bytes = form.len() + OTHERS;
            assert!(!size.closed_over(bytes, now), "once happens by chance");
            assert_eq!(fit(&size, now).as_ref(), Some(&form));
            assert!(size.closed_over(bytes, now));
            forms.push(form);
        }
        let has = |key: &str| forms.iter().map(|form| form.contains(key)).collect::<Vec<_>>();
        assert_eq!(has("log_extra"), [true, false, false, false]);
        assert_eq!(has("\"errors\""), [true, true, false, false]);
        assert_eq!(has("\"message\""), [true, true, false, false]);
        assert_eq!(has("\"reason\""), [true, true, true, false]);
    }

    #[test]
    fn a_report_that_arrives_clears_the_suspicion_and_an_hour_the_limit() {
        let (mut size, now) = (ReportSize::default(), Instant::now());
        assert!(!size.closed_over(1000, now));
        size.arrived();
        assert!(!size.closed_over(1000, now));
        assert!(size.closed_over(1000, now));
        assert!(fit(&size, now).is_some_and(|form| !form.contains("log_extra")));
        assert!(fit(&size, now + KNOWN_FOR).is_some_and(|form| form.contains("log_extra")));
    }
}
