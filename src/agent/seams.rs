//! The seams: what the agent needs of the world, with a real and a simulated side each.

use std::time::Duration;

use intercom_wire::{BoardName, Identity, Mac, Report, RequestId};

use super::route_status::RouteStatus;
use super::rules::Rules;
use crate::board::{Board, UplinkError};
use crate::clock::{Clock, WallTime};
use crate::decide::{MacOwner, OwnId};
use crate::record::{Record, Route};
use crate::record_store::RecordStore;
use crate::storage::Disk;

/// The world around one agent.
pub trait Seams {
    /// The hardware under it.
    type Board: Board;
    /// Where its record is.
    type Disk: Disk;
    /// Everything off the board.
    type Upstream: Upstream;
    /// Time that nobody sets.
    type Clock: Clock;

    /// The hardware.
    fn board(&mut self) -> &mut Self::Board;
    /// The record's file.
    fn store(&mut self) -> &mut RecordStore<Self::Disk>;
    /// The hardware and the record's disk at once: the environment's backup lies beside the record.
    fn board_and_disk(&mut self) -> (&mut Self::Board, &mut Self::Disk);
    /// Everything off the board.
    fn upstream(&mut self) -> &mut Self::Upstream;
    /// The clock.
    fn clock(&self) -> &Self::Clock;
    /// Starts to read what the board says of itself; that ends with [`Agent::board_read`].
    ///
    /// [`Agent::board_read`]: super::Agent::board_read
    fn read_board(&mut self);
    /// Starts the hooks, in place of a run that still goes on; how they end is told by
    /// [`Agent::hooks_ended`](super::Agent::hooks_ended), with the number.
    fn start_hooks(&mut self, number: HookRunNumber, run: HookRun);
}

/// How long the answer to a look-up is waited for.
pub(super) const LOOK_UP: Duration = Duration::from_secs(15);

/// Everything off the board. Nothing here blocks; what comes of it is told by an [`Event`].
pub trait Upstream {
    /// Gives up all connections and makes new ones as `connect_as`.
    fn connect_as(&mut self, connect_as: ConnectIdentity, connection: Connection);
    /// Tells the broker that a message need not come again.
    fn acknowledge(&mut self, ack_token: AckToken);
    /// Finds out who else has a MAC address now; answered by [`Event::LookedUp`] or [`Event::BrokerAway`].
    fn look_up(&mut self, mac: Mac);
    /// Asks the neighbours on the LAN who has a MAC address of this board's, so that the kernel knows them
    /// again. Only another board is told, by [`Event::LookedUp`].
    fn meet_neighbours(&mut self, mac: Mac);
    /// Sends a report until it is acknowledged; answered by [`Event::Reported`]. Sending again what
    /// is on its way already does nothing.
    fn send(&mut self, route: Route, id: ReportId, report: &Report);
    /// How each route fares.
    fn status(&self) -> Vec<RouteStatus>;
    /// What the wall clock says, if a server's certificate is valid by it.
    fn good_time(&self) -> Option<WallTime>;
    /// Says once more that the panel is there: somebody asks for something under what it said before.
    /// Not at once, where that happens again and again.
    fn announce(&mut self);
    /// Says what the board carries: the change that this connection was made for is confirmed.
    fn claim(&mut self, connection: Connection);
    /// Has this route prove that upstream still answers: an answered HTTP poll, or the panel's own
    /// presence back from the broker. Answered by another [`Event::Reachable`], or never.
    fn prove(&mut self, route: Route);
    /// Finds out whether this route's traffic leaves by the link that bears `mac`; answered by
    /// [`Event::LinkJudged`].
    fn judge_link(&mut self, route: Route, mac: Mac);
    /// Has everything that was not acknowledged on this route delivered again: an HTTP poll now, a
    /// new MQTT connection.
    fn ask_again(&mut self, route: Route);
}

