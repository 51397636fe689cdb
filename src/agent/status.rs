//! The agent's state as `status` shows it.

use std::fmt;

use intercom_wire::{BoardName, FactoryIdentity, Identity, NotTold, Report, json_object};
use serde::Serialize;

use super::Agent;
use super::contested_link::LinkContest;
use super::ignored::IgnoredFor;
use super::route_status::RouteStatus;
use super::seams::{Seams, Upstream};
use crate::clock::{Clock, Moment};
use crate::record::{Counters, Entry, Record, Route};

/// What `status --json` prints of the agent.
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
    /// The routes on which upstream is reached now.
    pub reached: Vec<Route>,
    /// How each route fares.
    pub routes: Vec<RouteStatus>,
    /// Other software that has set the link's MAC address since the daemon started.
    pub link_contest: Option<LinkContest>,
    /// How many reports wait for upstream.
    pub unreported: usize,
    /// How many of them the broker has taken and billing has not answered.
    pub unread: usize,
    /// For how long the first of these waits for billing.
    pub unread_seconds: Option<u64>,
    /// The outcomes whose reports had to make room; later reports summarise them.
    pub outcomes_not_told: Option<NotTold>,
    /// Why requests were ignored since the daemon started.
    pub ignored: Vec<IgnoredFor>,
    /// How many requests wait to be decided.
    pub waiting: usize,
    /// The same requests, one by one.
    pub waiting_requests: Vec<WaitingRequest>,
    /// Whether nothing has been decided since the record began: the first start, or the state directory
    /// was wiped since.
    pub record_is_new: bool,
    /// Whether the record on disk is what the agent knows.
    pub durable: bool,
    /// The last outcomes, oldest first.
    pub outcomes: Vec<Report>,
    /// What has happened so far.
    pub counters: Counters,
    /// Where the last run that ended uncleanly crashed: signal, address and build ID; `None` if it was
    /// killed, or if all ended cleanly.
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
    /// Seconds until it is rolled back unless confirmed.
    pub seconds_left: u64,
}

impl<S: Seams> Agent<S> {
    /// The state as it is now.
    pub fn status(&mut self) -> Status {
        let routes = self.seams.upstream().status();
        let (unread, now) = (self.reports.unread(), self.seams.clock().now());
        let record: &Record = &self.record;
        let report = |entry: &Entry| entry.report.clone();
        Status {
            board: record.board.clone(),
            current: record.current.identity.clone(),
            factory: record.factory(),
            not_read: self.own_board.not_read().to_vec(),
            id: self.rules.own_id(record).map(crate::decide::OwnId::value),
            change: self.change_status(),
            reached: self.connections.routes().to_vec(),
            routes,
            link_contest: self.board_keeper.link_contest(now),
            unread: unread.map_or(0, |(count, _)| count),
            unread_seconds: unread.map(|(_, since)| now.since(since).as_secs()),
            unreported: record.outbox.len() + self.reports.waiting(),
            outcomes_not_told: record.outcomes_not_told.clone(),
            ignored: self.ignored.shown(now),
            waiting: self.waiting.len(),
            waiting_requests: self.waiting_requests(now),
            record_is_new: record.is_new(),
            durable: self.record.is_durable(),
            outcomes: record
                .ledger
                .entries()
                .iter()
                .chain(self.reports.ledger().entries())
                .map(report)
                .collect(),
            counters: record.counters.clone(),
            last_crash: self.last_crash.clone(),
        }
    }

    fn waiting_requests(&self, now: Moment) -> Vec<WaitingRequest> {
        let waiting = self.waiting.all().map(|(pending, until)| {
            let put_off = pending.put_off;
            WaitingRequest {
                request: pending.delivery.key(),
                reason: until.to_string(),
                for_seconds: now
                    .since(put_off.map_or(pending.came, |put_off| put_off.since))
                    .as_secs(),
                next_attempt_in: until.at().map(|at| at.since(now).as_secs()),
                seconds_left: put_off.map(|put_off| put_off.until.since(now).as_secs()),
            }
        });
        waiting.collect()
    }

    /// How a request ended, if it has.
    pub fn outcome_of(&self, id: &intercom_wire::RequestId) -> Option<&Report> {
        let entry = self.record.ledger.by_id(id).or_else(|| self.reports.ledger().by_id(id))?;
        Some(&entry.report)
    }

    /// The change in progress, if there is one.
    pub fn change_status(&self) -> Option<ChangeStatus> {
        let change = self.record.change.as_ref()?;
        Some(ChangeStatus {
            from: change.from.identity.clone(),
            to: change.to.identity.clone(),
            stage: self.stage.in_words().to_owned(),
            attempts: change.attempts,
            seconds_left: change.deadline.since(self.seams.clock().now()).as_secs(),
        })
    }
}
