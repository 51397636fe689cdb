//! The connections to the broker, and the messages on them: none overtakes another on one connection,
//! and none is lost while it stands but for those that the broker drops.

use intercom_agent::record::Route;
use intercom_wire::topics::FromBoard;
use intercom_wire::{BoardName, Presence, PresenceState, topics};

use super::broker::{Client, Kept, LinkId, Message};
use super::mutant::Mutant;
use super::world::{Happening, Owner, Taken, World};

impl World {
    /// Sends a message over a connection, behind those before it.
    pub fn send(
        &mut self,
        owner: Owner,
        link: LinkId,
        (topic, payload): (String, Vec<u8>),
        retain: bool,
        taken: Taken,
    ) {
        if matches!(owner, Owner::Panel(panel) if !self.panels[panel].is_on_line()) {
            return;
        }
        let at = self.now() + self.latency();
        let (client, arrives) = match owner {
            Owner::Billing => {
                let Some(own) = self.service.link() else { return };
                (Client::Billing, &mut own.arrives)
            }
            Owner::Panel(panel) => {
                let panel = &mut self.panels[panel];
                (Client::Board(panel.name.clone()), &mut panel.mqtt.arrives)
            }
            Owner::Puppet(puppet) => {
                let puppet = &mut self.puppets[puppet];
                (Client::Board(puppet.name.clone()), &mut puppet.arrives)
            }
        };
        *arrives = at.max(*arrives);
        let at = *arrives;
        self.at(at, Happening::ToBroker { client, link, topic, payload, retain, taken });
    }

    /// The broker has a message for whoever wants it.
    pub fn publish(&mut self, topic: &str, payload: &[u8], retain: bool) {
        self.broker.keep(topic, payload, retain);
        for (client, is_kept) in self.broker.subscribers(topic) {
            if !self.drops(&client, topic, payload) {
                self.give(&client, topic, payload, false, is_kept);
            }
        }
    }

    /// Whether the broker drops a message that it has taken. A panel repeats its presence until it has it
    /// back; who has gone cannot repeat anything.
    fn drops(&mut self, client: &Client, topic: &str, payload: &[u8]) -> bool {
        let is_lossy = match (client, FromBoard::read(topic)) {
            (_, Some(FromBoard::Status(_))) | (Client::Board(_), None) => true,
            (Client::Billing, Some(FromBoard::Presence(_))) => {
                let said = Presence::read(payload).ok().flatten();
                said.is_some_and(|said| said.state == PresenceState::Online)
            }
            _ => false,
        };
        is_lossy && self.weather.drops > 0 && self.random.one_in(self.weather.drops)
    }

    /// Gives a message to one client, at QoS 1 or not.
    pub fn give(&mut self, client: &Client, topic: &str, payload: &[u8], retain: bool, kept: bool) {
        let number = kept.then(|| self.broker.next_number());
        let Some(session) = self.broker.sessions.get_mut(client) else { return };
        let link = session.link;
        if let Some(number) = number {
            let (topic, payload) = (topic.to_owned(), payload.to_vec());
            session.queue.push_back(Kept { number, topic, payload, is_sent: link.is_some() });
        }
        if let Some(link) = link {
            let (topic, payload) = (topic.to_owned(), payload.to_vec());
            let message = Message { topic, payload, retain, again: false, number };
            self.deliver(client, link, message);
        }
    }

    fn deliver(&mut self, client: &Client, link: LinkId, message: Message) {
        let at = self.now() + self.latency();
        let Some(session) = self.broker.sessions.get_mut(client) else { return };
        session.arrives = at.max(session.arrives);
        let at = session.arrives;
        self.at(at, Happening::ToClient { client: client.clone(), link, message });
    }

    /// A client connects. The session of one with the same name is taken over: its connection ends.
    pub fn link(&mut self, client: &Client, owner: Owner) -> LinkId {
        self.break_link(client);
        self.links += 1;
        let link = LinkId(self.links);
        self.owners.insert(link, owner);
        let session = self.broker.sessions.entry(client.clone()).or_default();
        session.link = Some(link);
        session.arrives = 0;
        let queue: Vec<_> = session.queue.iter().cloned().collect();
        session.queue.iter_mut().for_each(|kept| kept.is_sent = true);
        for Kept { number, topic, payload, is_sent: again } in queue {
            let message = Message { topic, payload, retain: false, again, number: Some(number) };
            self.deliver(client, link, message);
        }
        let retained: Vec<_> = self.broker.retained.clone().into_iter().collect();
        for (topic, payload) in retained {
            let wants = |(subscriber, _): &(Client, bool)| subscriber == client;
            if self.broker.subscribers(&topic).iter().any(wants) {
                let message = Message { topic, payload, retain: true, again: false, number: None };
                self.deliver(client, link, message);
            }
        }
        link
    }

    /// A client's connection is gone: its last will is published, and it learns of it if it is not dark.
    pub fn break_link(&mut self, client: &Client) {
        let session = self.broker.sessions.get_mut(client);
        let Some(link) = session.and_then(|session| session.link.take()) else { return };
        if let Client::Board(board) = client {
            self.last_will(board);
        }
        match self.owners.remove(&link) {
            Some(Owner::Billing) => self.billing_is_off(link),
            Some(Owner::Panel(panel)) => self.panel_is_off(panel, link),
            Some(Owner::Puppet(puppet)) => self.puppets[puppet].link = None,
            None => {}
        }
    }

    fn last_will(&mut self, board: &BoardName) {
        let topic = topics::BOARD_PRESENCE.replace("{board}", board.as_str());
        let payload = Presence::of(board.clone(), PresenceState::Offline).payload();
        self.tell(|| format!("{board} is off line"));
        self.publish(&topic, &payload, true);
    }

    /// The broker dies: nobody's last will is published.
    pub fn kill_broker(&mut self) {
        self.broker.is_up = false;
        let links: Vec<_> =
            self.broker.sessions.values_mut().filter_map(|s| s.link.take()).collect();
        for link in links {
            match self.owners.remove(&link) {
                Some(Owner::Billing) => self.billing_is_off(link),
                Some(Owner::Panel(panel)) => self.panel_is_off(panel, link),
                Some(Owner::Puppet(puppet)) => self.puppets[puppet].link = None,
                None => {}
            }
        }
    }

    pub fn arrive(&mut self, client: Client, link: LinkId, message: Message) {
        match self.owners.get(&link).copied() {
            Some(Owner::Billing) => self.billing_hears(link, &message),
            Some(Owner::Panel(panel)) => return self.panel_hears(panel, link, message),
            Some(Owner::Puppet(puppet)) => self.puppet_hears(puppet, link, &message),
            None => {}
        }
        self.acknowledge(client, link, message.number);
    }

    /// A client acknowledges a message. Until the broker knows, it may deliver it again.
    pub fn acknowledge(&mut self, client: Client, link: LinkId, number: Option<u64>) {
        if let Some(number) = number {
            let delay = self.latency();
            self.later(delay, Happening::Acknowledged { client, link, number });
        }
    }

    pub fn taken(&mut self, link: LinkId, taken: Taken) {
        match (self.owners.get(&link).copied(), taken) {
            (Some(Owner::Billing), Taken::Billings(message)) => self.billings_taken(link, &message),
            (Some(Owner::Panel(panel)), Taken::Report(id)) => {
                let life = self.panels[panel].life;
                self.reported(panel, life, id, Route::Mqtt);
                if self.mutant == Mutant::ThePubAckIsTheAnswer {
                    self.everything_is_read(panel);
                }
            }
            _ => {}
        }
    }
}
