//! A panel's connection to the broker, as the agent's MQTT route holds it.

use intercom_agent::agent::Delivery;
use intercom_agent::agent::seams::{AckToken, Connection, Event, ReportId};
use intercom_agent::decide::{Delivered, Signature, Timing, Via};
use intercom_agent::record::Route;
use intercom_wire::topics::{self, EVERYBODY_WHO};
use intercom_wire::{Nonce, Presence, PresenceState, Report, Request, RequestId, Unreadable};

use super::broker::{Client, LinkId, Message};
use super::mutant::Mutant;
use super::world::{Happening, Owner, Taken, World};

/// Over which time the answers to a question to all are spread.
const SPREAD: u64 = 60_000;
/// The longest pause between two attempts to connect.
const LONGEST_PAUSE: u64 = 120_000;
/// How many nonces of a connection count.
const NONCES: usize = 9;

impl World {
    pub fn connect(&mut self, panel: usize, life: u32, connection: Connection) {
        let own = &self.panels[panel];
        if own.life != life
            || own.connection != connection
            || own.mqtt.link.is_some()
            || !own.is_on()
        {
            return;
        }
        if !own.is_plugged || !self.broker.is_up {
            let pause = 1_000_u64 << self.panels[panel].mqtt.attempts.min(7);
            self.panels[panel].mqtt.attempts += 1;
            let pause = 1 + self.random.below(pause.min(LONGEST_PAUSE));
            return self.later(pause, Happening::Connect { panel, life, connection });
        }
        let client = Client::Board(self.panels[panel].name.clone());
        let link = self.link(&client, Owner::Panel(panel));
        let line = &mut self.panels[panel].mqtt;
        line.link = Some(link);
        line.since = self.clock.get();
        line.attempts = 0;
        line.nonces.clear();
        line.over.clear();
        line.spent.clear();
        line.wants_nonce = false;
        line.is_reached = false;
        line.announce_delay = 1_000;
        line.arrives = 0;
        let name = self.panels[panel].name.clone();
        self.tell(|| format!("{name} is connected"));
        self.ask_for_echo(panel);
    }

    pub fn ask_for_echo(&mut self, panel: usize) {
        let nonce = self.nonce();
        let line = &mut self.panels[panel].mqtt;
        let Some(link) = line.link else { return };
        line.nonces.push(nonce);
        let surplus = line.nonces.len().saturating_sub(NONCES);
        line.nonces.drain(..surplus);
        line.waits_for_echo = true;
        self.present(panel);
        self.later(2_000, Happening::Echo { panel, link });
    }

    pub fn repeat_echo(&mut self, panel: usize, link: LinkId) {
        let line = &self.panels[panel].mqtt;
        if line.link == Some(link) && line.waits_for_echo {
            self.present(panel);
            self.later(2_000, Happening::Echo { panel, link });
        }
    }

    /// Says what it carries.
    pub fn present(&mut self, panel: usize) {
        let own = &self.panels[panel];
        let (Some(link), Some(presence)) = (own.mqtt.link, own.presence()) else { return };
        let topic = topics::BOARD_PRESENCE.replace("{board}", own.name.as_str());
        self.send(Owner::Panel(panel), link, (topic, presence.payload()), true, Taken::Nothing);
    }

    pub fn announce_later(&mut self, panel: usize) {
        let now = self.now();
        let longest = self.panels[panel].mqtt.announce_delay.clamp(1_000, 600_000);
        let delay = self.random.below(longest);
        let line = &mut self.panels[panel].mqtt;
        if line.announces_at.is_none() {
            line.announces_at = Some(now + delay);
            line.announce_delay = longest * 2;
        }
    }

    pub fn send_report(&mut self, panel: usize, id: ReportId, report: &Report) {
        let own = &self.panels[panel];
        let Some(link) = own.mqtt.link.filter(|_| own.mqtt.is_reached) else { return };
        let topic = topics::BOARD_STATUS.replace("{board}", own.name.as_str());
        let payload = serde_json::to_vec(report).expect("a report");
        self.send(Owner::Panel(panel), link, (topic, payload), false, Taken::Report(id));
    }

    pub fn panel_is_off(&mut self, panel: usize, link: LinkId) {
        let own = &mut self.panels[panel];
        if own.mqtt.link != Some(link) {
            return;
        }
        own.mqtt.link = None;
        own.mqtt.announces_at = None;
        own.mqtt.nonces.clear();
        let (life, connection) = (own.life, own.connection);
        if own.is_on() {
            let pause = 1 + self.random.below(10_000);
            self.later(pause, Happening::Connect { panel, life, connection });
            self.with_agent(panel, |agent| {
                agent.handle(Event::Lost { route: Route::Mqtt, connection })
            });
        }
    }

