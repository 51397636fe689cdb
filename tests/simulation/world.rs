//! The board with its surroundings, and what the power leaves of it.

use std::cell::RefCell;
use std::rc::Rc;

use intercom_agent::agent::Rules;
use intercom_agent::agent::seams::HookRunNumber;

use super::cloud::Cloud;
use super::disk::{DiskState, Unsynced};
use super::flash::Environments;
use super::link::LinkState;
use super::log::Log;
use super::network::{Brought, Traffic};
use super::power::{Fault, Power};
use super::proof::Mutant;
use super::rules::Watch;
use super::script::Action;
use super::sources::Sources;

pub type Shared = Rc<RefCell<Hardware>>;

pub const SERIAL: &str = "serialno";
/// How the hooks end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hooks {
    Work,
    Fail,
    Hang,
    /// They say so when they are asked first.
    NotNow,
}

/// How a run of them ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HooksEnd {
    Worked,
    Failed,
    SaidNotNow,
}

/// What happens at a time.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there are never many of them")]
pub enum Happening {
    Traffic(Traffic),
    HooksEnd(HookRunNumber, HooksEnd),
    Script(Action),
    /// The board's own sources have answered.
    BoardRead,
}

/// All there is, and what the power leaves of it.
#[derive(Debug, Clone)]
pub struct Hardware {
    pub power: Power,
    pub disk: DiskState,
    pub link: LinkState,
    pub environments: Environments,
    pub sources: Sources,
    pub cloud: Cloud,
    pub rules: Rules,
    pub hooks: Hooks,
    /// The run of them that was begun last.
    pub hook_run: HookRunNumber,
    /// Milliseconds since the beginning of everything.
    pub now: u64,
    pub boot: u32,
    pub booted: u64,
    /// When the process woke that had slept.
    pub woke: Option<u64>,
    /// For how long it has slept in this boot.
    pub slept: u64,
    pub at_hand: Vec<Brought>,
    pub watch: Watch,
    pub log: Log,
    /// What fails in the first life.
    pub first_fault: Option<Fault>,
    pub queue: Vec<(u64, u64, Happening)>,
    order: u64,
}

impl Hardware {
    pub fn new(rules: Rules, link: LinkState, environments: Environments) -> Self {
        Hardware {
            power: Power::default(),
            disk: DiskState::default(),
            link,
            environments,
            sources: Sources::default(),
            cloud: Cloud::default(),
            rules,
            hooks: Hooks::Work,
            hook_run: HookRunNumber::default(),
            now: 0,
            boot: 0,
            booted: 0,
            woke: None,
            slept: 0,
            at_hand: Vec::new(),
            watch: Watch::default(),
            log: Log::default(),
            first_fault: None,
            queue: Vec::new(),
            order: 0,
        }
    }

    /// A copy that shares nothing with it, on a supply of its own.
    pub fn copy(&self) -> Self {
        Hardware { power: Power::default(), ..self.clone() }
    }

    /// Something happens so many milliseconds from now.
    pub fn later(&mut self, delay: u64, traffic: Traffic) {
        self.at(self.now + delay, Happening::Traffic(traffic));
    }

    pub fn at(&mut self, time: u64, happening: Happening) {
        self.order += 1;
        self.queue.push((time, self.order, happening));
    }

    /// When the next thing happens.
    pub fn next(&self) -> Option<u64> {
        self.queue.iter().map(|(time, order, _)| (*time, *order)).min().map(|(time, _)| time)
    }

    pub fn take_next(&mut self) -> Option<Happening> {
        let next =
            self.queue.iter().enumerate().min_by_key(|(_, (time, order, _))| (*time, *order));
        let at = next.map(|(at, _)| at)?;
        Some(self.queue.swap_remove(at).2)
    }

    /// Nothing but the next poll of the list is going to happen.
    pub fn only_polls(&self) -> bool {
        self.queue.iter().all(|(_, _, happening)| is_poll(happening))
    }

    /// No poll comes of a connection that is over. It would bring nothing, and all would count as quiet
    /// before the new connection has polled.
    pub fn forget_polls(&mut self) {
        self.queue.retain(|(_, _, happening)| !is_poll(happening));
    }

    /// The next poll of the list is now.
    pub fn poll_now(&mut self) {
        let now = self.now;
        for (time, _, happening) in &mut self.queue {
            if is_poll(happening) {
                *time = now;
            }
        }
    }

    /// What is going to happen around the board, and when.
    pub fn script(&self) -> Vec<(u64, &Action)> {
        let mut script: Vec<_> = self
            .queue
            .iter()
            .filter_map(|(time, _, happening)| match happening {
                Happening::Script(action) => Some((*time, action)),
                _ => None,
            })
            .collect();
        script.sort_by_key(|(time, _)| *time);
        script
    }

    /// How much is going to happen.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// The process sleeps, and what happens meanwhile is at hand when it wakes.
    pub fn sleep(&mut self, millis: u64) {
        self.now += millis;
        self.woke = Some(self.now);
        self.slept += millis;
    }

    /// When the board's clock began to count, or would have if it had never stood still.
    pub fn clock_began(&self) -> u64 {
        let missed = if self.cloud.proof == Mutant::NoDeadline { self.slept } else { 0 };
        self.booted + missed
    }

    fn board_is_gone(&mut self) {
        self.queue.retain(|(_, _, happening)| matches!(happening, Happening::Script(_)));
        self.at_hand.clear();
        self.cloud.board_is_gone();
    }

    /// The power is gone, and with it all that was not durable.
    pub fn lose_power(&mut self, unsynced: Unsynced) {
        self.disk.lose_power(unsynced);
        self.board_is_gone();
    }

    /// The process is gone; kernel and link live on.
    pub fn lose_process(&mut self) {
        self.board_is_gone();
        self.now += 2_000;
        self.power.restart();
    }

    /// U-Boot starts, and Linux after it, with the address that U-Boot knows.
    pub fn start_up(&mut self) {
        self.power.restart();
        self.power.fault(self.first_fault.take());
        self.now += 20_000;
        self.boot += 1;
        self.booted = self.now;
        self.slept = 0;
        let found = self.environments.found();
        let mac = found.and_then(|found| found.get("ethaddr")?.parse().ok());
        self.link.power_on(self.boot, mac);
        self.disk.link_touched = false;
    }
}

/// The next poll of the list.
fn is_poll(happening: &Happening) -> bool {
    matches!(happening, Happening::Traffic(Traffic::Poll(_)))
}
