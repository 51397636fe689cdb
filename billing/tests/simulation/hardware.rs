//! The hardware under a panel's agent: a link, a disk that survives the power, and the agent's seams.
//!
//! Faults of the board itself are the business of the agent's own simulation. Here the disk always
//! works and a power cut only ends the agent.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use intercom_agent::agent::RouteStatus;
use intercom_agent::agent::seams::{
    AckToken, ConnectIdentity, Connection, HookRun, HookRunNumber, ReportId, Seams, Upstream,
};
use intercom_agent::board::{Board, LinkError, RuntimeFiles};
use intercom_agent::clock::{BootId, Clock, Moment, WallTime};
use intercom_agent::record::{BoardReading, MacKind, OwnMac, Reading, Route};
use intercom_agent::record_store::RecordStore;
use intercom_agent::storage::{Disk, NotDurable};
use intercom_wire::{BoardName, Identity, Mac, Report};

/// What an agent wants of its world. The world takes it up when the agent has returned.
#[derive(Debug)]
pub enum Command {
    Connect(ConnectIdentity, Connection),
    Acknowledge(AckToken),
    LookUp(Mac),
    Send(Route, ReportId, Box<Report>),
    Announce,
    Claim(Connection),
    Prove(Route),
    JudgeLink(Mac),
    AskAgain(Route),
    Hooks(HookRunNumber, HookRun),
}

/// What the power leaves.
#[derive(Debug)]
pub struct Hardware {
    pub factory: Identity,
    pub link_mac: Mac,
    pub files: BTreeMap<String, Vec<u8>>,
    pub boot: u32,
    pub booted: u64,
    pub commands: Vec<Command>,
    clock: Rc<Cell<u64>>,
}

impl Hardware {
    pub fn new(factory: Identity, clock: Rc<Cell<u64>>) -> Self {
        let link_mac = factory.mac;
        let (files, commands) = (BTreeMap::new(), Vec::new());
        Hardware { factory, link_mac, files, boot: 0, booted: 0, commands, clock }
    }

    pub fn power_on(&mut self) {
        self.boot += 1;
        self.booted = self.clock.get();
        self.link_mac = self.factory.mac;
        self.commands.clear();
    }

    /// What the board says of itself.
    pub fn reading(&self, name: &BoardName) -> BoardReading {
        let own = OwnMac { mac: self.factory.mac, kind: MacKind::Real, from_environment: true };
        BoardReading {
            interface: "eth0".to_owned(),
            link_mac: Some(self.link_mac),
            mac: Reading::Found(own),
            serial_number: self.factory.serial_number.clone().into(),
            earlier: Reading::Absent,
            board: Some(name.clone()),
            warnings: Vec::new(),
        }
    }
}

/// The seams of one run of the agent.
pub struct Simulated {
    board: OfBoard,
    store: RecordStore<OfBoard>,
    upstream: OfBoard,
    clock: OfBoard,
}

/// One agent's side of its hardware.
#[derive(Clone)]
pub struct OfBoard(Rc<RefCell<Hardware>>);

impl Simulated {
    pub fn on(hardware: &Rc<RefCell<Hardware>>) -> Self {
        let own = OfBoard(hardware.clone());
        Simulated {
            board: own.clone(),
            store: RecordStore::new(own.clone()),
            upstream: own.clone(),
            clock: own,
        }
    }
}

impl Seams for Simulated {
    type Board = OfBoard;
    type Disk = OfBoard;
    type Upstream = OfBoard;
    type Clock = OfBoard;

    fn board(&mut self) -> &mut OfBoard {
        &mut self.board
    }

    fn store(&mut self) -> &mut RecordStore<OfBoard> {
        &mut self.store
    }

    fn board_and_disk(&mut self) -> (&mut OfBoard, &mut OfBoard) {
        (&mut self.board, self.store.disk())
    }

    fn upstream(&mut self) -> &mut OfBoard {
        &mut self.upstream
    }

    fn clock(&self) -> &OfBoard {
        &self.clock
    }

    // Every source has answered before the agent starts.
    fn read_board(&mut self) {}

    fn start_hooks(&mut self, number: HookRunNumber, run: HookRun) {
        self.board.wants(Command::Hooks(number, run));
    }
}

impl OfBoard {
    fn wants(&self, command: Command) {
        self.0.borrow_mut().commands.push(command);
    }
}

impl Upstream for OfBoard {
    fn connect_as(&mut self, connect_as: ConnectIdentity, connection: Connection) {
        self.wants(Command::Connect(connect_as, connection));
    }

    fn acknowledge(&mut self, ack_token: AckToken) {
        self.wants(Command::Acknowledge(ack_token));
    }

    fn look_up(&mut self, mac: Mac) {
        self.wants(Command::LookUp(mac));
    }

    // These boards have no LAN in common.
    fn meet_neighbours(&mut self, _: Mac) {}

    fn send(&mut self, route: Route, id: ReportId, report: &Report) {
        self.wants(Command::Send(route, id, Box::new(report.clone())));
    }

    fn status(&self) -> Vec<RouteStatus> {
        Vec::new()
    }

    fn good_time(&self) -> Option<WallTime> {
        None
    }

    fn announce(&mut self) {
        self.wants(Command::Announce);
    }

    fn claim(&mut self, connection: Connection) {
        self.wants(Command::Claim(connection));
    }

    fn prove(&mut self, route: Route) {
        self.wants(Command::Prove(route));
    }

    fn judge_link(&mut self, _: Route, mac: Mac) {
        self.wants(Command::JudgeLink(mac));
    }

    fn ask_again(&mut self, route: Route) {
        self.wants(Command::AskAgain(route));
    }
}

impl Clock for OfBoard {
    fn now(&self) -> Moment {
        let hardware = self.0.borrow();
        Moment::from_millis(hardware.clock.get() - hardware.booted)
    }

    fn boot_id(&self) -> BootId {
        format!("boot-{}", self.0.borrow().boot).parse().expect("a boot ID")
    }

    fn wall_time(&self) -> WallTime {
        WallTime::from_unix_seconds(1_800_000_000 + self.0.borrow().clock.get() / 1000)
    }
}

impl Board for OfBoard {
    fn link_mac(&mut self) -> Result<Mac, LinkError> {
        Ok(self.0.borrow().link_mac)
    }

    fn set_link_mac(&mut self, mac: Mac) -> Result<(), LinkError> {
        self.0.borrow_mut().link_mac = mac;
        Ok(())
    }

    fn lacks_address(&mut self) -> bool {
        false
    }

    fn write_runtime_files(&mut self, _: &RuntimeFiles) -> io::Result<()> {
        Ok(())
    }

    fn environment(&mut self) -> Result<Option<uboot_env::Store>, uboot_env::Error> {
        Ok(None)
    }
}

impl Disk for OfBoard {
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.borrow().files.get(name).cloned())
    }

    fn create(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        match self.0.borrow_mut().files.entry(name.to_owned()) {
            std::collections::btree_map::Entry::Occupied(_) => {
                Err(io::ErrorKind::AlreadyExists.into())
            }
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(bytes.to_vec());
                Ok(())
            }
        }
    }

    fn sync(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn link(&mut self, from: &str, to: &str) -> io::Result<()> {
        let bytes = self.read(from)?.ok_or(io::ErrorKind::NotFound)?;
        self.create(to, &bytes)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let files = &mut self.0.borrow_mut().files;
        let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<bool> {
        Ok(self.0.borrow_mut().files.remove(name).is_some())
    }

    fn sync_dir(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn is_durable(&mut self) -> Result<(), NotDurable> {
        Ok(())
    }
}
