//! What this service and the boards say to each other over one connection to the broker, whatever
//! carries it: reports and presences in, offers and answers out.
//!
//! ```text
//! message ─► on_message (stored) ──────────► answer ─┐
//! changes, time ─────────────────────────────────────┴► agenda ─► plan ─► next_message
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use intercom_wire::topics::{EVERYBODY_WHO, FromBoard};
use intercom_wire::{BoardName, Presence, Report, RequestId, json};

use super::agenda::Agenda;
pub use super::offers::Message;
use super::offers::{Said, plan};
use super::silence::{Awaited, Silences};
use crate::operations::{Billing, Refusal};
use crate::store::{Changed, offers};

/// The state of one connection.
pub struct Conversation {
    billing: Billing,
    said: Said,
    /// The broker has taken the question who is there. What it handed out before may be old.
    has_asked: bool,
    agenda: Agenda,
    silences: Silences,
}

/// A message from the broker.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its payload.
    pub payload: &'a [u8],
    /// It was retained before this connection subscribed.
    pub retain: bool,
}

/// What a board has said, once it is stored.
#[derive(Debug)]
pub enum ToAnswer {
    /// A report that is answered.
    Report(BoardName, RequestId),
    /// It is there, or has gone.
    Presence(BoardName),
    /// The same, and it may be old: it was handed out before the broker took our question.
    OldPresence(BoardName),
}

impl Conversation {
    /// One that is still to begin.
    pub fn new(billing: &Billing) -> Self {
        Conversation {
            billing: billing.clone(),
            said: Said::default(),
            has_asked: false,
            agenda: Agenda::default(),
            silences: Silences::default(),
        }
    }

    /// The broker has taken the connection.
    ///
    /// # Errors
    /// The database fails.
    pub async fn connected(&self) -> Result<(), Refusal> {
        self.billing.on_connect().await
    }

    /// What the boards say arrives: asks who is there, and plans for every open request.
    ///
    /// # Errors
    /// The database fails.
    pub async fn subscribed(&mut self) -> Result<(), Refusal> {
        self.said.ask_everybody();
        // What is read below has all that was changed before.
        self.billing.store.changes().take();
        let open = self.billing.store.read(offers::every_open_request).await?;
        self.agenda.add(open.into_iter().map(Changed::Request));
        Ok(())
    }

    /// Returns when the message is stored.
    ///
    /// # Errors
    /// The database fails. The message is not to be acknowledged then.
    pub async fn on_message(&self, message: Received<'_>) -> Result<Option<ToAnswer>, Refusal> {
        // What was retained says how it was once: everybody is asked who is there.
        if message.retain || message.payload.is_empty() {
            return Ok(None);
        }
        match FromBoard::read(message.topic) {
            Some(FromBoard::Status(board)) => self.on_status(board, message).await,
            Some(FromBoard::Presence(board)) => self.on_presence(board, message).await,
            None => {
                tracing::warn!("{}: neither a status nor a presence topic", message.topic);
                Ok(None)
            }
        }
    }

    async fn on_status(
        &self,
        board: BoardName,
        message: Received<'_>,
    ) -> Result<Option<ToAnswer>, Refusal> {
        let report = match json::read::<Report>(message.payload) {
            Ok(report) if report.board == board => report,
            Ok(report) => {
                tracing::warn!("{}: it names another board: {}", message.topic, report.board);
                return Ok(None);
            }
            Err(why) => {
                tracing::warn!("{}: not a report: {why}", message.topic);
                return Ok(None);
            }
        };
        let is_answered = self.billing.answers(&report) && !report.is_deferred();
        let request_id = report.request_id.clone().filter(|_| is_answered);
        self.billing.report(report).await?;
        Ok(request_id.map(|request_id| ToAnswer::Report(board, request_id)))
    }

    async fn on_presence(
        &self,
        board: BoardName,
        message: Received<'_>,
    ) -> Result<Option<ToAnswer>, Refusal> {
        match Presence::read(message.payload) {
            Ok(Some(presence)) if presence.board != board => {
                tracing::warn!("{}: it names another board: {}", message.topic, presence.board);
                Ok(None)
            }
            Ok(_) if !self.has_asked => Ok(Some(ToAnswer::OldPresence(board))),
            Ok(presence) => {
                self.billing.on_presence(board.clone(), presence).await?;
                Ok(Some(ToAnswer::Presence(board)))
            }
            Err(why) => {
                tracing::warn!("{}: not a presence: {why}", message.topic);
                Ok(None)
            }
        }
    }

    /// Queues the answer to what a board has said.
    pub fn answer(&mut self, said: ToAnswer) {
        match said {
            ToAnswer::Report(board, request_id) => self.said.over(&board, &request_id),
            ToAnswer::Presence(board) => {
                self.said.forget(&board);
                self.agenda.add([Changed::Board(board)]);
            }
            ToAnswer::OldPresence(board) => self.said.ask(&board),
        }
    }

    /// The broker has taken a message.
    pub fn acknowledged(&mut self, message: &Message) {
        self.has_asked |= message.topic == EVERYBODY_WHO;
        self.said.acknowledged(message);
    }

    /// Takes note of what was changed in the database.
    pub fn take_changes(&mut self) {
        self.agenda.add(self.billing.store.changes().take());
    }

    /// How long until there is something to plan for by the clock alone.
    pub fn wait(&self) -> Option<Duration> {
        self.agenda.wait(self.billing.store.now_ms())
    }

    /// Takes note of what is due by the clock.
    pub fn take_due(&mut self) {
        self.agenda.take_due(self.billing.store.now_ms());
    }

    /// Whether there is something to plan for now.
    pub fn has_to_plan(&self) -> bool {
        !self.agenda.is_empty()
    }

    /// Plans a batch: who is offered what is stored when it returns, and queued to be said.
    ///
    /// # Errors
    /// The database fails.
    pub async fn plan(&mut self) -> Result<(), Refusal> {
        let batch: BTreeSet<Changed> = self.agenda.next_batch();
        let mut plan = plan(&self.billing, batch).await?;
        for (at_ms, request_id) in plan.due.drain(..) {
            self.agenda.add_later(at_ms, request_id);
        }
        let awaited = std::mem::take(&mut plan.awaited);
        self.said.set_plan(plan);
        self.ask_the_silent(awaited);
        Ok(())
    }

    fn ask_the_silent(&mut self, awaited: BTreeMap<RequestId, Option<Awaited>>) {
        let now_ms = self.billing.store.now_ms();
        for (request_id, awaited) in awaited {
            let Some(awaited) = awaited else {
                self.silences.waits_for_nobody(&request_id);
                continue;
            };
            let board = awaited.board.clone();
            let due = self.silences.waits_for(&request_id, awaited, now_ms);
            if due.asks {
                self.said.ask(&board);
            }
            self.agenda.add_later(due.next_ms, request_id);
        }
    }

    /// The next message that is to be published.
    pub fn next_message(&mut self) -> Option<Message> {
        self.said.queue.pop_front()
    }

    /// It could not be published: it is the next one again.
    pub fn put_back(&mut self, message: Message) {
        self.said.queue.push_front(message);
    }
}
