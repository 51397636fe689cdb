//! A board without our agent: it says whatever the script has it say, on its own topics alone, as any
//! broker's rules hold it to. One that is mute shows itself and never answers a request.

use intercom_wire::{BoardName, Identity, Nonce, Presence, PresenceState, topics};

use super::broker::{Client, LinkId, Message};
use super::world::{Owner, Taken, World};

pub struct Puppet {
    pub name: BoardName,
    pub link: Option<LinkId>,
    /// What it claims to carry.
    pub claim: Option<Identity>,
    pub nonce: Option<Nonce>,
    pub arrives: u64,
}

impl Puppet {
    pub fn new(name: &str) -> Self {
        let name = name.parse().expect("a name");
        Puppet { name, link: None, claim: None, nonce: None, arrives: 0 }
    }
}

impl World {
    /// A puppet shows itself with this claim; it connects if it has not.
    pub fn puppet_claims(&mut self, puppet: usize, claim: &Identity) {
        if !self.broker.is_up {
            return;
        }
        let client = Client::Board(self.puppets[puppet].name.clone());
        if self.puppets[puppet].link.is_none() {
            let link = self.link(&client, Owner::Puppet(puppet));
            let nonce = self.nonce();
            let own = &mut self.puppets[puppet];
            own.link = Some(link);
            own.arrives = 0;
            own.nonce = Some(nonce);
        }
        self.puppets[puppet].claim = Some(claim.clone());
        self.puppet_presents(puppet);
    }

    pub fn puppet_leaves(&mut self, puppet: usize) {
        let client = Client::Board(self.puppets[puppet].name.clone());
        if self.puppets[puppet].link.is_some() {
            self.break_link(&client);
        }
    }

    fn puppet_presents(&mut self, puppet: usize) {
        let own = &self.puppets[puppet];
        if let Some(claim) = own.claim.clone() {
            self.puppet_pretends(puppet, own.name.clone().as_str(), &claim);
        }
    }

    /// Says on its own topic that it is the board of that name.
    pub fn puppet_pretends(&mut self, puppet: usize, board: &str, claim: &Identity) {
        let own = &self.puppets[puppet];
        let presence = Presence {
            mac: Some(claim.mac),
            serial_number: claim.serial_number.clone(),
            nonce: own.nonce.clone(),
            ..Presence::of(board.parse().expect("a name"), PresenceState::Online)
        };
        let topic = topics::BOARD_PRESENCE.replace("{board}", own.name.as_str());
        self.puppet_says(puppet, topic, presence.payload(), true);
    }

    /// Says anything on one of its own topics.
    pub fn puppet_says(&mut self, puppet: usize, topic: String, payload: Vec<u8>, retain: bool) {
        if let Some(link) = self.puppets[puppet].link {
            self.send(Owner::Puppet(puppet), link, (topic, payload), retain, Taken::Nothing);
        }
    }

    pub fn puppet_hears(&mut self, puppet: usize, _: LinkId, message: &Message) {
        let is_who = message.topic.ends_with("/who") && !message.retain;
        if is_who {
            self.puppet_presents(puppet);
        }
    }
}