/// What upstream tells the agent.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Upstream answers: an HTTP poll was answered, or the broker has granted all topics and given the
    /// panel's own presence back, on a new connection or after [`Upstream::prove`].
    Reachable {
        /// On which route.
        route: Route,
        /// Of which [`Upstream::connect_as`].
        connection: Connection,
    },
    /// The connection on this route is gone.
    Lost {
        /// On which route.
        route: Route,
        /// Of which [`Upstream::connect_as`].
        connection: Connection,
    },
    /// Upstream has acknowledged a report. A broker has one then, and billing may not.
    Reported {
        /// Which one.
        id: ReportId,
        /// On which route.
        route: Route,
    },
    /// Billing says over the broker that a request is over: its report has been read, or it is withdrawn.
    Over {
        /// The request.
        request_id: RequestId,
    },
    /// All requests of the pending list have been delivered.
    Listed {
        /// Of which [`Upstream::connect_as`].
        connection: Connection,
    },
    /// Who else has a MAC address. In mid-change it also comes unasked, when another board says that it
    /// has the new one.
    LookedUp {
        /// The address.
        mac: Mac,
        /// Who has it.
        owner: MacOwner,
    },
    /// No other board on the LAN has a MAC address, and the broker could not be asked.
    BrokerAway {
        /// The address.
        mac: Mac,
    },
    /// Whether the traffic leaves by the link that bears a MAC address.
    LinkJudged {
        /// The address.
        mac: Mac,
        /// Why that is not proven, if it is not.
        judged: Result<(), UplinkError>,
    },
}

/// How the board shows itself upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectIdentity {
    /// The identity that it carries.
    pub identity: Identity,
    /// Its stable name.
    pub board: BoardName,
    /// The intercom's ID, where it is known.
    pub id: Option<i64>,
    /// Its first model, where one is known.
    pub model: Option<String>,
    /// Whether the MAC address is known to be the board's own, or was given to it.
    pub has_mac: bool,
    /// In mid-change, the MAC address that the board may go back to.
    pub changing_from: Option<Mac>,
    /// Whether the record tells of no request yet: it may have been lost.
    pub new_record: bool,
}

impl ConnectIdentity {
    /// The identity that the board carries now.
    pub fn of(record: &Record, rules: &Rules) -> Self {
        let carried = record.carried();
        ConnectIdentity {
            identity: carried.identity.clone(),
            has_mac: carried.has_mac(),
            changing_from: record.change.as_ref().map(|change| change.from.identity.mac),
            new_record: record.is_new(),
            board: record.board.clone(),
            id: rules.own_id(record).map(OwnId::value),
            model: rules.models.first().cloned(),
        }
    }

    /// The MAC address that it takes on, in mid-change.
    pub fn new_mac(&self) -> Option<Mac> {
        let is_new = self.changing_from.is_some_and(|from| from != self.identity.mac);
        is_new.then_some(self.identity.mac)
    }

    /// The MAC addresses that it has: in mid-change also the one that it may go back to.
    pub fn macs(&self) -> Vec<Mac> {
        let from = self.changing_from.filter(|from| *from != self.identity.mac);
        [self.identity.mac].into_iter().chain(from).collect()
    }

    /// The change is confirmed.
    pub fn confirm(&mut self) {
        self.changing_from = None;
        self.new_record = false;
    }
}

/// Tells the connections of one [`Upstream::connect_as`] from those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection(u64);

impl Connection {
    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        Connection(self.0 + 1)
    }
}

/// A message that the broker delivers again until it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckToken(pub u64);

/// A report on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportId {
    /// In the record's outbox, by its number.
    Durable(u64),
    /// In memory alone.
    Volatile(u64),
}

/// Tells a run of the hooks from those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HookRunNumber(u64);

impl HookRunNumber {
    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        HookRunNumber(self.0 + 1)
    }
}

/// One run of all the hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRun {
    /// When they run.
    pub phase: Phase,
    /// The identity before.
    pub from: Identity,
    /// The identity now, or after the change.
    pub to: Identity,
}

/// When the hooks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before anything is touched: may it be now?
    Ready,
    /// The new identity was set.
    Apply,
    /// The old identity was put back.
    Rollback,
}
