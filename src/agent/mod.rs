//! The agent: takes what happens, one event after the other, and does what follows from it.
//!
//! Everything here is synchronous and written against the narrow seams in [`seams`], so that the
//! very code that runs on a panel also runs in a simulation in which the power fails after every
//! operation in turn.
//!
//! ```text
//!  delivery ──► deliveries ──► decide ──► outcomes ──► change ──► record, board
//!                   ▲            │           └──► reports ──► upstream   │
//!                   └─ waiting ◄─┘                   ▲───────────────────┘
//! ```
//!
//! `Agent` puts together parts that each own their state: `DurableRecord`, `Stage` (how far a
//! change has come), `BoardKeeper`, `OwnBoard`, `Connections`, `WaitingRequests`, `Reports`.

mod board_keeper;
mod change;
mod connections;
mod contested_link;
mod deliveries;
mod delivery;
mod durable_record;
pub mod environment_copy;
mod error;
#[cfg(test)]
mod fixtures;
mod growing_delay;
mod hook_failure;
mod hook_runs;
mod ignored;
mod log_extra;
mod lost_address;
mod outcomes;
mod overflow;
mod own_board;
mod past_runs;
mod pending_request;
mod plan;
mod quota;
mod ready;
mod reports;
mod restore;
mod rollback_reason;
mod route_status;
mod rules;
pub mod seams;
mod set_board;
mod stage;
mod status;
mod steps;
mod unread;
mod volatile_reports;
mod waiting;

use std::io;

use crate::board::Board;
use crate::clock::{Clock, Moment};
use crate::record::{BoardReading, Record, Route};
use board_keeper::BoardKeeper;
use connections::Connections;
use durable_record::DurableRecord;
use environment_copy::LockedCopy;
use hook_runs::HookRuns;
use ignored::IgnoredRequests;
use lost_address::LostAddress;
use own_board::OwnBoard;
use pending_request::PendingRequest;
use quota::HourlyQuota;
use reports::Reports;
use seams::{ConnectIdentity, Event, HookRun, Phase, Seams, Upstream};
use stage::{Happened, Stage};
use steps::Steps;
use waiting::WaitingRequests;

pub use contested_link::LinkContest;
pub use delivery::{Delivery, Handling};
pub use error::{BeginError, NoRoom, RollbackError};
pub use hook_failure::{HookFailure, HookProblem};
pub use ignored::IgnoredFor;
pub use past_runs::PastRuns;
pub use plan::BackTo;
pub use restore::{Agreement, Restored, Restorer, restore};
pub use route_status::{NOT_HEARD_BY_MAC, RouteError, RouteStatus};
pub use rules::Rules;
pub use set_board::runtime_files;
pub use status::{ChangeStatus, OutcomeStatus, Status, WaitingRequest};
pub use steps::Step;

/// The daemon's state machine.
pub struct Agent<S: Seams> {
    seams: S,
    rules: Rules,
    record: DurableRecord,
    board_keeper: BoardKeeper,
    locked_copy: LockedCopy,
    lost_address: LostAddress,
    own_board: OwnBoard,
    stage: Stage,
    hook_runs: HookRuns,
    connections: Connections,
    waiting: WaitingRequests,
    /// How many deliveries there were since the start.
    arrivals: u64,
    /// The request that the hooks are asked about, or behind the change that was begun since the start.
    in_hand: Option<PendingRequest>,
    /// For recording requests that changed nothing.
    unchanged_quota: HourlyQuota,
    reports: Reports,
    steps: Steps,
    /// Where the last run that ended uncleanly crashed.
    last_crash: Option<String>,
    ignored: IgnoredRequests,
}

