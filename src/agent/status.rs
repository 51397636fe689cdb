//! The agent's state as `status` shows it.

use std::fmt;

use intercom_wire::{
    BoardName, FactoryIdentity, Identity, NotTold, Report, RequestId, json_object,
};
use serde::Serialize;

use super::Agent;
use super::contested_link::LinkContest;
use super::ignored::IgnoredFor;
use super::route_status::RouteStatus;
use super::rules::Rules;
use super::seams::{Seams, Upstream};
use crate::clock::{Clock, Moment, WallTime};
use crate::decide::OwnId;
use crate::record::{Counters, Entry, Record, Route};

/// What `status --json` prints, with a daemon or without one. What only a daemon knows is `None` where none runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The board's stable name.
    pub board: BoardName,
    /// The last identity that was confirmed.
    pub current: Identity,
    /// What the board had when the agent first ran.
    pub factory: FactoryIdentity,
    /// What could not be read of the board itself, and why; it is asked for again.
    pub not_read: Vec<String>,
    /// The intercom's ID, where it is known.
    pub id: Option<i64>,
    /// The change in progress.
    pub change: Option<ChangeStatus>,
    /// Why the last rollback by hand was itself undone; `None` once another change is begun.
    pub rollback_undone: Option<String>,
    /// The routes on which upstream is reached now; known to a daemon alone.
    pub reached: Option<Vec<Route>>,
    /// How each route fares; known to a daemon alone.
    pub routes: Option<Vec<RouteStatus>>,
    /// Other software that has set the link's MAC address since the daemon started.
    pub link_contest: Option<LinkContest>,
    /// How many reports wait for upstream.
    pub unreported: usize,
    /// How many of them the broker has taken and billing has not answered; known to a daemon alone.
    pub unread: Option<usize>,
    /// For how long the first of these waits for billing.
    pub unread_seconds: Option<u64>,
    /// The outcomes whose reports had to make room; later reports summarise them.
    pub outcomes_not_told: Option<NotTold>,
    /// Why requests were ignored since the daemon started; known to it alone.
    pub ignored: Option<Vec<IgnoredFor>>,
    /// How many requests wait to be decided; known to a daemon alone.
    pub waiting: Option<usize>,
    /// The same requests, one by one.
    pub waiting_requests: Option<Vec<WaitingRequest>>,
    /// Whether nothing has been decided since the record began: the first start, or the state directory
    /// was wiped since.
    pub record_is_new: bool,
    /// Whether the record on disk is what the agent knows; known to a daemon alone.
    pub durable: Option<bool>,
    /// The last outcomes: what the record keeps, then what only memory has; oldest first in each.
    pub outcomes: Vec<OutcomeStatus>,
    /// What has happened so far.
    pub counters: Counters,
    /// Where the last run that ended uncleanly crashed: signal, address and build ID; `None` if it was
    /// killed, if all ended cleanly, or if no daemon runs.
    pub last_crash: Option<String>,
}

json_object! {
    /// A request that waits to be decided.
    #[derive(Debug, Clone, PartialEq)]
    pub struct WaitingRequest {
        /// Its key: its ID, or what `check` and the log call one without.
        pub request: String,
        /// Why it waits.
        pub reason: String,
        /// For how long that has been so: since the hooks said "not now", or since it came.
        pub for_seconds: u64,
        /// When it is tried again, whatever happens.
        pub next_attempt_in: Option<u64>,
        /// When it ends if nothing changes.
        pub seconds_left: Option<u64>,
    }
}

impl fmt::Display for WaitingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WaitingRequest { request, reason, for_seconds, next_attempt_in, seconds_left } = self;
        write!(f, "{request} waits for {for_seconds} s")?;
        if let Some(seconds) = next_attempt_in {
            write!(f, ", tried again in {seconds} s")?;
        }
        if let Some(seconds) = seconds_left {
            write!(f, ", ends in {seconds} s")?;
        }
        write!(f, ": {reason}")
    }
}

/// The change in progress.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeStatus {
    /// The identity that is put back if it cannot be confirmed.
    pub from: Identity,
    /// The identity that it sets.
    pub to: Identity,
    /// How far it has come, in words.
    pub stage: String,
    /// How many boots have tried it.
    pub attempts: u8,
    /// Seconds until it is rolled back unless confirmed; known to a daemon alone.
    pub seconds_left: Option<u64>,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutcomeStatus {
    /// When, by the board's wall clock, which may be wrong; `None` in a record of a version that did not
    /// keep it.
    pub at: Option<String>,
    /// What was reported.
    pub report: Report,
}

