//! The seams of one process to its world.

use intercom_agent::agent::seams::{HookRun, HookRunNumber, Phase, Seams};
use intercom_agent::clock::{BootId, Clock, Moment, WallTime};
use intercom_agent::record_store::RecordStore;

use super::link::SimulatedBoard;
use super::state_dir::SimulatedDisk;
use super::upstream::SimulatedUpstream;
use super::world::{Happening, Hooks, HooksEnd, Shared};

/// How long the hooks take, in milliseconds.
const HOOKS: u64 = 2_000;
/// How long they take to say whether a change may begin.
const ANSWER: u64 = 100;

/// How long the board's own sources take to answer, in milliseconds.
const READING: u64 = 50;

/// The time since the boot.
pub struct SimulatedClock(Shared);

impl Clock for SimulatedClock {
    fn now(&self) -> Moment {
        let world = self.0.borrow();
        Moment::from_millis(world.now - world.clock_began())
    }

    fn boot_id(&self) -> BootId {
        format!("boot-{}", self.0.borrow().boot).parse().expect("a boot id")
    }

    fn wall_time(&self) -> WallTime {
        WallTime::from_unix_seconds(1_800_000_000 + self.0.borrow().now / 1000)
    }
}

/// The seams of one process.
pub struct Simulated {
    world: Shared,
    board: SimulatedBoard,
    store: RecordStore<SimulatedDisk>,
    upstream: SimulatedUpstream,
    clock: SimulatedClock,
}

impl Simulated {
    pub fn new(world: &Shared) -> Self {
        Simulated {
            world: world.clone(),
            board: SimulatedBoard(world.clone()),
            store: RecordStore::new(SimulatedDisk(world.clone())),
            upstream: SimulatedUpstream(world.clone()),
            clock: SimulatedClock(world.clone()),
        }
    }
}

impl Seams for Simulated {
    type Board = SimulatedBoard;
    type Disk = SimulatedDisk;
    type Upstream = SimulatedUpstream;
    type Clock = SimulatedClock;

    fn board(&mut self) -> &mut SimulatedBoard {
        &mut self.board
    }

    fn store(&mut self) -> &mut RecordStore<SimulatedDisk> {
        &mut self.store
    }

    fn board_and_disk(&mut self) -> (&mut SimulatedBoard, &mut SimulatedDisk) {
        (&mut self.board, self.store.disk())
    }

    fn upstream(&mut self) -> &mut SimulatedUpstream {
        &mut self.upstream
    }

    fn clock(&self) -> &SimulatedClock {
        &self.clock
    }

    fn start_hooks(&mut self, number: HookRunNumber, run: HookRun) {
        let power = self.world.borrow().power.clone();
        power.tell(|| {
            let world = &mut *self.world.borrow_mut();
            // It takes the place of one that still goes on, whose end may be on its way already.
            world.hook_run = number;
            let (takes, end) = match (run.phase, world.hooks) {
                (Phase::Ready, Hooks::NotNow) => (ANSWER, HooksEnd::SaidNotNow),
                (Phase::Ready, Hooks::Work | Hooks::Fail | Hooks::Hang) => {
                    (ANSWER, HooksEnd::Worked)
                }
                (_, Hooks::Work | Hooks::NotNow) => (HOOKS, HooksEnd::Worked),
                (_, Hooks::Fail) => (HOOKS, HooksEnd::Failed),
                (_, Hooks::Hang) => return,
            };
            world.at(world.now + takes, Happening::HooksEnd(number, end));
        });
    }

    fn read_board(&mut self) {
        let world = &mut *self.world.borrow_mut();
        if !world.power.is_out() {
            world.at(world.now + READING, Happening::BoardRead);
        }
    }
}
