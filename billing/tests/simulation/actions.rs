//! What happens around billing and the panels, at given times.

use intercom_agent::agent::{BackTo, Delivery};
use intercom_agent::decide::{Delivered, Signature, Timing, Via};
use intercom_billing::audit::Actor;
use intercom_billing::operations::Decision;
use intercom_billing::store::intercoms::Name;
use intercom_wire::{Identity, Mac, Request, RequestId, topics};
use serde_json::{Map, Value, json};

use super::broker::{After, Client};
use super::panel::MODEL;
use super::world::{Happening, Weather, World};

/// One thing that happens. Panels and puppets go by their place in the world.
#[derive(Debug, Clone)]
pub enum Action {
    PowerOn(usize),
    PowerOff(usize),
    Unplug(usize),
    PlugIn(usize),
    /// The hooks of a panel say "not now", or do so no more.
    Busy(usize, bool),
    /// A board loses its connection to the broker for a moment.
    Cut(usize),
    /// An installer applies a payload at a board.
    ByHand {
        panel: usize,
        to: Identity,
    },
    /// An installer wants the earlier identity back.
    RollBack(usize),
    /// Billing is killed and starts again after so many milliseconds.
    RestartBilling(u64),
    /// Billing loses its connection to the broker.
    CutBilling,
    /// The broker is killed and comes back after so many milliseconds.
    RestartBroker(After, u64),
    /// What the broker has now is what it comes back with one day.
    Snapshot,
    /// Something that was published once is given out again.
    Replay {
        which: u64,
        how: Replay,
    },
    Weather(Weather),
    Patch {
        id: i64,
        mac: Option<Mac>,
        serial_number: Option<String>,
    },
    Delete(i64),
    /// Two panels are said to have changed places.
    Swap(i64, i64),
    /// The pending request of an intercom goes to the door's board.
    OfferToTheDoor(i64),
    Enrol {
        panel: usize,
        mac: Mac,
    },
    /// What waits for a yes is accepted for this intercom.
    AcceptByHand {
        panel: usize,
        id: i64,
    },
    Claims {
        puppet: usize,
        claim: Identity,
    },
    /// It says on its own topic that it is that board.
    Pretends {
        puppet: usize,
        board: String,
        claim: Identity,
    },
    Leaves(usize),
    /// A puppet reports, on its own topic.
    Reports {
        puppet: usize,
        lie: Lie,
    },
}

/// How an old message comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    Live,
    AsRetained,
    Queued,
}

/// A report of somebody who was not asked.
#[derive(Debug, Clone)]
pub struct Lie {
    /// The request of that intercom, counted back from its newest one; or none.
    pub about: Option<(i64, usize)>,
    /// It names billing as the issuer.
    pub has_issuer: bool,
    pub status: &'static str,
    pub identity: Identity,
    pub previous: Mac,
    /// The board that the payload names, if not the one that speaks.
    pub as_board: Option<String>,
}

impl World {
    pub fn perform(&mut self, action: Action) {
        self.tell(|| format!("-- {action:?}"));
        match action {
            Action::PowerOn(panel) => self.power_on(panel),
            Action::PowerOff(panel) => self.power_off(panel),
            Action::Unplug(panel) => self.unplug(panel),
            Action::PlugIn(panel) => self.panels[panel].is_plugged = true,
            Action::Busy(panel, is_busy) => self.panels[panel].is_busy = is_busy,
            Action::Cut(panel) => {
                let client = Client::Board(self.panels[panel].name.clone());
                self.break_link(&client);
            }
            Action::ByHand { panel, to } => self.by_hand(panel, &to),
            Action::RollBack(panel) => self.with_agent(panel, |agent| {
                // Why it cannot be begun is told to the installer.
                let _ = agent.roll_back_by_hand(BackTo::Previous, false);
            }),
            Action::RestartBilling(after) => {
                self.kill_billing();
                self.later(after, Happening::BillingStarts);
            }
            Action::CutBilling => self.break_link(&Client::Billing),
            Action::RestartBroker(data, after) => {
                self.kill_broker();
                self.later(after, Happening::BrokerIsUp(data));
            }
            Action::Snapshot => self.broker.snapshot(),
            Action::Replay { which, how } => self.replay(which, how),
            Action::Weather(weather) => self.weather = weather,
            Action::Patch { id, mac, serial_number } => {
                self.patch(id, mac, serial_number.as_deref())
            }
            Action::Delete(id) => {
                self.operate("delete", async |billing| {
                    billing.delete(Name::Id(id), Actor::CommandLine).await
                });
            }
            Action::Swap(id, with) => {
                self.operate("swap", async |billing| {
                    billing.swap(id, with, Actor::CommandLine).await
                });
            }
            Action::OfferToTheDoor(id) => {
                if let Some(request_id) = self.newest(id, 0) {
                    self.operate("to the door's board", async |billing| {
                        billing
                            .decide(Decision::OfferToTheDoor { request_id }, Actor::CommandLine)
                            .await
                    });
                }
            }
            Action::Enrol { panel, mac } => {
                let board = self.panels[panel].name.clone();
                self.operate("enrol", async |billing| {
                    billing.decide(Decision::Enrol { board, mac }, Actor::CommandLine).await
                });
            }
            Action::AcceptByHand { panel, id } => {
                let board = self.panels[panel].name.clone();
                self.operate("accept", async |billing| {
                    billing.decide(Decision::AcceptByHand { board, id }, Actor::CommandLine).await
                });
            }
            Action::Claims { puppet, claim } => self.puppet_claims(puppet, &claim),
            Action::Pretends { puppet, board, claim } => {
                self.puppet_pretends(puppet, &board, &claim);
            }
            Action::Leaves(puppet) => self.puppet_leaves(puppet),
            Action::Reports { puppet, lie } => self.lie(puppet, &lie),
        }
    }

