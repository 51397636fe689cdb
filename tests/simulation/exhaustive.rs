//! The power is cut in every operation of every scenario, and again in every operation of the
//! recovery; and every operation fails once with the power on.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::sync::Mutex;
use std::thread;

use intercom_agent::record::Current;
use intercom_wire::Outcome;

use super::disk::Unsynced;
use super::driver::{Cut, Run};
use super::power::{Fault, REACHES, Reach};
use super::scenario::Scenario;
use super::scenarios;
use super::script::Death;
use super::truth::nobodys;
use super::world::Hardware;

/// How many broken rules of a scenario are shown.
const SHOWN: usize = 3;

/// What was tried.
#[derive(Debug, Default, Clone, Copy)]
pub struct Figures {
    pub scenarios: u64,
    pub operations: u64,
    pub cuts: u64,
    pub second_cuts: u64,
    pub faults: u64,
}

impl Figures {
    fn add(&mut self, other: Figures) {
        self.scenarios += other.scenarios;
        self.operations += other.operations;
        self.cuts += other.cuts;
        self.second_cuts += other.second_cuts;
        self.faults += other.faults;
    }
}

/// How thorough to be.
#[derive(Debug, Clone, Copy)]
pub struct Depth {
    /// Cut again at each so-manieth operation of the recovery; 0 for not at all.
    pub second_step: u64,
    /// How many broken rules are enough.
    pub shown: usize,
}

fn deaths(seed: u64) -> [Death; 7] {
    [
        Death::Power(Unsynced::Lost),
        Death::Power(Unsynced::Kept),
        Death::Power(Unsynced::Empty),
        Death::Power(Unsynced::Torn),
        Death::Power(Unsynced::Prefix),
        Death::Power(Unsynced::Any(seed)),
        Death::Process,
    ]
}

fn second_cuts(at: u64, seed: u64) -> [Cut; 5] {
    let cut = |reach, death| Cut { at, reach, death };
    [
        cut(Reach::Nothing, Death::Power(Unsynced::Lost)),
        cut(Reach::Half, Death::Power(Unsynced::Torn)),
        cut(Reach::Whole, Death::Power(Unsynced::Kept)),
        cut(Reach::Whole, Death::Power(Unsynced::Any(seed))),
        cut(Reach::Whole, Death::Process),
    ]
}

/// What broke in a run that has come to its end, the expected endings included.
fn judge(scenario: &Scenario, run: &Run, exact: bool) -> Vec<String> {
    let mut broken = run.broken();
    let Some(agent) = run.agent() else {
        broken.push("the agent does not start".to_owned());
        return broken;
    };
    let Current { mut identity, .. } = agent.record().current.clone();
    if !agent.record().current.has_mac() {
        identity.mac = nobodys();
    }
    let world = run.world.borrow();
    let last = world.cloud.received.iter().rev().find(|received| received.tag == "r");
    let outcome = last.and_then(|received| received.report.outcome());
    let ending = (identity, outcome);
    if outcome == Some(Outcome::Failed) {
        let reason = last.and_then(|received| received.report.reason.as_ref());
        if reason.is_none() || world.link.touched + world.environments.writes() > 0 {
            broken
                .push("rule 5: failed without a reason, or after something was touched".to_owned());
        }
    }
    let allowed = if exact { &scenario.endings[..1] } else { &scenario.endings[..] };
    if !allowed.contains(&ending) {
        broken.push(format!("it ended with {ending:?}"));
    }
    broken
}

/// What makes two worlds after a cut the same.
fn digest(world: &Hardware, warm: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.disk.digest(&mut hasher);
    world.environments.bytes().hash(&mut hasher);
    warm.then_some(world.link.mac).hash(&mut hasher);
    for posted in &world.cloud.requests {
        (posted.done, posted.delivered, posted.acknowledged).hash(&mut hasher);
    }
    (world.pending(), world.cloud.received.len(), world.cloud.queued()).hash(&mut hasher);
    hasher.finish()
}

/// Cuts a scenario everywhere; what broke, each with the cut.
pub fn cut_everywhere(scenario: &Scenario, depth: Depth) -> (Figures, Vec<String>) {
    cut_everywhere_in(scenario, &scenario.prepared(), depth)
}

/// The same in a world of one's own.
pub fn cut_everywhere_in(
    scenario: &Scenario,
    world: &Hardware,
    depth: Depth,
) -> (Figures, Vec<String>) {
    let mut broken = Vec::new();
    let mut note = |what: Vec<String>, how: &dyn std::fmt::Debug| {
        broken.extend(what.iter().map(|what| format!("{}: {what} [{how:?}]", scenario.name)));
        broken.len() > depth.shown
    };
    let mut base = Run::new(world.copy());
    base.live(&[]);
    let operations = base.operations.first().copied().unwrap_or(0);
    let mut figures = Figures { scenarios: 1, operations, ..Figures::default() };
    note(judge(scenario, &base, true), &"no cut");
    let records = base.world.borrow().disk.records;
    if records != scenario.records {
        note(vec![format!("{records} records were written")], &"no cut");
    }
    let erases = base.world.borrow().environments.erases();
    let transitions = base.world.borrow().watch.transitions;
    if erases > transitions {
        note(vec![format!("rule 4: {erases} erases for {transitions} changes")], &"no cut");
    }
    note(idle(&mut base), &"idle");
    let mut seen = HashSet::new();
    for at in 0..operations {
        for reach in REACHES {
            for death in deaths(at) {
                let cut = Cut { at, reach, death };
                let mut run = Run::new(world.copy());
                figures.cuts += 1;
                run.live_until(&cut);
                let (after, warm) = (run.hardware(), run.is_warm());
                if !seen.insert(digest(&after, warm)) {
                    continue;
                }
                let mut run = Run::after(after.copy(), warm);
                run.live_to_the_end();
                let recovery = run.operations.first().copied().unwrap_or(0);
                let mut what = judge(scenario, &run, false);
                what.extend(idle(&mut run));
                if note(what, &cut) {
                    return (figures, broken);
                }
                let again = (0..recovery).filter(|again| {
                    depth.second_step > 0 && (again + at).is_multiple_of(depth.second_step)
                });
                for second in again.flat_map(|again| second_cuts(again, at)) {
                    let mut run = Run::after(after.copy(), warm);
                    figures.second_cuts += 1;
                    run.live(&[second]);
                    if note(judge(scenario, &run, false), &(cut, second)) {
                        return (figures, broken);
                    }
                }
            }
        }
    }
    (figures, broken)
}

