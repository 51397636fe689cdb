//! What must hold when the faults have ended and everything has come to rest.

use intercom_wire::{BoardName, Mac};

use super::broker::After;
use super::panel::Panel;
use super::world::{Happening, Weather, World};

/// How long after the last fault everything is at rest: a report that the broker has dropped is sent
/// again with delays of up to an hour.
pub const REST: u64 = 3 * 3_600_000;

impl World {
    /// Ends every fault. Whoever has no power stays in the dark.
    pub fn calm(&mut self) {
        self.tell(|| "-- the faults end".to_owned());
        self.weather = Weather::default();
        if !self.broker.is_up {
            self.later(0, Happening::BrokerIsUp(After::Kept));
        }
        if self.service.running.is_none() {
            self.later(0, Happening::BillingStarts);
        }
        for panel in &mut self.panels {
            panel.is_plugged = true;
            panel.is_busy = false;
        }
    }

    pub fn live_to_the_end(&mut self) {
        let end = self.now() + REST;
        self.live_until(end);
        self.check_requests();
        self.check_reports();
        self.check_macs();
        self.check_carried();
        self.check_count();
    }

    /// The panel of that name that is on line.
    fn on_line(&self, board: &str) -> Option<&Panel> {
        self.panels.iter().find(|panel| panel.name.as_str() == board && panel.is_on_line())
    }

    /// Whether anybody of that name shows itself.
    fn is_there(&self, board: &str) -> bool {
        let is_puppet = |name: &BoardName| name.as_str() == board;
        self.on_line(board).is_some()
            || self.puppets.iter().any(|own| is_puppet(&own.name) && own.link.is_some())
    }

    fn carries(&self, mac: Mac) -> impl Iterator<Item = &Panel> {
        self.panels.iter().filter(move |panel| panel.is_on_line() && panel.link_mac() == mac)
    }

    /// Rule 8: each request has ended or waits for somebody who is not there.
    fn check_requests(&mut self) {
        let history = self.operate("history", async |billing| billing.history(None, 200).await);
        for entry in history.unwrap_or_default().iter().filter(|entry| entry.state == "pending") {
            let waits_for = entry.waits_for.clone().unwrap_or_default();
            let named = ["board ", "the name "].iter().find_map(|at| waits_for.split_once(at));
            let named = named.map(|(_, rest)| rest);
            let named = named.and_then(|rest| rest.split([' ', ';']).next()).unwrap_or_default();
            let mac: Mac = entry.to.mac.parse().expect("a MAC");
            let confirmed = self.watch.tables.intercoms[&entry.intercom_id].confirmed.mac;
            let is_right = if waits_for.starts_with("the answer of") {
                !self.is_there(named)
            } else if waits_for.starts_with("the other door's board") {
                self.carries(mac).all(|panel| panel.name.as_str() != named)
            } else if waits_for.starts_with("the confirmation of the other door") {
                // The other half is looked at itself.
                true
            } else if waits_for.starts_with("the spare") {
                let own = self.watch.tables.macs.get(&mac).map(|own| own.board.clone());
                self.carries(mac).all(|panel| Some(&panel.name) != own.as_ref())
            } else if waits_for.starts_with("the end of a conflict: board") {
                self.is_there(named)
            } else if waits_for.starts_with("the end of a conflict: two boards") {
                self.twins(named) > 1
            } else if waits_for.starts_with("the door's board, which has not shown itself") {
                self.carries(confirmed).all(|panel| !self.may_be_adopted(panel, confirmed))
            } else {
                false
            };
            if !is_right {
                let what = format!("a request for {mac} is pending for {} s", entry.age_seconds);
                self.broke(8, format!("{what}: it waits for {waits_for}"));
            }
        }
    }

    /// Whether a door at this MAC address, whose board is not known, would get this one.
    fn may_be_adopted(&self, panel: &Panel, mac: Mac) -> bool {
        let tables = &self.watch.tables;
        self.owns(&panel.name, mac) && tables.door_of(&panel.name).is_none()
    }

    /// No other board has this name, on line or not.
    fn is_the_only(&self, name: &BoardName) -> bool {
        self.panels.iter().filter(|panel| panel.name == *name).count() == 1
    }

    fn twins(&self, name: &str) -> usize {
        self.panels.iter().filter(|panel| panel.name.as_str() == name && panel.is_on_line()).count()
    }

    /// Rule 6: no report waits for an answer.
    fn check_reports(&mut self) {
        for panel in 0..self.panels.len() {
            let own = &mut self.panels[panel];
            let is_alone = own.is_on_line();
            let name = own.name.clone();
            let Some(agent) = own.agent.as_mut().filter(|_| is_alone) else { continue };
            let waits = agent.status().unreported;
            if waits > 0 && self.twins(name.as_str()) == 1 {
                self.broke(6, format!("{name} has {waits} reports that nobody has answered"));
            }
        }
    }

    /// Rule 3: no board has the MAC address of another one that was there when it took it.
    fn check_macs(&mut self) {
        let mut broken = Vec::new();
        for panel in self.panels.iter().filter(|panel| panel.is_on_line()) {
            let Some(took) = &panel.took else { continue };
            let still = |other: &&Panel| Some(&other.name) == took.from.as_ref();
            if let Some(other) = self.carries(took.mac).find(still)
                && took.mac == panel.link_mac()
            {
                broken.push(format!("{} has taken {} from {}", panel.name, took.mac, other.name));
            }
        }
        for what in broken {
            self.broke(3, what);
        }
    }

    /// Rule 8: the board of a door carries what billing has confirmed, unless somebody at the board has
    /// changed it.
    fn check_carried(&mut self) {
        let mut broken = Vec::new();
        for panel in self.panels.iter().filter(|panel| panel.is_on_line()) {
            let Some((id, door)) = self.watch.tables.door_of(&panel.name) else { continue };
            let mac = panel.link_mac();
            if mac != door.confirmed.mac
                && !panel.by_hand.contains(&mac)
                && self.is_the_only(&panel.name)
            {
                let name = &panel.name;
                broken.push(format!(
                    "{name} carries {mac}, and intercom {id} is at {}",
                    door.confirmed
                ));
            }
        }
        for what in broken {
            self.broke(8, what);
        }
    }

    /// Rule 10: what billing says is bounded by what it hears.
    fn check_count(&mut self) {
        let requests = self.watch.tables.requests.len() as u64 + 1;
        let links = self.watch.links;
        // An answer to each message, and for each connection a question for each request.
        let bound = 3 * self.service.heard + links * (1 + 2 * requests) + 4 * requests;
        if self.service.published > bound {
            let published = self.service.published;
            self.broke(
                10,
                format!("billing has published {published} messages of at most {bound}"),
            );
        }
    }
}