impl<S: Seams> Agent<S> {
    /// Takes over after [`restore`] and connects, or goes on with the change that it found.
    pub fn start(seams: S, rules: Rules, restored: Restored) -> Self {
        let now = seams.clock().now();
        let own_board = OwnBoard::new(&restored.record, &restored.reading, now);
        let mut agent = Agent {
            seams,
            rules,
            own_board,
            record: DurableRecord::new(restored.record, restored.unsaved.then_some(now)),
            board_keeper: BoardKeeper::default(),
            locked_copy: LockedCopy::default(),
            lost_address: LostAddress::default(),
            stage: Stage::Idle,
            hook_runs: HookRuns::default(),
            connections: Connections::default(),
            waiting: WaitingRequests::default(),
            arrivals: 0,
            in_hand: None,
            unchanged_quota: HourlyQuota::default(),
            reports: Reports::default(),
            steps: Steps::default(),
            last_crash: None,
            ignored: IgnoredRequests::default(),
        };
        agent.locked_copy.tried(restored.environment, now);
        for remark in restored.remarks {
            agent.steps.warn(remark);
        }
        match agent.record.change.clone() {
            Some(change) => agent.go_on(&change),
            None => {
                // What restore could not set is tried again.
                agent.board_keeper.set_at(now);
                agent.keep_board();
                if let Some(had) = restored.link_had {
                    let run = agent.board_keeper.was_put_right(had, &agent.record.current, now);
                    run.into_iter().for_each(|run| agent.start_hooks_for_link(run));
                }
                agent.connect();
            }
        }
        agent
    }

    /// Takes note of how earlier runs ended, for `status` and the next reports.
    pub fn remember(&mut self, past_runs: PastRuns) {
        self.record.counters().unclean_ends = Some(past_runs.unclean_ends);
        self.last_crash = past_runs.last_crash;
    }

    /// Takes what upstream tells.
    pub fn handle(&mut self, event: Event) {
        match event {
            Event::Reachable { route, connection } if self.connections.is_current(connection) => {
                self.reachable(route);
            }
            Event::Lost { route, connection } if self.connections.is_current(connection) => {
                self.lost(route);
            }
            Event::Listed { connection } if self.connections.is_current(connection) => {
                self.listed();
            }
            // An event of a connection that was given up already.
            Event::Reachable { .. } | Event::Lost { .. } | Event::Listed { .. } => {}
            Event::Reported { id, route } => self.reported(id, route),
            Event::Over { request_id } => self.over(&request_id),
            Event::LookedUp { mac, owner } => {
                self.looked_up_in_change(mac, &owner);
                self.looked_up(mac, &owner);
            }
            Event::BrokerAway { mac } => self.broker_away_in_change(mac),
            Event::LinkJudged { mac, judged } => self.link_judged(mac, judged),
        }
    }

