//! The agent's seams on a real board.

use std::thread;

use log::warn;
use tokio::sync::mpsc;

use crate::agent::seams::{HookRun, HookRunNumber, Seams};
use crate::board::RealBoard;
use crate::clock::RealClock;
use crate::panel::Panel;
use crate::record::BoardReading;
use crate::record_store::RecordStore;
use crate::storage::StateDir;
use crate::upstream::Routes;

/// The board, the state directory, the routes and the kernel's clock.
pub struct RealSeams {
    pub(super) board: RealBoard,
    pub(super) store: RecordStore<StateDir>,
    pub(super) routes: Routes,
    pub(super) clock: RealClock,
    hooks: mpsc::Sender<(HookRunNumber, HookRun)>,
    panel: Panel,
    readings: mpsc::Sender<BoardReading>,
}

impl RealSeams {
    /// The seams of this panel, with the clock of this boot.
    pub fn new(
        panel: &Panel,
        clock: RealClock,
        routes: Routes,
        hooks: mpsc::Sender<(HookRunNumber, HookRun)>,
        readings: mpsc::Sender<BoardReading>,
    ) -> Self {
        RealSeams {
            board: panel.board(),
            store: RecordStore::new(panel.state()),
            routes,
            clock,
            hooks,
            panel: panel.clone(),
            readings,
        }
    }
}

impl Seams for RealSeams {
    type Board = RealBoard;
    type Disk = StateDir;
    type Upstream = Routes;
    type Clock = RealClock;

    fn board(&mut self) -> &mut RealBoard {
        &mut self.board
    }

    fn store(&mut self) -> &mut RecordStore<StateDir> {
        &mut self.store
    }

    fn board_and_disk(&mut self) -> (&mut RealBoard, &mut StateDir) {
        (&mut self.board, self.store.disk())
    }

    fn upstream(&mut self) -> &mut Routes {
        &mut self.routes
    }

    fn clock(&self) -> &RealClock {
        &self.clock
    }

    fn start_hooks(&mut self, number: HookRunNumber, run: HookRun) {
        if let Err(why) = self.hooks.try_send((number, run)) {
            // Then the change is rolled back at its deadline.
            warn!("the hooks cannot be started: {why}");
        }
    }

    fn read_board(&mut self) {
        let (panel, readings) = (self.panel.clone(), self.readings.clone());
        // A held lock, flash and a command that is a source all take their time.
        let read = move || {
            // Nobody listens any more when the daemon ends.
            let _ = readings.blocking_send(panel.look_again().board_reading());
        };
        if let Err(why) = thread::Builder::new().spawn(read) {
            warn!("the board cannot be read again now: {why}");
        }
    }
}