    fn by_hand(&mut self, panel: usize, to: &Identity) {
        let id = format!("by-hand-{}", self.now());
        let body = json!({
            "mac": self.panels[panel].link_mac().to_string(),
            "new_mac": to.mac.to_string(),
            "new_serial_number": to.serial_number.as_ref().map(|own| own.as_str()),
            "model": MODEL,
            "request_id": id,
        });
        let delivered = Delivered {
            via: Via::Installer,
            timing: Timing::Live,
            signature: Signature::Missing,
            is_fresh: true,
            deferrals: 0,
        };
        let request = Request::from_object(object(&body));
        let delivery =
            Delivery { request, delivered, ack_token: None, route: None, offline: false };
        self.with_agent(panel, |agent| _ = agent.deliver(delivery));
    }

    /// The broker brings something back that it has had before.
    fn replay(&mut self, which: u64, how: Replay) {
        let archive = &self.broker.archive;
        let Some(last) = (archive.len() as u64).checked_sub(1) else { return };
        // The newest ones are the most interesting.
        let back = (which % (last + 1)).min(which % 40);
        let (topic, payload) = archive[(last - back) as usize].clone();
        if !self.broker.is_up {
            return;
        }
        self.tell(|| format!("{topic} comes again, {how:?}: {} bytes", payload.len()));
        for (client, is_kept) in self.broker.subscribers(&topic) {
            let retain = how == Replay::AsRetained;
            let queued = how == Replay::Queued && is_kept;
            self.give(&client, &topic, &payload, retain, queued || (is_kept && !retain));
        }
        if how == Replay::AsRetained && !payload.is_empty() {
            self.broker.retained.insert(topic, payload);
        }
    }

    fn patch(&mut self, id: i64, mac: Option<Mac>, serial_number: Option<&str>) {
        let mut body = json!({"id": id, "group_id": 1, "model": MODEL});
        if let Some(mac) = mac {
            body["new_mac"] = mac.to_string().into();
        }
        if let Some(serial_number) = serial_number {
            body["new_serial_number"] = serial_number.into();
        }
        let body = object(&body).clone();
        self.operate("PATCH", async |billing| billing.patch(body, Actor::CommandLine).await);
    }

    /// An intercom in its place, with this identity.
    pub fn create_door(&mut self, identity: &Identity) -> i64 {
        let id = self.create_spare(identity);
        self.patch(id, None, None);
        id
    }

    /// The record of a spare.
    pub fn create_spare(&mut self, identity: &Identity) -> i64 {
        let serial_number = identity.serial_number.as_ref().map(|own| own.as_str());
        let body = json!({
            "mac": identity.mac.to_string(), "serial_number": serial_number, "model": MODEL,
        });
        let made = self.operate("POST", async |billing| {
            billing.create(object(&body), Actor::CommandLine).await
        });
        made.and_then(|made| made.id).expect("an intercom")
    }

    /// The request of an intercom, counted back from the newest one.
    pub fn newest(&self, id: i64, back: usize) -> Option<RequestId> {
        let requests = &self.watch.tables.requests;
        let mut own: Vec<_> = requests.iter().filter(|(_, r)| r.intercom == id).collect();
        own.sort_by_key(|(_, request)| std::cmp::Reverse(request.seq));
        own.get(back).map(|(request_id, _)| (*request_id).clone())
    }

    fn lie(&mut self, puppet: usize, lie: &Lie) {
        let own = self.puppets[puppet].name.clone();
        let request_id = lie.about.and_then(|(id, back)| self.newest(id, back));
        let named = lie.as_board.clone().unwrap_or_else(|| own.to_string());
        let serial_number = lie.identity.serial_number.as_ref().map(|own| own.as_str());
        let mut report = json!({
            "id": lie.about.map(|(id, _)| id), "status": lie.status,
            "mac": lie.identity.mac.to_string(), "serial_number": serial_number,
            "vendor": null, "model": MODEL, "title": null, "department": null,
            "flat_from": null, "flat_to": null, "group": null, "source": "auto-replace",
            "request_id": request_id, "board": named,
            "previous": {"mac": lie.previous.to_string(), "serial_number": null},
            "factory": {"mac": lie.previous.to_string(), "serial_number": null},
        });
        if lie.has_issuer {
            report["issuer"] = "billing".into();
        }
        let topic = topics::BOARD_STATUS.replace("{board}", own.as_str());
        let payload = serde_json::to_vec(&report).expect("JSON");
        self.puppet_says(puppet, topic, payload, false);
    }
}

pub fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}
