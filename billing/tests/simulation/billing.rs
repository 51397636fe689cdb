//! Billing's side of the world: its process, its connection, what it is told and what it says.

use intercom_billing::mqtt::conversation::{Conversation, Message as Said, Received};
use intercom_billing::operations::{Billing, Poll, Refusal};
use intercom_billing::store::pending::Caller;
use intercom_wire::topics::{FromBoard, ToPanel};
use intercom_wire::{BoardName, Presence, Report, RequestBody, json};

use super::broker::{Client, LinkId, Message};
use super::host::unix_ms;
use super::mutant::Mutant;
use super::panel_http::POLL_MS;
use super::rules::Cause;
use super::service::Link;
use super::world::{Happening, Owner, Taken, World};

/// How long a plan waits for the next turn of the loop, in milliseconds.
const TURN: u64 = 2;

impl World {
    pub fn start_billing(&mut self) {
        if self.service.running.is_some() {
            return;
        }
        self.service.start();
        let run = self.service.runs;
        self.tell(|| format!("billing starts, run {run}"));
        self.watch.book.begins_again(unix_ms(self.now()));
        self.check_after(&Cause::Connect);
        self.later(10, Happening::BillingConnects { run });
    }

    /// The process dies; the broker notices at once.
    pub fn kill_billing(&mut self) {
        if self.service.running.is_some() {
            self.tell(|| "billing is killed".to_owned());
            self.service.kill();
            self.break_link(&Client::Billing);
        }
    }

    pub fn billing_is_off(&mut self, link: LinkId) {
        let run = self.service.runs;
        if let Some(running) = &mut self.service.running
            && running.link.as_ref().is_some_and(|own| own.id == link)
        {
            running.link = None;
            let pause = 500 + self.random.below(2_000);
            self.later(pause, Happening::BillingConnects { run });
        }
    }

    pub fn billing_connects(&mut self, run: u32) {
        let Some(billing) = self.service.billing().filter(|_| self.service.runs == run) else {
            return;
        };
        if !self.broker.is_up {
            let pause = 500 + self.random.below(5_000);
            return self.later(pause, Happening::BillingConnects { run });
        }
        let id = self.link(&Client::Billing, Owner::Billing);
        let conversation = Conversation::new(&billing);
        self.service.run(conversation.connected()).expect("the database");
        if let Some(running) = &mut self.service.running {
            running.link = Some(Link { id, conversation, arrives: 0, plans: false });
        }
        self.tell(|| "billing is connected".to_owned());
        self.watch.links += 1;
        self.watch.book.begins_again(unix_ms(self.now()));
        self.check_after(&Cause::Connect);
        self.converse(|world, link| world.run(link.conversation.subscribed()));
        self.speak();
    }

    /// Something with the conversation, which is taken out meanwhile.
    fn converse<T>(
        &mut self,
        act: impl FnOnce(&super::service::Service, &mut Link) -> Result<T, Refusal>,
    ) -> Option<T> {
        let mut link = self.service.running.as_mut()?.link.take()?;
        let done = act(&self.service, &mut link).expect("the database");
        if let Some(running) = &mut self.service.running {
            running.link = Some(link);
        }
        Some(done)
    }

    /// Publishes what is to be said, and sees to what is to be planned.
    fn speak(&mut self) {
        let Some(link) = self.service.link() else { return };
        link.conversation.take_changes();
        let id = link.id;
        let plans = link.conversation.has_to_plan() && !std::mem::replace(&mut link.plans, true);
        let said: Vec<Said> = std::iter::from_fn(|| link.conversation.next_message()).collect();
        for message in said {
            self.says(id, message);
        }
        if plans {
            self.later(TURN, Happening::Plan { link: id });
        }
    }

    fn says(&mut self, link: LinkId, message: Said) {
        let Some(message) = self.mutant.says(message) else { return };
        self.service.published += 1;
        self.tell(|| format!("billing: {} {}", message.topic, brief(&message.payload)));
        self.check_said(&message);
        let retain = self.mutant == Mutant::OffersRetained && !message.payload.is_empty();
        let sent = (message.topic.clone(), message.payload.clone());
        self.send(Owner::Billing, link, sent, retain, Taken::Billings(message));
    }

    pub fn billings_taken(&mut self, link: LinkId, message: &Said) {
        if let Some(own) = self.service.link().filter(|own| own.id == link) {
            own.conversation.acknowledged(message);
            if message.topic == intercom_wire::topics::EVERYBODY_WHO {
                self.watch.book.has_asked = true;
            }
            self.speak();
        }
    }

    pub fn plan(&mut self, link: LinkId) {
        let Some(own) = self.service.link().filter(|own| own.id == link) else { return };
        own.plans = false;
        let blind = self.mutant.blinds_plan(&self.service.database, &self.watch.book);
        self.converse(|service, link| service.run(link.conversation.plan()));
        blind.restore(&self.service.database);
        self.check_after(&Cause::Plan);
        self.speak();
    }

