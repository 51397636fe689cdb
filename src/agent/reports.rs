//! Reports on their way: durable ones in the record's outbox, repeats and rejections in memory.

use intercom_wire::Report;

use super::Agent;
use super::deliveries::Delivery;
use super::seams::{AckToken, ParcelId, Seams, Upstream};
use super::waiting::take_over;
use crate::record::Route;

/// How many reports wait in memory at most. One more is let go, and its message with it stays
/// unacknowledged: the broker delivers it again.
const MAX_VOLATILE: usize = 32;

/// A report that is in memory alone, with the message that it answers.
#[derive(Debug)]
pub(super) struct VolatileParcel {
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
            |parcel: &&mut VolatileParcel| parcel.report == report && parcel.routes == routes;
        if let Some(parcel) = self.parcels.iter_mut().find(same) {
            // Asked again before the first answer has arrived.
            let spare = take_over(&mut parcel.ack_token, delivery.ack_token);
            return self.acknowledge(spare);
        }
        if self.parcels.len() >= MAX_VOLATILE {
            self.overflowed = true;
            return;
        }
        let number = self.next_volatile;
        self.next_volatile += 1;
        for route in &routes {
            self.seams.upstream().send(*route, ParcelId::Volatile(number), &report);
        }
        self.parcels.push(VolatileParcel { number, report, routes, ack_token: delivery.ack_token });
    }

    /// Sends whatever the record's outbox holds, on all routes that owe an acknowledgement.
    pub(super) fn send_outbox(&mut self) {
        for parcel in &self.record.outbox {
            for route in &parcel.routes {
                let id = ParcelId::Durable(parcel.number);
                self.seams.upstream().send(*route, id, &parcel.report);
            }
        }
    }

    /// Sends everything that a route owes an acknowledgement for: it has just been reached.
    pub(super) fn send_all(&mut self, route: Route) {
        self.send_outbox();
        for parcel in self.parcels.iter().filter(|parcel| parcel.routes.contains(&route)) {
            let id = ParcelId::Volatile(parcel.number);
            self.seams.upstream().send(route, id, &parcel.report);
        }
    }

    pub(super) fn reported(&mut self, parcel: ParcelId, route: Route) {
        match parcel {
            ParcelId::Durable(number) => {
                let owed = |record: &crate::record::Record| {
                    record.outbox.iter().any(|p| p.number == number && p.routes.contains(&route))
                };
                if owed(&self.record) {
                    self.steps.tell(format!("the report has arrived over {}", route.label()));
                    self.transition_at_last(|record| record.reported(number, route));
                }
            }
            ParcelId::Volatile(number) => {
                let Some(at) = self.parcels.iter().position(|p| p.number == number) else { return };
                self.parcels[at].routes.retain(|owing| *owing != route);
                if self.parcels[at].routes.is_empty() {
                    self.record.counters.reported += 1;
                    if let Some(ack_token) = self.parcels.remove(at).ack_token {
                        self.seams.upstream().acknowledge(ack_token);
                    }
                    if self.parcels.is_empty() && !self.changing() {
                        self.ask_for_overflow();
                    }
                }
            }
        }
    }
}