/// Nothing is written while nothing happens, nor at a start that finds all as it should be.
fn idle(run: &mut Run) -> Vec<String> {
    let writes = |run: &Run| {
        let world = run.world.borrow();
        (world.disk.writes, world.environments.writes())
    };
    let (before, known) = (writes(run), run.broken().len());
    run.switch_off();
    run.live_to_the_end();
    let mut broken = run.broken().split_off(known);
    let world = run.world.borrow();
    if before != writes(run) && !world.watch.spoiled && !world.disk.volatile {
        broken.push(format!("rule 4: idle, {before:?} became {:?}", writes(run)));
    }
    broken
}

/// Each operation fails once, while the power is on, and it is cut in the end.
pub fn fail_everywhere(scenario: &Scenario) -> (Figures, Vec<String>) {
    let world = scenario.prepared();
    let mut base = Run::new(world.copy());
    base.live(&[]);
    let operations = base.operations.first().copied().unwrap_or(0);
    let (mut figures, mut broken) = (Figures::default(), Vec::new());
    for at in 0..operations {
        for kind in [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::ReadOnlyFilesystem] {
            for reach in REACHES {
                let fault = Fault { at, kind, reach };
                let mut faulty = world.copy();
                faulty.watch.faulty = true;
                let mut run = Run::new(faulty);
                run.world.borrow_mut().first_fault = Some(fault);
                run.live(&[]);
                figures.faults += 1;
                let mut what = run.broken();
                // The same board, when nothing fails any more.
                run.world.borrow_mut().watch.faulty = false;
                run.switch_off();
                run.live_to_the_end();
                what.extend(run.broken());
                broken.extend(
                    what.iter().map(|what| format!("{}: {what} [{fault:?}]", scenario.name)),
                );
                if broken.len() > SHOWN {
                    return (figures, broken);
                }
            }
        }
    }
    (figures, broken)
}

/// Does it with all scenarios, on two processors.
fn each(
    scenarios: Vec<Scenario>,
    work: impl Fn(&Scenario) -> (Figures, Vec<String>) + Sync,
) -> (Figures, Vec<String>) {
    let queue = Mutex::new(scenarios);
    let all = Mutex::new((Figures::default(), Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no panic").pop();
                    let Some(scenario) = next else { return };
                    let (figures, broken) = work(&scenario);
                    let mut all = all.lock().expect("no panic");
                    all.0.add(figures);
                    all.1.extend(broken);
                }
            });
        }
    });
    all.into_inner().expect("no panic")
}

/// All single cuts, and all pairs where the code is optimized; else every so-manieth pair, or each with
/// `SIM_PAIRS=1`.
fn depth() -> Depth {
    let usual = if cfg!(debug_assertions) { 53 } else { 1 };
    let wanted = std::env::var("SIM_PAIRS").ok().and_then(|text| text.parse().ok());
    Depth { second_step: wanted.unwrap_or(usual), shown: SHOWN }
}

/// All scenarios, or the one named by `SIM_SCENARIO`.
fn scenarios() -> Vec<Scenario> {
    let only = std::env::var("SIM_SCENARIO").ok();
    let mut scenarios = scenarios::all();
    scenarios.retain(|scenario| only.as_deref().is_none_or(|only| scenario.name == only));
    scenarios
}

#[test]
fn after_a_cut_anywhere_the_rules_hold() {
    let (figures, broken) = each(scenarios(), |scenario| cut_everywhere(scenario, depth()));
    println!(
        "{} scenarios, {} operations, {} power cuts, and {} more in the recoveries",
        figures.scenarios, figures.operations, figures.cuts, figures.second_cuts
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn when_any_operation_fails_the_rules_hold() {
    let (figures, broken) = each(scenarios(), fail_everywhere);
    println!("{} operations failed once", figures.faults);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The power fails at the same place in every boot.
#[test]
fn a_change_is_tried_by_three_boots_at_most() {
    let scenario = scenarios::all().into_iter().next().expect("one");
    let world = scenario.prepared();
    let mut base = Run::new(world.copy());
    base.live(&[]);
    for at in 0..base.operations[0] {
        for death in deaths(at) {
            let cut = Cut { at, reach: Reach::Whole, death };
            let mut run = Run::new(world.copy());
            run.live(&[cut; 8]);
            assert_eq!(run.broken(), Vec::<String>::new(), "{cut:?}");
        }
    }
}
