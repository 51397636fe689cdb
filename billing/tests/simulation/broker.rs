//! The broker: what it retains, what it keeps for whom, and everything that was ever published.

use std::collections::{BTreeMap, VecDeque};

use intercom_wire::BoardName;
use intercom_wire::topics::{self, EVERYBODY_WHO, FromBoard};

/// One connection of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub u64);

/// Who is connected: billing, or a board by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    Billing,
    Board(BoardName),
}

/// A message on its way to a client.
#[derive(Debug, Clone)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
    /// It may have been delivered before.
    pub again: bool,
    /// To be acknowledged by this number; QoS 0 is not.
    pub number: Option<u64>,
}

/// A message at QoS 1 that its client has not acknowledged.
#[derive(Debug, Clone)]
pub struct Kept {
    pub number: u64,
    pub topic: String,
    pub payload: Vec<u8>,
    /// It was sent on some connection.
    pub is_sent: bool,
}

/// What is kept for a client between its connections.
#[derive(Debug, Clone, Default)]
pub struct Session {
    pub link: Option<LinkId>,
    /// When the last message arrives that is on its way, so that none overtakes another.
    pub arrives: u64,
    pub queue: VecDeque<Kept>,
}

#[derive(Debug, Default)]
pub struct Broker {
    pub is_up: bool,
    pub retained: BTreeMap<String, Vec<u8>>,
    pub sessions: BTreeMap<Client, Session>,
    /// Everything that was ever published: it may be given out again at any time.
    pub archive: Vec<(String, Vec<u8>)>,
    /// A copy of what was durable at some time, for a broker that comes back with older data.
    pub older: BTreeMap<String, Vec<u8>>,
    pub older_queues: BTreeMap<Client, VecDeque<Kept>>,
    pub numbers: u64,
}

/// What a broker has after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// All of it.
    Kept,
    /// What it had some time ago.
    Older,
    /// Nothing.
    Empty,
}

impl Broker {
    /// The clients that subscribe to a topic, each with whether at QoS 1.
    pub fn subscribers(&self, topic: &str) -> Vec<(Client, bool)> {
        let is_for = |client: &Client| match client {
            Client::Billing => match FromBoard::read(topic)? {
                FromBoard::Status(_) => Some(true),
                // QoS 0, as the service subscribes.
                FromBoard::Presence(_) => Some(false),
            },
            Client::Board(board) => {
                let own = |template: &str| template.replace("{board}", board.as_str());
                let is_own = topics::below(&own(topics::BOARD_PATCH), topic).is_some()
                    || topic == own(topics::BOARD_WHO);
                let is_echo = topic == own(topics::BOARD_PRESENCE);
                (is_own || topic == EVERYBODY_WHO || is_echo).then_some(is_own)
            }
        };
        let all = self.sessions.keys();
        all.filter_map(|client| Some((client.clone(), is_for(client)?))).collect()
    }

    pub fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Keeps what a broker would keep of a message.
    pub fn keep(&mut self, topic: &str, payload: &[u8], retain: bool) {
        self.archive.push((topic.to_owned(), payload.to_vec()));
        match (retain, payload.is_empty()) {
            (true, true) => drop(self.retained.remove(topic)),
            (true, false) => drop(self.retained.insert(topic.to_owned(), payload.to_vec())),
            (false, _) => {}
        }
    }

    /// Makes what it has now the older data of a later restart.
    pub fn snapshot(&mut self) {
        self.older = self.retained.clone();
        self.older_queues =
            self.sessions.iter().map(|(client, s)| (client.clone(), s.queue.clone())).collect();
    }

    /// Comes up again with what it has.
    pub fn restart(&mut self, after: After) {
        self.is_up = true;
        match after {
            After::Kept => {}
            After::Older => {
                self.retained = self.older.clone();
                for (client, session) in &mut self.sessions {
                    session.queue = self.older_queues.get(client).cloned().unwrap_or_default();
                }
            }
            After::Empty => {
                self.retained.clear();
                self.sessions.values_mut().for_each(|session| session.queue.clear());
            }
        }
    }

    pub fn acknowledge(&mut self, client: &Client, number: u64) {
        if let Some(session) = self.sessions.get_mut(client) {
            session.queue.retain(|kept| kept.number != number);
        }
    }

    pub fn is_linked(&self, client: &Client, link: LinkId) -> bool {
        self.sessions.get(client).is_some_and(|session| session.link == Some(link))
    }
}
