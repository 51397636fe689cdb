//! Runs the very code that ships: start, restore, the daemon's state machine, until it is quiet or
//! dead, and again.

use std::cell::RefCell;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::rc::Rc;

use intercom_agent::agent::{Agent, HookFailure, HookProblem, Restorer, restore};
use intercom_agent::record::NoMac;

use super::disk::Unsynced;
use super::network::Brought;
use super::power::Reach;
use super::rules;
use super::script::{Action, Death, happen, perform};
use super::seams::Simulated;
use super::world::{Happening, Hardware, HooksEnd, Shared};

/// When even a board that has to wait for others has long come to rest, in milliseconds.
const HORIZON: u64 = 30 * 3600 * 1000;
/// How many polls of the list bring nothing before all is quiet.
const QUIET_POLLS: u32 = 3;
/// After this long a daemon that could not start is started again, in milliseconds.
const SUPERVISOR: u64 = 10_000;
/// More steps than this are an endless loop.
const MAX_STEPS: u32 = 200_000;

/// A cut, and what is left after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// In this operation since the start.
    pub at: u64,
    pub reach: Reach,
    pub death: Death,
}

/// How a life of the board ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Quiet,
    Dead(Death),
}

/// A board that runs.
pub struct Run {
    pub world: Shared,
    agent: Option<Agent<Simulated>>,
    /// How many operations each life took.
    pub operations: Vec<u64>,
    /// The kernel lives on, so there is no new boot.
    warm: bool,
}

impl Run {
    pub fn new(hardware: Hardware) -> Self {
        let world = Rc::new(RefCell::new(hardware));
        Run { world, agent: None, operations: Vec::new(), warm: false }
    }

    /// One life with each cut, and then one to the end.
    pub fn live(&mut self, cuts: &[Cut]) {
        if cuts.iter().all(|cut| self.live_until(cut)) {
            self.live_to_the_end();
        } else {
            self.judge();
        }
    }

    /// Whether the cut came.
    pub fn live_until(&mut self, cut: &Cut) -> bool {
        match self.life(Some(cut)) {
            End::Dead(death) => {
                self.die(death);
                true
            }
            End::Quiet => false,
        }
    }

    /// Lives on, through all deaths of the script.
    pub fn live_to_the_end(&mut self) {
        while let End::Dead(death) = self.life(None) {
            self.die(death);
        }
        self.judge();
    }

    fn judge(&mut self) {
        if let Some(agent) = &mut self.agent {
            let status = agent.status();
            rules::at_the_end(&mut self.world.borrow_mut(), agent.record(), &status);
        }
    }

    /// The world without the board's processes, as it is now.
    pub fn hardware(&self) -> Hardware {
        self.world.borrow().copy()
    }

    pub fn agent(&self) -> Option<&Agent<Simulated>> {
        self.agent.as_ref()
    }

    pub fn broken(&self) -> Vec<String> {
        self.world.borrow().watch.broken.clone()
    }

    /// Whether the last death left the kernel alive.
    pub fn is_warm(&self) -> bool {
        self.warm
    }

    /// Goes on from a copy of the world of a run that died so.
    pub fn after(hardware: Hardware, warm: bool) -> Self {
        Run { warm, ..Run::new(hardware) }
    }

    fn die(&mut self, death: Death) {
        self.agent = None;
        let mut world = self.world.borrow_mut();
        match death {
            Death::Power(unsynced) => world.lose_power(unsynced),
            Death::Process => world.lose_process(),
        }
        self.warm = death == Death::Process;
    }

    /// The power button, when all is quiet.
    pub fn switch_off(&mut self) {
        self.die(Death::Power(Unsynced::Lost));
    }

    fn life(&mut self, cut: Option<&Cut>) -> End {
        let end = self.boot_and_run(cut);
        self.operations.push(self.world.borrow().power.used());
        let out = self.world.borrow().power.is_out();
        match (cut, end) {
            (Some(cut), _) if out => End::Dead(cut.death),
            (_, end) => end,
        }
    }

