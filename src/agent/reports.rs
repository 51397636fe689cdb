//! Reports on their way: durable ones in the record's outbox, repeats and rejections in memory.

use intercom_wire::Report;

use super::Agent;
use super::deliveries::Delivery;
use super::seams::{AckToken, ReportId, Seams, Upstream};
use super::waiting::take_over;
use crate::record::Route;

/// How many reports wait in memory at most. One more is let go, and its message with it stays
/// unacknowledged: the broker delivers it again.
const MAX_VOLATILE: usize = 32;

/// A report that is in memory alone, with the message that it answers.
#[derive(Debug)]
pub(super) struct VolatileReport {
    number: u64,
    report: Report,
    routes: Vec<Route>,
    /// Acknowledged when the report is: until then a power cut makes the broker ask again.
    ack_token: Option<AckToken>,
}

impl<S: Seams> Agent<S> {
    /// Sends a report that no record needs to hold.
    pub(super) fn report_volatile(&mut self, report: Report, delivery: &Delivery) {
        let routes = match delivery.route {
            Some(route) => vec![route],
            None => self.rules.routes.clone(),
        };
        if routes.is_empty() {
            return;
        }
        let same =
            |queued: &&mut VolatileReport| queued.report == report && queued.routes == routes;
        if let Some(queued) = self.volatile_reports.iter_mut().find(same) {
            // Asked again before the first answer has arrived.
            let spare = take_over(&mut queued.ack_token, delivery.ack_token);
            return self.acknowledge(spare);
        }
        if self.volatile_reports.len() >= MAX_VOLATILE {
            self.overflowed = true;
            return;
        }
        let number = self.next_volatile;
        self.next_volatile += 1;
        for route in &routes {
            self.seams.upstream().send(*route, ReportId::Volatile(number), &report);
        }
        self.volatile_reports.push(VolatileReport {
            number,
            report,
            routes,
            ack_token: delivery.ack_token,
        });
    }

    /// Sends whatever the record's outbox holds, on all routes that owe an acknowledgement.
    pub(super) fn send_outbox(&mut self) {
        for queued in &self.record.outbox {
            for route in &queued.routes {
                let id = ReportId::Durable(queued.number);
                self.seams.upstream().send(*route, id, &queued.report);
            }
        }
    }

    /// Sends everything that a route owes an acknowledgement for: it has just been reached.
    pub(super) fn send_all(&mut self, route: Route) {
        self.send_outbox();
        for queued in self.volatile_reports.iter().filter(|queued| queued.routes.contains(&route)) {
            let id = ReportId::Volatile(queued.number);
            self.seams.upstream().send(route, id, &queued.report);
        }
    }

    pub(super) fn reported(&mut self, id: ReportId, route: Route) {
        match id {
            ReportId::Durable(number) => {
                let owed = |record: &crate::record::Record| {
                    record.outbox.iter().any(|p| p.number == number && p.routes.contains(&route))
                };
                if owed(&self.record) {
                    self.steps.tell(format!("the report has arrived over {}", route.label()));
                    self.transition_at_last(|record| record.reported(number, route));
                }
            }
            ReportId::Volatile(number) => {
                let Some(at) = self.volatile_reports.iter().position(|p| p.number == number) else {
                    return;
                };
                self.volatile_reports[at].routes.retain(|owing| *owing != route);
                if self.volatile_reports[at].routes.is_empty() {
                    self.record.counters.reported += 1;
                    if let Some(ack_token) = self.volatile_reports.remove(at).ack_token {
                        self.seams.upstream().acknowledge(ack_token);
                    }
                    if self.volatile_reports.is_empty() && !self.changing() {
                        self.ask_for_overflow();
                    }
                }
            }
        }
    }
}