    pub fn panel_hears(&mut self, panel: usize, link: LinkId, message: Message) {
        let own = &self.panels[panel];
        if own.mqtt.link != Some(link) || !own.is_on_line() {
            return;
        }
        let client = Client::Board(own.name.clone());
        let fill = |template: &str| template.replace("{board}", own.name.as_str());
        let parent = fill(topics::BOARD_PATCH);
        let is_request = topics::below(&parent, &message.topic).map(str::to_owned);
        if let Some(request_id) = is_request.filter(|_| !message.payload.is_empty()) {
            let delivery = self.delivery(panel, &message);
            let line = &mut self.panels[panel].mqtt;
            match delivery.delivered.is_fresh {
                true => _ = line.over.remove(&request_id.parse::<RequestId>().expect("an ID")),
                false => line.wants_nonce |= !line.spent.is_empty(),
            }
            return self.with_agent(panel, |agent| _ = agent.deliver(delivery));
        }
        let own = &self.panels[panel];
        if let Some(id) = topics::below(&parent, &message.topic) {
            let request_id: RequestId = id.parse().expect("an ID");
            let line = &mut self.panels[panel].mqtt;
            line.over.insert(request_id.clone());
            line.spent.insert(request_id.clone(), line.nonces.clone());
            self.with_agent(panel, |agent| agent.handle(Event::Over { request_id }));
        } else if message.topic == fill(topics::BOARD_PRESENCE) {
            self.hears_itself(panel, &message);
        } else if message.retain {
        } else if message.topic == EVERYBODY_WHO {
            let at = self.now() + self.random.below(SPREAD);
            let line = &mut self.panels[panel].mqtt;
            line.announces_at = Some(line.announces_at.map_or(at, |due| due.min(at)));
        } else if own.is_on_line() {
            self.present(panel);
        }
        self.acknowledge(client, link, message.number);
    }

    fn hears_itself(&mut self, panel: usize, message: &Message) {
        let presence = Presence::read(&message.payload).ok().flatten();
        let own = &self.panels[panel];
        let is_own =
            |said: &Presence| said.state == PresenceState::Online && said.board == own.name;
        let Some(said) = presence.filter(is_own) else { return self.present(panel) };
        let is_old = !message.retain && own.presence().as_ref() != Some(&said);
        let nonce = said.nonce;
        let line = &mut self.panels[panel].mqtt;
        if line.waits_for_echo && nonce.as_ref() == line.nonces.last() {
            line.waits_for_echo = false;
            line.is_reached = true;
            let connection = self.panels[panel].connection;
            let reachable = Event::Reachable { route: Route::Mqtt, connection };
            self.with_agent(panel, |agent| agent.handle(reachable));
        } else if is_old {
            self.announce_later(panel);
        }
    }

    fn delivery(&self, panel: usize, message: &Message) -> Delivery {
        let request = self.mutant.reads(&message.payload);
        let line = &self.panels[panel].mqtt;
        let request_id = request.as_ref().ok().and_then(|request| request.id.as_ref());
        let spent = request_id.and_then(|request_id| line.spent.get(request_id));
        let is_spent = |nonce: &Nonce| spent.is_some_and(|spent| spent.contains(nonce));
        let is_fresh = |nonce: &Nonce| line.nonces.contains(nonce) && !is_spent(nonce);
        let timing = if message.retain || message.again { Timing::Again } else { Timing::Live };
        Delivery {
            delivered: self.delivered(&request, Via::BoardTopic, timing, is_fresh),
            request,
            ack_token: message.number.map(AckToken),
            route: Some(Route::Mqtt),
            offline: false,
        }
    }

    pub fn delivered(
        &self,
        request: &Result<Request, Unreadable>,
        via: Via,
        timing: Timing,
        is_fresh: impl FnOnce(&Nonce) -> bool,
    ) -> Delivered {
        let nonce = request.as_ref().ok().and_then(|request| request.nonce.as_ref());
        let is_fresh = nonce.is_some_and(is_fresh) || self.mutant == Mutant::NonceNotChecked;
        Delivered { via, timing, signature: Signature::Missing, is_fresh, deferrals: 0 }
    }
}
