//! The world: billing, a broker, panels and strangers, in one thread and one queue of what happens.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use intercom_agent::agent::seams::{Connection, HookRun, HookRunNumber, ReportId};
use intercom_agent::record::Route;
use intercom_billing::mqtt::conversation;
use intercom_billing::store::macs::Believed;
use intercom_wire::{Mac, Nonce, Report, RequestBody};

use super::actions::Action;
use super::broker::{Broker, Client, LinkId, Message, Session};
use super::log::Log;
use super::mutant::Mutant;
use super::panel::Panel;
use super::puppet::Puppet;
use super::random_numbers::Random;
use super::service::Service;
use super::watch::Watch;

/// The shortest way of a message, in milliseconds.
const LATENCY: u64 = 5;
/// How long after a power cut a broker gives up the connection.
pub const KEEP_ALIVE: u64 = 90_000;

/// Whose a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Billing,
    Panel(usize),
    Puppet(usize),
}

/// What the sender of a message learns when the broker has it.
#[derive(Debug, Clone)]
pub enum Taken {
    Nothing,
    Report(ReportId),
    Billings(conversation::Message),
}

/// What happens at a time.
#[derive(Debug)]
pub enum Happening {
    Action(Action),
    ToBroker {
        client: Client,
        link: LinkId,
        topic: String,
        payload: Vec<u8>,
        retain: bool,
        taken: Taken,
    },
    ToClient {
        client: Client,
        link: LinkId,
        message: Message,
    },
    /// The broker has a client's acknowledgement.
    Acknowledged {
        client: Client,
        link: LinkId,
        number: u64,
    },
    /// A client has the broker's.
    TakenByBroker {
        link: LinkId,
        taken: Taken,
    },
    /// A connection whose client is dark is given up.
    KeepAlive {
        client: Client,
        link: LinkId,
    },
    Plan {
        link: LinkId,
    },
    BillingConnects {
        run: u32,
    },
    BillingStarts,
    BrokerIsUp(super::broker::After),
    Connect {
        panel: usize,
        life: u32,
        connection: Connection,
    },
    LookedUp {
        panel: usize,
        life: u32,
        mac: Mac,
    },
    LinkJudged {
        panel: usize,
        life: u32,
        mac: Mac,
    },
    HooksEnd {
        panel: usize,
        life: u32,
        number: HookRunNumber,
        run: HookRun,
    },
    Echo {
        panel: usize,
        link: LinkId,
    },
    Poll {
        panel: usize,
        life: u32,
        connection: Connection,
        again: bool,
    },
    Polled {
        panel: usize,
        life: u32,
        connection: Connection,
        requests: Vec<RequestBody>,
    },
    Post {
        panel: usize,
        life: u32,
        id: ReportId,
        report: Box<Report>,
    },
    Posted {
        panel: usize,
        life: u32,
        id: ReportId,
    },
}

/// What the network does to messages until the faults end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// The longest delay of a message.
    pub delay: u64,
    /// One in so many HTTP exchanges is lost; 0 for none.
    pub loses: u64,
    /// One in so many messages is taken by the broker and does not reach a client that is connected; 0 for
    /// none.
    pub drops: u64,
}

pub struct World {
    pub clock: Rc<Cell<u64>>,
    pub random: Random,
    queue: BTreeMap<(u64, u64), Happening>,
    order: u64,
    pub links: u64,
    pub owners: BTreeMap<LinkId, Owner>,
    pub weather: Weather,
    pub broker: Broker,
    pub service: Service,
    pub panels: Vec<Panel>,
    pub puppets: Vec<Puppet>,
    pub mutant: Mutant,
    pub watch: Watch,
    pub log: Log,
    pub steps: u64,
}

impl World {
    /// Billing and the broker are up; nobody has connected yet.
    pub fn new(seed: u64, believed: Believed) -> Self {
        let mut world = World {
            clock: Rc::default(),
            random: Random::new(seed),
            queue: BTreeMap::new(),
            order: 0,
            links: 0,
            owners: BTreeMap::new(),
            weather: Weather::default(),
            broker: Broker { is_up: true, ..Broker::default() },
            service: Service::new(believed),
            panels: Vec::new(),
            puppets: Vec::new(),
            mutant: Mutant::None,
            watch: Watch::default(),
            log: Log::default(),
            steps: 0,
        };
        world.broker.sessions.insert(Client::Billing, Session::default());
        world.start_billing();
        world
    }