    fn boot_and_run(&mut self, cut: Option<&Cut>) -> End {
        let rules = {
            let mut world = self.world.borrow_mut();
            if !std::mem::take(&mut self.warm) {
                world.start_up();
                rules::at_power_on(&mut world);
            }
            if let Some(cut) = cut {
                world.power.cut_at(cut.at, cut.reach);
            }
            world.rules.clone()
        };
        // The one-shot before the network is there, and the daemon after it.
        for is_daemon in [false, true] {
            let mut seams = Simulated::new(&self.world);
            let restorer = if is_daemon { Restorer::Daemon } else { Restorer::Boot };
            let restored = loop {
                let reading = self.world.borrow_mut().board_reading();
                let restored = restore(&mut seams, &rules, restorer, reading);
                if self.world.borrow().power.is_out() {
                    return End::Quiet;
                }
                match restored {
                    Ok(restored) => break Some(restored),
                    Err(NoMac) if !is_daemon => break None,
                    Err(NoMac) => {
                        if let Some(end) = self.wait_for_the_supervisor() {
                            return end;
                        }
                    }
                }
            };
            let Some(restored) = restored else { continue };
            rules::after_restore(&mut self.world.borrow_mut(), &restored);
            if is_daemon {
                self.agent = Some(Agent::start(seams, rules.clone(), restored));
                self.world.borrow_mut().disk.started();
            }
        }
        self.run()
    }

    /// The daemon could not start, and is started again a little later; tells if that never comes.
    fn wait_for_the_supervisor(&mut self) -> Option<End> {
        let world = &mut *self.world.borrow_mut();
        let again = world.now + SUPERVISOR;
        while world.next().is_some_and(|time| time <= again) {
            match world.take_next() {
                Some(Happening::Script(Action::Cut(unsynced))) => {
                    return Some(End::Dead(Death::Power(unsynced)));
                }
                Some(Happening::Script(action)) => happen(world, action),
                _ => {}
            }
        }
        world.now = again;
        (world.now > world.booted + HORIZON).then_some(End::Quiet)
    }

    fn run(&mut self) -> End {
        let horizon = self.world.borrow().now + HORIZON;
        let Some(agent) = &mut self.agent else { return End::Quiet };
        let mut quiet_polls = 0;
        let mut told = 0;
        for _ in 0..MAX_STEPS {
            if self.world.borrow().power.is_out() {
                return End::Quiet;
            }
            rules::after_step(&mut self.world.borrow_mut(), agent.record());
            let happening = {
                let mut world = self.world.borrow_mut();
                let tick = agent.next_tick().map(|due| world.clock_began() + due.as_millis());
                let next = world.next();
                if tick.is_none() && world.only_polls() {
                    quiet_polls += 1;
                    if quiet_polls > QUIET_POLLS || next.is_none() {
                        return End::Quiet;
                    }
                } else {
                    quiet_polls = 0;
                }
                let Some(time) = tick.into_iter().chain(next).min() else { return End::Quiet };
                if time > horizon {
                    return End::Quiet;
                }
                world.now = world.now.max(time);
                if next == Some(time) { world.take_next() } else { None }
            };
            let has_happened = happening.is_some();
            if let Some(happening) = happening
                && let Some(death) = step(&self.world, agent, happening)
            {
                return End::Dead(death);
            }
            // What came while the process slept may be taken before its timers are.
            let has_just_woken = self.world.borrow().woke == Some(self.world.borrow().now);
            if !(has_happened && has_just_woken) {
                agent.tick();
            }
            let world = &mut *self.world.borrow_mut();
            if world.log.is_kept() {
                for step in agent.steps().after(told) {
                    world.log.tell(world.now, || &step.text);
                }
                told = agent.steps().total();
            }
        }
        self.world.borrow_mut().watch.broken.push("the agent never comes to rest".to_owned());
        End::Quiet
    }
}

/// A hook that found no lease: exit status 1, as `wait(2)` has it. Or one that knows of a call.
fn hooks_result(end: HooksEnd) -> Result<(), HookFailure> {
    match end {
        HooksEnd::Worked => Ok(()),
        HooksEnd::Failed => {
            Err(HookFailure::new("10-dhcp", HookProblem::Ended(ExitStatus::from_raw(1 << 8))))
        }
        HooksEnd::SaidNotNow => Err(HookFailure::new("20-sip", HookProblem::NotNow)),
    }
}

fn step(world: &Shared, agent: &mut Agent<Simulated>, happening: Happening) -> Option<Death> {
    match happening {
        Happening::HooksEnd(number, end) => {
            let result = hooks_result(end);
            if result.is_ok() && world.borrow().hook_run == number {
                world.borrow_mut().link.lacks_address = false;
            }
            agent.hooks_ended(number, result);
        }
        Happening::BoardRead => {
            let reading = world.borrow_mut().board_reading();
            agent.board_read(&reading);
        }
        Happening::Script(action) => return perform(world, agent, action),
        Happening::Traffic(traffic) => {
            let brought = world.borrow_mut().carry(traffic);
            let at_hand = std::mem::take(&mut world.borrow_mut().at_hand);
            for brought in brought.into_iter().chain(at_hand) {
                match brought {
                    Brought::Event(event) => agent.handle(event),
                    Brought::Delivery(delivery) => _ = agent.deliver(*delivery),
                }
            }
        }
    }
    None
}
