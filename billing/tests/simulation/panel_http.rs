//! A panel's polls and reports over HTTP, as the agent's HTTP route makes them.

use intercom_agent::agent::Delivery;
use intercom_agent::agent::seams::{Connection, Event, ReportId};
use intercom_agent::decide::{Timing, Via};
use intercom_agent::record::Route;
use intercom_wire::{Nonce, Report, RequestBody};

use super::world::{Happening, World};

/// How often a panel polls, in milliseconds.
pub const POLL_MS: u64 = 60_000;

impl World {
    /// A poll comes to billing, and its answer back; either may be lost.
    pub fn poll(&mut self, panel: usize, life: u32, connection: Connection, again: bool) {
        let own = &self.panels[panel];
        if own.life != life || own.connection != connection || !own.is_on() || !own.has(Route::Http)
        {
            return;
        }
        if again {
            let around = POLL_MS - POLL_MS / 8 + self.random.below(POLL_MS / 4);
            self.later(around, Happening::Poll { panel, life, connection, again });
        }
        let requests = match self.panels[panel].is_plugged && !self.is_lost() {
            true => self.billing_is_polled(panel),
            false => None,
        };
        match requests.filter(|_| !self.is_lost()) {
            Some(requests) => {
                let delay = self.latency();
                self.later(delay, Happening::Polled { panel, life, connection, requests });
            }
            None => {
                if std::mem::take(&mut self.panels[panel].http.is_reached) {
                    let lost = Event::Lost { route: Route::Http, connection };
                    self.with_agent(panel, |agent| agent.handle(lost));
                }
            }
        }
    }

    fn is_lost(&mut self) -> bool {
        let loses = self.weather.loses;
        loses > 0 && self.random.one_in(loses)
    }

    pub fn polled(
        &mut self,
        panel: usize,
        life: u32,
        connection: Connection,
        requests: &[RequestBody],
    ) {
        let own = &mut self.panels[panel];
        if own.life != life || own.connection != connection {
            return;
        }
        own.http.is_reached = true;
        let listed = requests.iter().map(|request| request.request_id.clone()).collect();
        own.http.listed = listed;
        let nonce = own.http.nonce.clone();
        let reachable = Event::Reachable { route: Route::Http, connection };
        self.with_agent(panel, |agent| agent.handle(reachable));
        for request in requests {
            let payload = serde_json::to_vec(request).expect("a request");
            let request = self.mutant.reads(&payload);
            let is_fresh = |own: &Nonce| nonce.as_ref() == Some(own);
            let delivery = Delivery {
                delivered: self.delivered(&request, Via::PendingList, Timing::Again, is_fresh),
                request,
                ack_token: None,
                route: Some(Route::Http),
                offline: false,
            };
            self.with_agent(panel, |agent| _ = agent.deliver(delivery));
        }
        self.with_agent(panel, |agent| agent.handle(Event::Listed { connection }));
    }

    /// A report comes to billing over HTTP, and the answer back; either may be lost.
    pub fn post(&mut self, panel: usize, life: u32, id: ReportId, report: Report) {
        let own = &self.panels[panel];
        if own.life != life || !own.is_on() {
            return;
        }
        let arrives = own.is_plugged && !self.is_lost() && self.billing_is_told(panel, &report);
        if arrives && !self.is_lost() {
            let delay = self.latency();
            return self.later(delay, Happening::Posted { panel, life, id });
        }
        let again = 5_000 + self.random.below(10_000);
        self.later(again, Happening::Post { panel, life, id, report: Box::new(report) });
    }
}