    pub fn now(&self) -> u64 {
        self.clock.get()
    }

    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        self.log.tell(self.clock.get(), line);
    }

    pub fn broke(&mut self, rule: u8, what: String) {
        self.tell(|| format!("BROKEN rule {rule}: {what}"));
        self.watch.broke(rule, what);
    }

    pub fn at(&mut self, time: u64, happening: Happening) {
        self.order += 1;
        self.queue.insert((time.max(self.now()), self.order), happening);
    }

    pub fn later(&mut self, delay: u64, happening: Happening) {
        self.at(self.now() + delay, happening);
    }

    pub fn latency(&mut self) -> u64 {
        LATENCY + self.random.below(self.weather.delay + 1)
    }

    pub fn nonce(&mut self) -> Nonce {
        Nonce::of(self.random.next())
    }

    fn set_now(&mut self, now: u64) {
        self.clock.set(now);
        self.service.host.set(now);
    }

    /// Lives until that time.
    pub fn live_until(&mut self, end: u64) {
        loop {
            let queued = self.queue.keys().next().map(|(time, _)| *time);
            let woken = self.panels.iter().filter_map(Panel::due).min();
            let announces = self.panels.iter().filter_map(|panel| panel.mqtt.announces_at).min();
            let billing = self.billing_due();
            let next = [queued, woken, announces, billing].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.steps += 1;
            assert!(self.steps < 1_000_000, "the world never comes to rest");
            self.set_now(next.max(self.now()));
            let now = self.now();
            if queued.is_some_and(|time| time <= now) {
                if let Some((_, happening)) = self.queue.pop_first() {
                    self.happen(happening);
                }
            } else if billing.is_some_and(|time| time <= now) {
                self.billing_wakes();
            } else {
                self.panels_wake();
            }
        }
        self.set_now(end);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Action(action) => self.perform(action),
            Happening::ToBroker { client, link, topic, payload, retain, taken } => {
                if !self.broker.is_linked(&client, link) {
                    return;
                }
                if retain && client == Client::Billing {
                    self.broke(9, format!("billing retains {topic}"));
                }
                self.publish(&topic, &payload, retain);
                let delay = self.latency();
                self.later(delay, Happening::TakenByBroker { link, taken });
            }
            Happening::ToClient { client, link, message } => {
                if self.broker.is_linked(&client, link) {
                    self.arrive(client, link, message);
                }
            }
            Happening::Acknowledged { client, link, number } => {
                if self.broker.is_linked(&client, link) {
                    self.broker.acknowledge(&client, number);
                }
            }
            Happening::TakenByBroker { link, taken } => self.taken(link, taken),
            Happening::KeepAlive { client, link } => {
                if self.broker.is_linked(&client, link) {
                    self.break_link(&client);
                }
            }
            Happening::Plan { link } => self.plan(link),
            Happening::BillingConnects { run } => self.billing_connects(run),
            Happening::BillingStarts => self.start_billing(),
            Happening::BrokerIsUp(after) => {
                self.broker.restart(after);
                self.tell(|| format!("the broker is up, its data {after:?}"));
            }
            Happening::Connect { panel, life, connection } => self.connect(panel, life, connection),
            Happening::LookedUp { panel, life, mac } => self.looked_up(panel, life, mac),
            Happening::LinkJudged { panel, life, mac } => self.link_judged(panel, life, mac),
            Happening::HooksEnd { panel, life, number, run } => {
                self.hooks_end(panel, life, number, &run);
            }
            Happening::Echo { panel, link } => self.repeat_echo(panel, link),
            Happening::Poll { panel, life, connection, again } => {
                self.poll(panel, life, connection, again);
            }
            Happening::Polled { panel, life, connection, requests } => {
                self.polled(panel, life, connection, &requests);
            }
            Happening::Post { panel, life, id, report } => self.post(panel, life, id, *report),
            Happening::Posted { panel, life, id } => self.reported(panel, life, id, Route::Http),
        }
    }
}
