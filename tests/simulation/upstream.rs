//! The agent's seam to upstream.

use intercom_agent::agent::RouteStatus;
use intercom_agent::agent::seams::{
    AckToken, ConnectIdentity, Connection, Event, ReportId, Upstream,
};
use intercom_agent::board::UplinkError;
use intercom_agent::clock::WallTime;
use intercom_agent::decide::MacOwner;
use intercom_agent::record::Route;
use intercom_wire::{Mac, Report};

use super::network::Traffic;
use super::proof::Mutant;
use super::world::{Hardware, Shared};

/// The agent's side of it.
pub struct SimulatedUpstream(pub Shared);

impl SimulatedUpstream {
    /// One operation, which needs power.
    fn order(&self, effect: impl FnOnce(&mut Hardware)) {
        let power = self.0.borrow().power.clone();
        power.tell(|| effect(&mut self.0.borrow_mut()));
    }
}

impl Upstream for SimulatedUpstream {
    fn connect_as(&mut self, connect_as: ConnectIdentity, connection: Connection) {
        self.order(|world| {
            world.cloud.board_is_up_as(connect_as, connection);
            world.forget_polls();
            for route in world.rules.routes.clone() {
                let delay = world.cloud.delay();
                world.later(delay, Traffic::Connect(route, connection));
            }
        });
    }

    fn acknowledge(&mut self, ack_token: AckToken) {
        self.order(|world| {
            world.log.tell(world.now, || format!("  acknowledged {ack_token:?}"));
            world.cloud.acknowledge(ack_token);
            world.pump(false);
        });
    }

    fn meet_neighbours(&mut self, mac: Mac) {
        self.order(|world| {
            if world.cloud.proof != Mutant::NoOthers && world.cloud.taken.contains(&mac) {
                let owner = MacOwner::AnotherBoard(None);
                world.later(1000, Traffic::Tell(Event::LookedUp { mac, owner }));
            }
        });
    }

    fn look_up(&mut self, mac: Mac) {
        self.order(|world| {
            // The LAN answers for the board's own address; for others the broker must be asked too.
            let own = world.cloud.connect_as.as_ref().map(|connect_as| connect_as.identity.mac);
            if world.cloud.mqtt_up || own == Some(mac) {
                let hears_others = world.cloud.proof != Mutant::NoOthers;
                let taken = hears_others && world.cloud.taken.contains(&mac);
                let owner = if taken { MacOwner::AnotherBoard(None) } else { MacOwner::Nobody };
                world.later(1000, Traffic::Tell(Event::LookedUp { mac, owner }));
            } else {
                world.later(1000, Traffic::Tell(Event::BrokerAway { mac }));
            }
        });
    }

    fn send(&mut self, route: Route, id: ReportId, report: &Report) {
        self.order(|world| {
            let known = world.cloud.outgoing.iter().any(|(r, p, _)| (*r, *p) == (route, id));
            if known {
                return;
            }
            world.cloud.outgoing.push((route, id, report.clone()));
            let delay = world.cloud.delay();
            world.later(delay, Traffic::Arrive { route, id });
            if world.cloud.believes_reports {
                world.later(0, Traffic::Tell(Event::Reported { id, route }));
            }
        });
    }

    fn status(&self) -> Vec<RouteStatus> {
        Vec::new()
    }

    fn good_time(&self) -> Option<WallTime> {
        None
    }

    fn announce(&mut self) {
        self.order(|_| {});
    }

    fn claim(&mut self, _: Connection) {
        self.order(|_| {});
    }

    fn prove(&mut self, route: Route) {
        self.order(|world| match route {
            Route::Mqtt => {
                let (delay, connection) = (world.cloud.delay(), world.cloud.connection);
                world.later(delay, Traffic::Echo(connection));
            }
            Route::Http | Route::Billing => world.poll_now(),
        });
    }

    fn judge_link(&mut self, _: Route, mac: Mac) {
        self.order(|world| {
            let is_judged = world.cloud.proof != Mutant::AnotherLink;
            let judged = match is_judged && world.cloud.by_another_link {
                false => Ok(()),
                true => Err(UplinkError::OtherLink {
                    carries: "wlan0".to_owned(),
                    mac: None,
                    expected: world.rules.interface.clone(),
                }),
            };
            world.later(10, Traffic::Tell(Event::LinkJudged { mac, judged }));
        });
    }

    fn ask_again(&mut self, route: Route) {
        self.order(|world| {
            world.cloud.asked_again += 1;
            match route {
                Route::Mqtt if world.cloud.mqtt_up => world.lose(route),
                Route::Mqtt => {}
                Route::Http | Route::Billing => world.poll_now(),
            }
        });
    }
}