    /// When [`Agent::tick`] is due; `None` while only an event can change anything.
    pub fn next_tick(&self) -> Option<Moment> {
        [
            self.stage.due(self.deadline()),
            self.waiting.due(),
            self.overflow_due(),
            self.reports.due(),
            self.record.due(),
            self.board_keeper.due(),
            self.locked_copy_due(),
            self.own_board.due(),
            self.lost_address.due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due by now.
    pub fn tick(&mut self) {
        self.advance(Happened::Time);
        let now = self.seams.clock().now();
        self.tick_waiting(now);
        self.send_unread_again(now);
        if self.board_keeper.due().is_some_and(|due| due <= now) {
            self.keep_board();
        }
        if self.locked_copy_due().is_some_and(|due| due <= now) {
            self.copy_to_environment();
        }
        if self.own_board.due().is_some_and(|due| due <= now) {
            self.read_board(now);
        }
        if self.record.due().is_some_and(|due| due <= now) {
            self.save();
        }
        if self.lost_address.due().is_some_and(|due| due <= now) {
            self.watch_address();
        }
    }

    /// Something has happened to the link: other software may have set its MAC address, or taken its IP
    /// address away.
    pub fn link_changed(&mut self) {
        self.keep_board();
        self.watch_address();
    }

    /// Puts the board right at once, as `restore` does, and reads it again.
    pub fn put_board_right(&mut self) {
        let now = self.seams.clock().now();
        self.board_keeper.set_at(now);
        self.keep_board();
        self.copy_to_environment();
        self.read_board(now);
    }

    /// How far the board agrees with the record now.
    pub fn agreement(&mut self) -> Agreement {
        let sets_link = self.record.sets_link(&self.seams.clock().boot_id());
        let wanted = self.record.carried().identity.mac;
        let link = match sets_link {
            true => self.seams.board().link_mac().map(|mac| mac == wanted),
            false => Ok(true),
        };
        // A link that is wrong has the keeper try again too.
        let has_files = !matches!(link, Ok(true)) || self.board_keeper.due().is_none();
        Agreement { link, is_written: self.record.is_durable() && has_files }
    }

    /// Whether the board is being read: [`Agent::board_read`] will be called.
    pub fn is_reading_board(&self) -> bool {
        self.own_board.is_reading()
    }

    /// The board has been read again: takes over what was open.
    pub fn board_read(&mut self, reading: &BoardReading) {
        let (now, boot_id) = (self.seams.clock().now(), self.seams.clock().boot_id());
        let mut record = Record::clone(&self.record);
        let is_new = record.take_over(reading, &boot_id, true);
        self.own_board.answered(&record, reading, now);
        if is_new {
            let identity = record.current.identity.clone();
            self.steps.tell(format!("the board itself could be read: {identity}"));
            let shown_anew =
                identity != self.record.current.identity && self.stage.has_touched_nothing();
            self.transition_regardless(|old| *old = record);
            self.board_keeper.set_at(now);
            self.copy_to_environment();
            if shown_anew {
                self.connect();
            }
        }
        self.decide_on_those_that_awaited_the_board();
    }

    /// The record as it is in memory.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// What has happened since the daemon started, step by step.
    pub fn steps(&self) -> &Steps {
        &self.steps
    }

    /// The seams, for whoever drives the agent.
    pub fn seams(&mut self) -> &mut S {
        &mut self.seams
    }

    /// When the change in progress is rolled back unless it is confirmed.
    fn deadline(&self) -> Option<Moment> {
        self.record.change.as_ref().map(|change| change.deadline)
    }

    fn reachable(&mut self, route: Route) {
        self.advance(Happened::Reached(route));
        self.connections.reached(route);
        self.lost_address.found();
        self.keep_board();
        self.look_up_again();
        self.reports.send_all(self.seams.upstream(), &self.record, route);
    }

    fn lost(&mut self, route: Route) {
        self.connections.lost(route);
        if route == Route::Mqtt {
            self.offers_are_old();
        }
        self.advance(Happened::Lost(route));
        self.keep_board();
        self.watch_address();
    }

    /// What was offered over the broker names a nonce of a connection that is gone. It is offered again,
    /// if it still stands.
    fn offers_are_old(&mut self) {
        self.waiting.connection_lost();
        if let Some(asked) = self.asked_about() {
            asked.connection_lost();
        }
    }

    /// Makes one transition of the record durable, or leaves the record as it was.
    fn transition(&mut self, change: impl FnOnce(&mut Record)) -> io::Result<()> {
        let good_time = self.seams.upstream().good_time();
        self.record.transition(self.seams.store(), good_time, change)
    }

    /// Makes a transition in memory in any case, and durable as soon as the disk takes it.
    fn transition_regardless(&mut self, change: impl FnOnce(&mut Record)) {
        let (good_time, now) = (self.seams.upstream().good_time(), self.seams.clock().now());
        let store = self.seams.store();
        if let Err(why) = self.record.transition_regardless(store, good_time, now, change) {
            self.steps.warn(format!("the record cannot be written: {why}; trying again"));
        }
    }

    /// Saves the record as it is in memory.
    fn save(&mut self) {
        self.transition_regardless(|_| {});
    }

    fn read_board(&mut self, now: Moment) {
        self.own_board.asked(now);
        self.seams.read_board();
    }

    /// Puts the board right between changes.
    fn keep_board(&mut self) {
        let (now, boot_id) = (self.seams.clock().now(), self.seams.clock().boot_id());
        let board = self.seams.board();
        let run = self.board_keeper.keep(
            board,
            &self.rules,
            &self.record,
            &boot_id,
            now,
            &mut self.steps,
        );
        if let Some(run) = run {
            self.start_hooks_for_link(run);
        }
    }

    /// Lets the hooks get the panel an address if it has lost its own and nobody else does.
    fn watch_address(&mut self) {
        let is_reached = !self.connections.routes().is_empty();
        if self.changing() || is_reached || !self.seams.board().lacks_address() {
            return self.lost_address.found();
        }
        if self.lost_address.is_missing(self.seams.clock().now()) {
            self.steps.warn("the link has no IP address: the hooks run to get one".to_owned());
            let identity = &self.record.current.identity;
            let (from, to) = (identity.clone(), identity.clone());
            self.start_hooks_for_link(HookRun { phase: Phase::Apply, from, to });
        }
    }

    /// Connects anew, as the identity that the board carries now.
    fn connect(&mut self) {
        self.offers_are_old();
        self.waiting.reconnecting();
        let connect_as = ConnectIdentity::of(&self.record, &self.rules);
        let connection = self.connections.renew();
        self.seams.upstream().connect_as(connect_as, connection);
        // A change stops the watch, and its end may have left the link without an address.
        self.watch_address();
    }
}