impl From<&Entry> for OutcomeStatus {
    fn from(entry: &Entry) -> Self {
        let at = entry.at.as_ref().map(WallTime::to_string);
        OutcomeStatus { at, report: entry.report.clone() }
    }
}

impl Status {
    /// What the record alone tells, while no daemon runs.
    pub fn of_record(record: &Record, rules: &Rules, not_read: Vec<String>) -> Self {
        Status {
            board: record.board.clone(),
            current: record.current.identity.clone(),
            factory: record.factory(),
            not_read,
            id: rules.own_id(record).map(OwnId::value),
            change: record.change.as_ref().map(|change| ChangeStatus {
                from: change.from.identity.clone(),
                to: change.to.identity.clone(),
                stage: "the daemon goes on with it when it runs again".to_owned(),
                attempts: change.attempts,
                seconds_left: None,
            }),
            rollback_undone: record.rollback_undone.clone(),
            reached: None,
            routes: None,
            link_contest: None,
            unreported: record.outbox.len(),
            unread: None,
            unread_seconds: None,
            outcomes_not_told: record.outcomes_not_told.clone(),
            ignored: None,
            waiting: None,
            waiting_requests: None,
            record_is_new: record.is_new(),
            durable: None,
            outcomes: record.ledger.entries().iter().map(OutcomeStatus::from).collect(),
            counters: record.counters.clone(),
            last_crash: None,
        }
    }
}

impl<S: Seams> Agent<S> {
    /// The state as it is now.
    pub fn status(&mut self) -> Status {
        let routes = self.seams.upstream().status();
        let (unread, now) = (self.reports.unread(), self.seams.clock().now());
        let record: &Record = &self.record;
        let in_memory = self.reports.ledger();
        // A repeat is remembered beside the record; an end that followed on another is the later one.
        let is_last = |entry: &&Entry| {
            entry.request_id.as_ref().is_none_or(|id| in_memory.by_id(id).is_none())
        };
        Status {
            board: record.board.clone(),
            current: record.current.identity.clone(),
            factory: record.factory(),
            not_read: self.own_board.not_read().to_vec(),
            id: self.rules.own_id(record).map(OwnId::value),
            change: self.change_status(),
            rollback_undone: record.rollback_undone.clone(),
            reached: Some(self.connections.routes().to_vec()),
            routes: Some(routes),
            link_contest: self.board_keeper.link_contest(now),
            unread: Some(unread.map_or(0, |(count, _)| count)),
            unread_seconds: unread.map(|(_, since)| now.since(since).as_secs()),
            unreported: record.outbox.len() + self.reports.waiting(),
            outcomes_not_told: record.outcomes_not_told.clone(),
            ignored: Some(self.ignored.shown(now)),
            waiting: Some(self.waiting.len()),
            waiting_requests: Some(self.waiting_requests(now)),
            record_is_new: record.is_new(),
            durable: Some(self.record.is_durable()),
            outcomes: record
                .ledger
                .entries()
                .iter()
                .filter(is_last)
                .chain(in_memory.entries())
                .map(OutcomeStatus::from)
                .collect(),
            counters: record.counters.clone(),
            last_crash: self.last_crash.clone(),
        }
    }

    fn waiting_requests(&self, now: Moment) -> Vec<WaitingRequest> {
        let waiting = self.waiting.all().map(|(pending, until)| {
            let deferral = pending.deferral;
            WaitingRequest {
                request: pending.delivery.key(),
                reason: self.waiting.reason(pending.arrival, until),
                for_seconds: now
                    .since(deferral.map_or(pending.came, |deferral| deferral.since))
                    .as_secs(),
                next_attempt_in: until.at().map(|at| at.since(now).as_secs()),
                seconds_left: deferral.map(|deferral| deferral.until.since(now).as_secs()),
            }
        });
        waiting.collect()
    }

    /// How a request ended, if it has.
    pub fn outcome_of(&self, id: &RequestId) -> Option<&Report> {
        self.ended_as(id).map(|entry| &entry.report)
    }

    pub(super) fn ended_as(&self, id: &RequestId) -> Option<&Entry> {
        self.record.ledger.by_id(id).or_else(|| self.reports.ledger().by_id(id))
    }

    /// The change in progress, if there is one.
    pub fn change_status(&self) -> Option<ChangeStatus> {
        let change = self.record.change.as_ref()?;
        Some(ChangeStatus {
            from: change.from.identity.clone(),
            to: change.to.identity.clone(),
            stage: self.stage.in_words().to_owned(),
            attempts: change.attempts,
            seconds_left: Some(change.deadline.since(self.seams.clock().now()).as_secs()),
        })
    }
}
