//! What comes of a panel's wishes, and what its network brings it.

use intercom_agent::agent::seams::{
    AckToken, ConnectIdentity, Connection, Event, HookRun, HookRunNumber, Phase, ReportId,
};
use intercom_agent::agent::{Agent, HookFailure, HookProblem};
use intercom_agent::decide::MacOwner;
use intercom_agent::record::Route;
use intercom_wire::Mac;

use super::broker::Client;
use super::hardware::{Command, Simulated};
use super::mutant::Mutant;
use super::world::{Happening, World};

impl World {
    /// Does something with a panel's agent, and then what the agent wants.
    pub fn with_agent(&mut self, panel: usize, act: impl FnOnce(&mut Agent<Simulated>)) {
        let Some(mut agent) = self.panels[panel].agent.take() else { return };
        let before = agent.record().change.clone();
        act(&mut agent);
        let after = agent.record().change.clone();
        self.panels[panel].agent = Some(agent);
        if let Some(change) = after.filter(|_| before.is_none()) {
            self.begins(panel, &change);
        }
        self.handle_commands(panel);
    }

    /// Takes up what an agent has wanted since it was last asked.
    pub fn handle_commands(&mut self, panel: usize) {
        let commands = std::mem::take(&mut self.panels[panel].hardware.borrow_mut().commands);
        let life = self.panels[panel].life;
        for command in commands {
            match command {
                Command::Connect(connect_as, connection) => {
                    self.connect_as(panel, connect_as, connection);
                }
                Command::Acknowledge(AckToken(number)) => {
                    let own = &self.panels[panel];
                    if let Some(link) = own.mqtt.link {
                        let client = Client::Board(own.name.clone());
                        self.acknowledge(client, link, Some(number));
                    }
                }
                Command::LookUp(mac) => self.later(1_000, Happening::LookedUp { panel, life, mac }),
                Command::Send(route, id, report) => {
                    self.tries_again(panel, &report);
                    match route {
                        Route::Mqtt => self.send_report(panel, id, &report),
                        Route::Http | Route::Billing => {
                            let delay = self.latency();
                            self.later(delay, Happening::Post { panel, life, id, report });
                        }
                    }
                }
                Command::Announce if self.mutant == Mutant::OldOffersAreNotAnswered => {}
                Command::Announce => self.announce_later(panel),
                Command::Claim(connection) => {
                    if self.panels[panel].connection == connection {
                        if let Some(own) = &mut self.panels[panel].connect_as {
                            own.confirm();
                        }
                        self.present(panel);
                    }
                }
                Command::Prove(Route::Mqtt) => self.ask_for_echo(panel),
                Command::Prove(_) | Command::AskAgain(Route::Http | Route::Billing) => {
                    let connection = self.panels[panel].connection;
                    self.later(1, Happening::Poll { panel, life, connection, again: false });
                }
                Command::JudgeLink(mac) => {
                    self.later(10, Happening::LinkJudged { panel, life, mac })
                }
                Command::AskAgain(Route::Mqtt) => {
                    let client = Client::Board(self.panels[panel].name.clone());
                    if self.panels[panel].mqtt.link.is_some() {
                        self.break_link(&client);
                    }
                }
                Command::Hooks(number, run) => {
                    let takes = if run.phase == Phase::Ready { 100 } else { 2_000 };
                    self.later(takes, Happening::HooksEnd { panel, life, number, run });
                }
            }
        }
    }

    /// The agents that are due do what they have to.
    pub fn panels_wake(&mut self) {
        let now = self.now();
        for panel in 0..self.panels.len() {
            if self.panels[panel].mqtt.announces_at.is_some_and(|at| at <= now) {
                let line = &mut self.panels[panel].mqtt;
                line.announces_at = None;
                match std::mem::take(&mut line.wants_nonce) {
                    true => self.ask_for_echo(panel),
                    false => self.present(panel),
                }
            }
            if self.panels[panel].due().is_some_and(|due| due <= now) {
                self.with_agent(panel, Agent::tick);
            }
        }
    }

    fn connect_as(&mut self, panel: usize, connect_as: ConnectIdentity, connection: Connection) {
        let client = Client::Board(self.panels[panel].name.clone());
        if self.panels[panel].mqtt.link.is_some() {
            self.break_link(&client);
        }
        let own = &mut self.panels[panel];
        own.connect_as = Some(connect_as);
        own.connection = connection;
        own.http.is_reached = false;
        own.mqtt.attempts = 0;
        let life = own.life;
        if own.has(Route::Mqtt) {
            self.later(20, Happening::Connect { panel, life, connection });
        }
        if self.panels[panel].has(Route::Http) {
            let delay = self.latency();
            self.later(delay, Happening::Poll { panel, life, connection, again: true });
        }
    }

    pub fn looked_up(&mut self, panel: usize, life: u32, mac: Mac) {
        if self.panels[panel].life != life {
            return;
        }
        let own = self.panels[panel].mqtt.link;
        if self.panels[panel].has(Route::Mqtt) && own.is_none() {
            return;
        }
        let has_it = |(other, board): &(usize, &super::panel::Panel)| {
            *other != panel
                && board.connect_as.as_ref().is_some_and(|own| own.macs().contains(&mac))
                && (own.is_some() && board.mqtt.link.is_some() && board.is_on_line())
        };
        let other = self.panels.iter().enumerate().find(has_it);
        let owner = match other {
            Some((_, board)) => MacOwner::AnotherBoard(Some(board.name.clone())),
            None => MacOwner::Nobody,
        };
        self.with_agent(panel, |agent| agent.handle(Event::LookedUp { mac, owner }));
    }

    pub fn link_judged(&mut self, panel: usize, life: u32, mac: Mac) {
        if self.panels[panel].life == life {
            self.with_agent(panel, |agent| agent.handle(Event::LinkJudged { mac, judged: Ok(()) }));
        }
    }

    pub fn hooks_end(&mut self, panel: usize, life: u32, number: HookRunNumber, run: &HookRun) {
        if self.panels[panel].life != life {
            return;
        }
        let is_busy = run.phase == Phase::Ready && self.panels[panel].is_busy;
        let not_now = || Err(HookFailure::new("20-sip", HookProblem::NotNow));
        let end = if is_busy { not_now() } else { Ok(()) };
        self.with_agent(panel, |agent| agent.hooks_ended(number, end));
    }

    pub fn reported(&mut self, panel: usize, life: u32, id: ReportId, route: Route) {
        if self.panels[panel].life != life {
            return;
        }
        self.with_agent(panel, |agent| agent.handle(Event::Reported { id, route }));
    }

    /// For a mutant: what the broker has taken counts as read by billing.
    pub fn everything_is_read(&mut self, panel: usize) {
        let ids: Vec<_> = self.watch.tables.requests.keys().cloned().collect();
        for request_id in ids {
            self.with_agent(panel, |agent| agent.handle(Event::Over { request_id }));
        }
    }
}
