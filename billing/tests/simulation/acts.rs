//! Rule 1: what a board acts on.

use intercom_agent::record::{Change, Goal};
use intercom_wire::Report;

use super::host::short;
use super::panel::{Panel, Took};
use super::world::World;

/// How long after it has connected everybody can know what a board carries.
const NOTICED_MS: u64 = 70_000;

/// How often a board tries a request again by itself that two took at once.
const MAX_OWN_TRIES: u32 = 3;

impl World {
    /// A board reports that another one has the MAC address too, and that it tries again by itself: for
    /// billing that request has ended.
    pub fn tries_again(&mut self, panel: usize, report: &Report) {
        let reason = report.reason.as_deref().unwrap_or_default();
        if let Some(id) = report.request_id.as_ref().filter(|_| reason.contains("trying again in"))
        {
            self.panels[panel].own_tries.entry(id.clone()).or_insert(0);
        }
    }

    /// Rule 1: a board begins a change.
    pub fn begins(&mut self, panel: usize, change: &Change) {
        let own = &self.panels[panel];
        let mac = change.to.identity.mac;
        let (cause, name) = (&change.cause, own.name.clone());
        let installs = change.goal == Goal::Install;
        // A rollback by hand goes under the last request's ID.
        let asked = cause.issuer.as_ref().filter(|_| installs).and(cause.request_id.clone());
        let from = change.from.identity.mac;
        let Some(request_id) = asked else {
            self.panels[panel].by_hand.insert(mac);
            return self.tell(|| format!("{name} changes from {from} to {mac} by hand"));
        };
        let id = short(request_id.as_str());
        self.tell(|| format!("{name} changes from {from} to {mac} by {id}"));
        let noticed = |other: &&Panel| {
            let is_linked = other.mqtt.link.is_some() && other.mqtt.is_reached;
            let is_known = is_linked && other.mqtt.since + NOTICED_MS < self.now();
            let has_it = other.link_mac() == mac && self.is_believed(&other.name, mac);
            other.name != name && is_known && other.is_on_line() && has_it
        };
        let from = self.panels.iter().find(noticed).map(|other| other.name.clone());
        self.panels[panel].took = (mac != change.from.identity.mac).then_some(Took { mac, from });
        if let Some(tries) = self.panels[panel].own_tries.get_mut(&request_id)
            && *tries < MAX_OWN_TRIES
        {
            *tries += 1;
            return;
        }
        let own = &self.panels[panel];
        let over_the_broker = own.mqtt.nonces.iter().any(|nonce| {
            let offer = (request_id.clone(), name.clone(), nonce.to_string());
            self.watch.offers.contains(&offer)
        });
        if own.mqtt.over.contains(&request_id) {
            self.broke(1, format!("{name} acts on {id}, which it was told is over"));
        } else if !over_the_broker && !own.http.listed.contains(&request_id) {
            self.broke(1, format!("{name} acts on {id}, which is not open for it now"));
        }
    }
}
