//! The agent's seams on a real board.

use std::io;

use log::warn;
use tokio::sync::mpsc;

use crate::agent::seams::{HookRun, Seams};
use crate::board::RealBoard;
use crate::clock::RealClock;
use crate::panel::Panel;
use crate::record_store::RecordStore;
use crate::storage::StateDir;
use crate::upstream::Routes;

/// The board, the state directory, the routes and the kernel's clock.
pub struct RealSeams {
    pub(super) board: RealBoard,
    pub(super) store: RecordStore<StateDir>,
    pub(super) routes: Routes,
    pub(super) clock: RealClock,
    hooks: mpsc::Sender<HookRun>,
}

impl RealSeams {
    /// # Errors
    /// When the boot cannot be told from others.
    pub fn new(panel: &Panel, routes: Routes, hooks: mpsc::Sender<HookRun>) -> io::Result<Self> {
        Ok(RealSeams {
            board: panel.board(),
            store: RecordStore::new(panel.state()),
            routes,
            clock: RealClock::start(&panel.root)?,
            hooks,
        })
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

    fn start_hooks(&mut self, run: HookRun) {
        if let Err(why) = self.hooks.try_send(run) {
            // Then the change is rolled back at its deadline.
            warn!("the hooks cannot be started: {why}");
        }
    }
}
