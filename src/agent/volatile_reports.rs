//! Reports that no record needs to hold: repeats and rejections.

use intercom_wire::{Report, RequestId};

use super::delivery::take_over;
use super::seams::AckToken;
use crate::record::Route;

/// How many wait in memory at most. One more is let go, and its message with it stays
/// unacknowledged: the broker delivers it again.
const MAX_VOLATILE: usize = 32;

/// The reports that are on their way and in memory alone.
#[derive(Debug, Default)]
pub(super) struct VolatileReports {
    reports: Vec<VolatileReport>,
    /// The number of the last one.
    last: u64,
}

/// One of them, with the message that it answers.
#[derive(Debug)]
struct VolatileReport {
    number: u64,
    report: Report,
    routes: Vec<Route>,
    /// Acknowledged when the report is: until then a power cut makes the broker ask again.
    ack_token: Option<AckToken>,
    /// The broker has it; billing has not said that it has read it.
    is_published: bool,
}

/// What became of a report that was added.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It is on its way under this number.
    Queued(u64),
    /// The same report is on its way already; this message of two is spare.
    OnItsWay(Option<AckToken>),
    /// There is no room.
    Full,
}

/// A route has taken a report.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was the last route that owed an acknowledgement; the message can be acknowledged too.
    ByAll(Option<AckToken>),
    /// The broker has it, and billing answers it; the message can be acknowledged.
    ByBroker(Option<AckToken>),
    /// Other routes owe one, or it is no report of these.
    NotYet,
}

impl VolatileReports {
    /// Adds a report for these routes.
    pub(super) fn add(
        &mut self,
        report: &Report,
        routes: &[Route],
        ack_token: Option<AckToken>,
    ) -> Added {
        let same = |queued: &&mut VolatileReport| {
            queued.report == *report && queued.routes.as_slice() == routes
        };
        if let Some(queued) = self.reports.iter_mut().find(same) {
            // Asked again before the first answer has arrived.
            return Added::OnItsWay(take_over(&mut queued.ack_token, ack_token));
        }
        if self.reports.len() >= MAX_VOLATILE {
            // Billing offers the request of such a one again, while it is not over.
            let Some(at) = self.reports.iter().position(|queued| queued.is_published) else {
                return Added::Full;
            };
            self.reports.remove(at);
        }
        self.last += 1;
        let (number, report, routes) = (self.last, report.clone(), routes.to_vec());
        self.reports.push(VolatileReport {
            number,
            report,
            routes,
            ack_token,
            is_published: false,
        });
        Added::Queued(number)
    }

    /// Those that a route owes an acknowledgement for.
    pub(super) fn owed_by(&self, route: Route) -> impl Iterator<Item = (u64, &Report)> {
        let owed = self.reports.iter().filter(move |queued| queued.routes.contains(&route));
        owed.map(|queued| (queued.number, &queued.report))
    }

    /// A route has taken one.
    pub(super) fn taken(&mut self, number: u64, route: Route) -> Taken {
        let Some(at) = self.reports.iter().position(|queued| queued.number == number) else {
            return Taken::NotYet;
        };
        let queued = &mut self.reports[at];
        if route == Route::Mqtt && queued.report.is_answered() && queued.routes.contains(&route) {
            queued.is_published = true;
            return Taken::ByBroker(queued.ack_token.take());
        }
        queued.routes.retain(|owing| *owing != route);
        match self.reports[at].routes.is_empty() {
            true => Taken::ByAll(self.reports.remove(at).ack_token),
            false => Taken::NotYet,
        }
    }

    /// Billing has read the report of this request: its number and its message.
    pub(super) fn over(&mut self, request_id: &RequestId) -> Option<(u64, Option<AckToken>)> {
        let at = self.reports.iter().position(|queued| {
            queued.report.is_answered() && queued.report.request_id.as_ref() == Some(request_id)
        })?;
        let over = self.reports.remove(at);
        Some((over.number, over.ack_token))
    }

    /// The report with this number.
    pub(super) fn report(&self, number: u64) -> Option<&Report> {
        self.reports.iter().find(|queued| queued.number == number).map(|queued| &queued.report)
    }

    /// Whether many more find room.
    pub(super) fn has_room(&self) -> bool {
        self.unpublished() <= MAX_VOLATILE / 2
    }

    /// How many the broker has not acknowledged.
    pub(super) fn unpublished(&self) -> usize {
        self.reports.iter().filter(|queued| !queued.is_published).count()
    }

    /// How many are on their way.
    pub(super) fn len(&self) -> usize {
        self.reports.len()
    }
}

#[cfg(test)]
mod tests {
    use intercom_wire::json::FromJson;
    use serde_json::json;

    use super::*;

    fn report(id: &str) -> Report {
        let report = json!({
            "id": null, "external_id": null, "department": null, "title": null, "model": null,
            "mac": "AA:BB:CC:DD:EE:FF", "serial_number": null, "status": "rejected", "group": null,
            "flat_from": null, "flat_to": null, "source": null, "request_id": id, "board": "die-1",
            "previous": {"mac": "AA:BB:CC:DD:EE:FF", "serial_number": null}, "factory": "unknown",
        });
        Report::from_json(&report).expect("a report")
    }

    #[test]
    fn a_report_is_gone_when_every_route_has_taken_it() {
        let mut reports = VolatileReports::default();
        let both = [Route::Mqtt, Route::Http];
        assert_eq!(reports.add(&report("r-1"), &both, Some(AckToken(1))), Added::Queued(1));
        assert_eq!(reports.owed_by(Route::Http).map(|(number, _)| number).collect::<Vec<_>>(), [1]);
        assert_eq!(reports.taken(1, Route::Http), Taken::NotYet);
        assert_eq!(reports.owed_by(Route::Http).count(), 0);
        assert_eq!(reports.taken(1, Route::Mqtt), Taken::ByAll(Some(AckToken(1))));
        assert_eq!((reports.taken(1, Route::Mqtt), reports.len()), (Taken::NotYet, 0));
    }

    #[test]
    fn the_same_report_is_sent_once_and_holds_the_later_message() {
        let mut reports = VolatileReports::default();
        let mqtt = [Route::Mqtt];
        reports.add(&report("r-1"), &mqtt, Some(AckToken(1)));
        let again = reports.add(&report("r-1"), &mqtt, Some(AckToken(2)));
        assert_eq!(again, Added::OnItsWay(Some(AckToken(1))));
        assert_eq!(reports.taken(1, Route::Mqtt), Taken::ByAll(Some(AckToken(2))));
    }

    #[test]
    fn there_is_room_for_so_many() {
        let mut reports = VolatileReports::default();
        for number in 0..MAX_VOLATILE {
            reports.add(&report(&format!("r-{number}")), &[Route::Mqtt], None);
        }
        assert_eq!(reports.add(&report("one-more"), &[Route::Mqtt], None), Added::Full);
    }

    #[test]
    fn the_oldest_one_that_the_broker_has_makes_room() {
        let mut reports = VolatileReports::default();
        for number in 0..MAX_VOLATILE {
            let report = Report { issuer: "b-1".parse().ok(), ..report(&format!("r-{number}")) };
            reports.add(&report, &[Route::Mqtt], None);
        }
        assert_eq!(reports.taken(2, Route::Mqtt), Taken::ByBroker(None));
        assert!(matches!(reports.add(&report("one-more"), &[Route::Mqtt], None), Added::Queued(_)));
        assert_eq!((reports.len(), reports.report(2)), (MAX_VOLATILE, None));
    }
}