    /// When billing does something by the clock.
    pub fn billing_due(&self) -> Option<u64> {
        let link = self.service.running.as_ref()?.link.as_ref()?;
        let wait = link.conversation.wait()?;
        Some(self.now() + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn billing_wakes(&mut self) {
        if let Some(link) = self.service.link() {
            link.conversation.take_due();
        }
        self.speak();
    }

    pub fn billing_hears(&mut self, link: LinkId, message: &Message) {
        if self.service.link().is_none_or(|own| own.id != link) {
            return;
        }
        // Who speaks is known from the topic on which it was really said.
        let cause = self.cause_of(&message.topic, message);
        self.take_note(&cause);
        if let Cause::Presence(board, presence) = &cause {
            self.watch.book.presence(board, presence, unix_ms(self.clock.get()));
        }
        let Some(Message { topic, payload, retain, .. }) = self.mutant.hears(message) else {
            return;
        };
        self.service.heard += 1;
        let mark = if retain { " (retained)" } else { "" };
        self.tell(|| format!("billing hears {topic} {}{mark}", brief(&payload)));
        let blind = self.mutant.blinds_report(&self.service.database, &topic, &payload);
        let received = Received { topic: &topic, payload: &payload, retain };
        let said =
            self.converse(|service, link| service.run(link.conversation.on_message(received)));
        blind.restore(&self.service.database);
        self.check_after(&cause);
        if let Some(Some(said)) = said {
            let answered = self.service.published;
            self.converse(|_, link| {
                link.conversation.answer(said);
                Ok(())
            });
            self.speak();
            self.check_answered(&cause, answered);
        } else {
            self.speak();
            let published = self.service.published;
            self.check_answered(&cause, published);
        }
    }

    fn cause_of(&self, topic: &str, message: &Message) -> Cause {
        if message.retain || message.payload.is_empty() {
            return Cause::Nothing;
        }
        match FromBoard::read(topic) {
            Some(FromBoard::Status(board)) => match json::read::<Report>(&message.payload) {
                Ok(report) if report.board == board => Cause::Report(board, Box::new(report)),
                _ => Cause::Nothing,
            },
            Some(FromBoard::Presence(board)) => match Presence::read(&message.payload) {
                Ok(Some(presence)) if presence.board == board && self.watch.book.has_asked => {
                    Cause::Presence(board, Box::new(presence))
                }
                _ => Cause::Nothing,
            },
            None => Cause::Nothing,
        }
    }

    /// A panel polls; `None` if billing is away.
    pub fn billing_is_polled(&mut self, panel: usize) -> Option<Vec<RequestBody>> {
        let billing = self.service.billing()?;
        let own = &self.panels[panel];
        let (name, connect_as) = (own.name.clone(), own.connect_as.clone()?);
        let poll = Poll {
            caller: Caller { board: name.clone(), mac: connect_as.identity.mac, id: connect_as.id },
            serial_number: connect_as.identity.serial_number.clone(),
            changing: connect_as.changing_from.is_some(),
            nonce: own.http.nonce.clone(),
            every_ms: i64::try_from(POLL_MS).expect("a time"),
        };
        self.is_polled(&billing, &name, poll)
    }

    fn is_polled(
        &mut self,
        billing: &Billing,
        name: &BoardName,
        poll: Poll,
    ) -> Option<Vec<RequestBody>> {
        self.service.heard += 1;
        let identity = intercom_wire::Identity {
            mac: poll.caller.mac,
            serial_number: poll.serial_number.clone(),
        };
        let changing = poll.changing;
        let blind = self.mutant.blinds_plan(&self.service.database, &self.watch.book);
        let requests = self.service.run(billing.pending_for(poll)).expect("the database");
        blind.restore(&self.service.database);
        self.tell(|| format!("{name} polls with {identity}: {} requests", requests.len()));
        let cause = match changing {
            true => Cause::Nothing,
            false => Cause::Poll(name.clone(), identity.clone()),
        };
        if !changing && self.is_believed(name, identity.mac) {
            self.watch.book.polled.insert((identity.mac, name.clone()));
        }
        let claim = Some(identity).filter(|_| !changing);
        self.watch.book.poll(name, claim, unix_ms(self.clock.get()));
        self.check_after(&cause);
        for request in &requests {
            self.check_listed(name, request);
        }
        self.speak();
        Some(requests)
    }

    /// A panel reports over HTTP; false if billing is away.
    pub fn billing_is_told(&mut self, panel: usize, report: &Report) -> bool {
        let Some(billing) = self.service.billing() else { return false };
        let name = self.panels[panel].name.clone();
        self.service.heard += 1;
        self.tell(|| format!("{name} reports {}", in_brief(report)));
        self.service.run(billing.report(report.clone())).expect("the database");
        let cause = Cause::Report(name, Box::new(report.clone()));
        self.take_note(&cause);
        self.check_after(&cause);
        self.speak();
        true
    }

    /// One of an operator's calls; a refusal is an answer, too.
    pub fn operate<T>(
        &mut self,
        what: &str,
        call: impl AsyncFnOnce(Billing) -> Result<T, Refusal>,
    ) -> Option<T> {
        let billing = self.service.billing()?;
        self.service.heard += 1;
        let done = self.service.run(call(billing));
        let end = match &done {
            Ok(_) => "done".to_owned(),
            Err(why) => why.to_string(),
        };
        self.tell(|| format!("operator: {what}: {end}"));
        if let Err(Refusal::Failed(why)) = &done {
            self.broke(0, format!("{what}: {why}"));
        }
        self.check_after(&Cause::Operator);
        self.speak();
        done.ok()
    }
}

/// A message in few words.
fn brief(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).replace("00000000-0000-0000-0000-00000000000", "r")
}

fn in_brief(report: &Report) -> String {
    brief(&serde_json::to_vec(report).expect("a report"))
}

/// The board that a message of billing's is for.
pub fn addressee(topic: &str) -> Option<BoardName> {
    match ToPanel::read(topic)? {
        ToPanel::Board(board) => Some(board),
        ToPanel::Mac(_) => None,
    }
}
