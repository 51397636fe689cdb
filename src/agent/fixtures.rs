//! What the unit tests of the agent's parts share.

use std::io;
use std::time::Duration;

use intercom_wire::{FactoryIdentity, Identity, Mac, Report};

use super::route_status::RouteStatus;
use super::rules::Rules;
use super::seams::{AckToken, ConnectIdentity, Connection, ReportId, Upstream};
use crate::board::{Board, LinkError, RuntimeFiles};
use crate::clock::{BootId, Moment, WallTime};
use crate::environment::Policy;
use crate::record::{Begun, Cause, Change, Current, Goal, MacOrigin, Record, Route};

/// A minute after the boot.
pub(super) const NOW: Moment = Moment::from_millis(60_000);

/// The same by the wall clock.
pub(super) const THEN: WallTime = WallTime::from_unix_seconds(1_800_000_060);

/// The MAC address that the board was made with.
pub(super) const FACTORY_MAC: &str = "08:00:00:00:00:01";

pub(super) fn mac(text: &str) -> Mac {
    text.parse().expect("a MAC")
}

/// The boot that everything happens in.
pub(super) fn boot_id() -> BootId {
    "boot-1".parse().expect("a boot ID")
}

/// An identity without a serial number.
pub(super) fn identity(text: &str) -> Identity {
    Identity { mac: mac(text), serial_number: None }
}

/// The record of a board that was never changed.
pub(super) fn record() -> Record {
    let identity = identity(FACTORY_MAC);
    let mac_origin = MacOrigin::Board;
    let current = Current { identity: identity.clone(), mac_origin, serial_origin: None };
    let board = "die-1".parse().expect("a board name");
    Record::new(board, Some(FactoryIdentity::Known(identity)), current)
}

/// The same record with a change to this MAC address in progress, begun now.
pub(super) fn record_changing_to(text: &str) -> Record {
    let mut record = record();
    let boot_id = boot_id();
    let from = record.current.clone();
    let to = Current { identity: identity(text), mac_origin: MacOrigin::Request, ..from.clone() };
    let cause = Cause::bare("r-1".parse().ok(), vec![Route::Mqtt]);
    let (goal, deadline) = (Goal::Install, NOW + rules().confirm_within);
    let begun = Begun { boot_id: boot_id.clone(), at: NOW };
    let change = Change { cause, goal, offline: false, from, to, boot_id, deadline, attempts: 1 };
    record.begin(change, begun);
    record
}

/// The settings of a panel with a broker.
pub(super) fn rules() -> Rules {
    Rules {
        interface: "eth0".to_owned(),
        configured_id: None,
        models: vec!["A-100".to_owned()],
        require_signature: false,
        confirm_within: Duration::from_secs(120),
        settle: Duration::from_secs(10),
        changes_per_hour: 3,
        routes: vec![Route::Mqtt],
        tells_billing: false,
        environment: Policy::default(),
        mac_variable: Some("ethaddr".to_owned()),
        serial_number_variable: None,
    }
}

/// A board in memory.
#[derive(Debug)]
pub(super) struct FakeBoard {
    /// The link's MAC address.
    pub(super) link: Mac,
    /// Whether the link takes no other.
    pub(super) refuses: bool,
    /// The runtime files, once they are written.
    pub(super) files: Option<RuntimeFiles>,
}

impl FakeBoard {
    pub(super) fn new(link: &str) -> Self {
        FakeBoard { link: mac(link), refuses: false, files: None }
    }
}

impl Board for FakeBoard {
    fn link_mac(&mut self) -> Result<Mac, LinkError> {
        Ok(self.link)
    }

    fn set_link_mac(&mut self, mac: Mac) -> Result<(), LinkError> {
        if self.refuses {
            let why = io::Error::from(io::ErrorKind::PermissionDenied);
            return Err(LinkError::Refused { interface: "eth0".to_owned(), mac, why });
        }
        self.link = mac;
        Ok(())
    }

    fn lacks_address(&mut self) -> bool {
        false
    }

    fn write_runtime_files(&mut self, files: &RuntimeFiles) -> io::Result<()> {
        self.files = Some(files.clone());
        Ok(())
    }

    fn environment(&mut self) -> Result<Option<uboot_env::Store>, uboot_env::Error> {
        Ok(None)
    }
}

/// What the agent did to everything off the board.
#[derive(Debug, Default)]
pub(super) struct FakeUpstream {
    /// The reports that were sent.
    pub(super) sent: Vec<(Route, ReportId)>,
    /// The messages that were acknowledged.
    pub(super) acknowledged: Vec<AckToken>,
}

impl Upstream for FakeUpstream {
    fn connect_as(&mut self, _: ConnectIdentity, _: Connection) {}

    fn acknowledge(&mut self, ack_token: AckToken) {
        self.acknowledged.push(ack_token);
    }

    fn look_up(&mut self, _: Mac) {}

    fn meet_neighbours(&mut self, _: Mac) {}

    fn prove(&mut self, _: Route) {}

    fn send(&mut self, route: Route, id: ReportId, _: &Report) {
        self.sent.push((route, id));
    }

    fn status(&self) -> Vec<RouteStatus> {
        Vec::new()
    }

    fn good_time(&self) -> Option<WallTime> {
        None
    }

    fn announce(&mut self) {}

    fn claim(&mut self, _: Connection) {}

    fn judge_link(&mut self, _: Route, _: Mac) {}

    fn ask_again(&mut self, _: Route) {}
}
