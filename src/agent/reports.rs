//! Reports on their way: durable ones in the record's outbox, repeats and rejections in memory.

use intercom_wire::Report;

use super::Agent;
use super::delivery::Delivery;
use super::seams::{ReportId, Seams, Upstream};
use super::volatile_reports::{Added, Taken};
use crate::record::Route;

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
        match self.volatile_reports.add(&report, &routes, delivery.ack_token) {
            Added::Queued(number) => {
                for route in &routes {
                    self.seams.upstream().send(*route, ReportId::Volatile(number), &report);
                }
            }
            Added::OnItsWay(spare) => self.acknowledge(spare),
            Added::Full => self.waiting.let_go(),
        }
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
        for (number, report) in self.volatile_reports.owed_by(route) {
            self.seams.upstream().send(route, ReportId::Volatile(number), report);
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
                    self.transition_regardless(|record| record.reported(number, route));
                }
            }
            ReportId::Volatile(number) => {
                if let Taken::ByAll(ack_token) = self.volatile_reports.taken(number, route) {
                    self.record.counters().reported += 1;
                    self.acknowledge(ack_token);
                    if self.volatile_reports.len() == 0 && !self.changing() {
                        self.ask_for_overflow();
                    }
                }
            }
        }
    }
}
