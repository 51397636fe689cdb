//! A panel's power, and its network cable.

use super::broker::Client;
use super::world::{Happening, KEEP_ALIVE, World};

impl World {
    /// The power comes back, or the board is put on a wall.
    pub fn power_on(&mut self, panel: usize) {
        if self.panels[panel].is_on() {
            return;
        }
        let nonce = self.nonce();
        self.panels[panel].boot(nonce);
        let (name, mac) = (self.panels[panel].name.clone(), self.panels[panel].link_mac());
        self.tell(|| format!("{name} starts with {mac}"));
        self.handle_commands(panel);
    }

    /// The power is gone, in whatever the board was doing.
    pub fn power_off(&mut self, panel: usize) {
        let own = &mut self.panels[panel];
        if !own.is_on() {
            return;
        }
        own.agent = None;
        own.life += 1;
        let (name, link) = (own.name.clone(), own.mqtt.link.take());
        own.mqtt.announces_at = None;
        own.connect_as = None;
        self.tell(|| format!("{name} has no power"));
        if let Some(link) = link {
            let delay = 1 + self.random.below(KEEP_ALIVE);
            let client = Client::Board(name);
            self.later(delay, Happening::KeepAlive { client, link });
        }
    }

    /// The network cable is pulled: the broker finds out later.
    pub fn unplug(&mut self, panel: usize) {
        let own = &mut self.panels[panel];
        if !std::mem::replace(&mut own.is_plugged, false) {
            return;
        }
        let (name, link) = (own.name.clone(), own.mqtt.link);
        self.tell(|| format!("{name} is unplugged"));
        if let Some(link) = link {
            let delay = 1 + self.random.below(KEEP_ALIVE);
            self.later(delay, Happening::KeepAlive { client: Client::Board(name), link });
        }
    }
}
