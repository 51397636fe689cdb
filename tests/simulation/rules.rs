//! The six rules that nothing may break, as checks.

use intercom_agent::agent::{Restored, Status};
use intercom_agent::environment::Policy;
use intercom_agent::record::{Current, Entry, Record};
use intercom_wire::{Identity, Outcome};

use super::cloud::Posted;
use super::flash::Kept;
use super::link::Driver;
use super::requests::{mac, tag};
use super::world::{Hardware, SERIAL};

/// How many boots may try a change.
const MAX_BOOTS: usize = 3;
/// How long after its deadline a change may still be under way, in milliseconds.
const FEW_SECONDS: u64 = 10_000;

/// What was seen of the board so far.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// What broke, in words that begin with the rule.
    pub broken: Vec<String>,
    /// The record was spoiled on purpose: what it said last may be forgotten.
    pub spoiled: bool,
    /// Operations fail while the power is on.
    pub faulty: bool,
    /// What the operator allows, where the agent was told something else.
    pub policy: Option<Policy>,
    current: Option<Current>,
    to: Option<Identity>,
    /// What restarts had to say.
    pub remarks: Vec<String>,
    /// How often the identity changed.
    pub transitions: u32,
    /// Whose request changed the identity.
    pub applied: Vec<String>,
}

impl Watch {
    fn broke(&mut self, rule: u8, what: impl Into<String>) {
        self.broken.push(format!("rule {rule}: {}", what.into()));
    }

    /// The record as the agent has it, or as a restart found it.
    fn see(&mut self, record: &Record) {
        let now = &record.current.identity;
        let before = self.current.replace(record.current.clone());
        // What is nobody's address follows the link, until the board's own is known.
        let is_own = !record.current.has_mac() || now.mac == mac('A');
        let follows = before.as_ref().is_some_and(|before| !before.has_mac()) && is_own;
        if let Some(Current { identity: before, .. }) = before
            && before != *now
            && !follows
        {
            self.transitions += 1;
            if self.to.as_ref() != Some(now) && !self.spoiled {
                self.broke(1, format!("{before} became {now}, which no change was about"));
            }
            let by = |entry: &&Entry| {
                entry.report.previous == before && entry.report.identity().as_ref() == Some(now)
            };
            let entry = record.ledger.entries().iter().rev().find(by);
            // A bare body that somebody publishes again is meant again.
            if let Some(entry) = entry.filter(|entry| {
                entry.request_id.is_some() && entry.report.outcome() == Some(Outcome::Installed)
            }) {
                let tag = tag(&entry.report);
                if self.applied.contains(&tag) && !self.spoiled {
                    self.broke(3, format!("request {tag} was applied twice"));
                }
                self.applied.push(tag);
            }
        }
        self.to = record.change.as_ref().map(|change| change.to.identity.clone());
    }
}

/// Whether a record knows of a request.
fn knows(record: &Record, wanted: &str) -> bool {
    let change = record.change.as_ref().and_then(|change| change.cause.log_extra.as_ref());
    change.and_then(|extra| extra.as_str()) == Some(wanted)
        || record.ledger.entries().iter().any(|entry| tag(&entry.report) == wanted)
}

/// U-Boot has just started.
pub fn at_power_on(world: &mut Hardware) {
    let policy = world.watch.policy.unwrap_or(world.rules.environment);
    let kept = world.environments.kept;
    if kept == Kept::Redundant && world.environments.found().is_none() {
        world.watch.broke(4, "no copy of the redundant environment is good");
    }
    let forbidden = match (kept, policy) {
        (_, Policy::Never) | (Kept::Damaged | Kept::Nowhere, _) => true,
        (Kept::Single, Policy::RedundantOnly) => true,
        (Kept::Single | Kept::Redundant, _) => false,
    };
    if forbidden && world.environments.writes() > 0 {
        world.watch.broke(4, format!("a {kept:?} environment was written under {policy:?}"));
    }
}

/// The one-shot restore, or the daemon's, has just ended.
pub fn after_restore(world: &mut Hardware, restored: &Restored) {
    let record = &restored.record;
    let mut watch = std::mem::take(&mut world.watch);
    watch.remarks.extend(restored.remarks.iter().cloned());
    world.log.tell(world.now, || {
        let change = record.change.as_ref().map(|change| change.to.identity.to_string());
        let (current, remarks) = (&record.current.identity, &restored.remarks);
        format!("boot {}: {current} {change:?} {remarks:?}", world.boot)
    });
    watch.see(record);
    if !watch.faulty && world.link.driver == Driver::Takes && !world.link.files_fail {
        agrees(world, record, &mut watch);
    }
    if !watch.spoiled
        && restored.remarks.iter().any(|remark| remark.contains("the record is damaged"))
    {
        watch.broke(6, format!("no more than a power cut, and {:?}", restored.remarks));
    }
    if record.change.is_none() {
        world.link.sets.clear();
        environment_agrees(world, &record.current.identity, &mut watch);
    }
    trials(world, &mut watch);
    if !watch.spoiled {
        let requests = &world.cloud.requests;
        for posted in requests.iter().filter(|posted| posted.acknowledged) {
            let tag = &posted.asked.tag;
            let left = |other: &Posted| other.asked.tag == *tag && !other.acknowledged;
            let excused = world.cloud.was_told(tag) || posted.asked.may_be_ignored;
            if !excused && !knows(record, tag) && !requests.iter().any(left) {
                watch.broke(3, format!("request {tag} was acknowledged, and is forgotten"));
            }
        }
    }
    world.watch = watch;
}

/// Link and runtime files say one identity, if the board has one.
fn agrees(world: &Hardware, record: &Record, watch: &mut Watch) {
    let wanted = record.change.as_ref().map_or(&record.current, |change| &change.to);
    let boot_id = format!("boot-{}", world.boot).parse().expect("a boot ID");
    let Identity { mac, serial_number } = &wanted.identity;
    if record.sets_link(&boot_id) && world.link.mac != *mac {
        watch.broke(1, format!("the record says {mac} and the link {}", world.link.mac));
    }
    let mac = wanted.has_mac().then_some(*mac);
    match &world.link.files {
        Some(files) if files.mac == mac && files.serial_number == *serial_number => {}
        files => watch.broke(1, format!("the record says {wanted:?} and the files {files:?}")),
    }
}

/// The environment is a copy of what the record says, where it may be written.
fn environment_agrees(world: &Hardware, current: &Identity, watch: &mut Watch) {
    let allowed = match (world.environments.kept, world.rules.environment) {
        (Kept::Nowhere | Kept::Damaged, _) | (_, Policy::Never) => false,
        (Kept::Single, policy) => policy == Policy::Always,
        (Kept::Redundant, _) => true,
    };
    if !allowed || watch.faulty || watch.spoiled {
        return;
    }
    let Some(found) = world.environments.found() else {
        return watch.broke(4, "the environment is lost");
    };
    let mac = found.get("ethaddr").map(|text| text.into_owned());
    let serial = found.get(SERIAL).map(|text| text.into_owned());
    let wanted = current.serial_number.as_ref().map(ToString::to_string);
    if mac != Some(current.mac.to_string()) || serial != wanted {
        watch.broke(4, format!("the record says {current}, the environment {mac:?} {serial:?}"));
    }
    if found.get("bootcmd").as_deref() != Some("bootm") {
        watch.broke(4, "a variable of U-Boot's own is lost");
    }
}

/// A link that was set to an address that nobody confirmed was so for three boots at most.
fn trials(world: &Hardware, watch: &mut Watch) {
    let Some(current) = &watch.current else { return };
    let tried = world.link.sets.iter().filter(|(_, mac)| *mac != current.identity.mac);
    let mut boots: Vec<u32> = tried.map(|(boot, _)| *boot).collect();
    boots.dedup();
    if boots.len() > MAX_BOOTS {
        watch.broke(2, format!("{} boots tried the change", boots.len()));
    }
}

/// The agent has just done something.
pub fn after_step(world: &mut Hardware, record: &Record) {
    let mut watch = std::mem::take(&mut world.watch);
    watch.see(record);
    match &record.change {
        None => world.link.sets.clear(),
        Some(change) => {
            let now = world.now - world.booted;
            let end = change.deadline.as_millis() + FEW_SECONDS;
            let link = world.link.driver == Driver::Takes && !watch.faulty;
            if change.boot_id.as_str() == format!("boot-{}", world.boot) && now > end && link {
                watch.broke(2, format!("a change goes on {} ms after its end", now - end));
            }
        }
    }
    trials(world, &mut watch);
    world.watch = watch;
}

/// Nothing is going to happen any more, and nothing is in the way any more.
pub fn at_the_end(world: &mut Hardware, record: &Record, status: &Status) {
    let mut watch = std::mem::take(&mut world.watch);
    if record.change.is_some() {
        watch.broke(2, "a change never ended");
    }
    let current = record.current.identity.clone();
    agrees(world, record, &mut watch);
    environment_agrees(world, &current, &mut watch);
    if status.reached.len() != world.rules.routes.len() {
        watch.broke(2, format!("only {:?} is reached in the end", status.reached));
    }
    if !status.durable {
        watch.broke(1, "the record is not durable in the end");
    }
    if status.waiting > 0 {
        watch.broke(3, format!("{} requests wait for ever", status.waiting));
    }
    if status.unreported > 0 {
        watch.broke(3, format!("{} reports were never taken", status.unreported));
    }
    for posted in &world.cloud.requests {
        let excused = watch.spoiled || posted.asked.may_be_ignored;
        let told = world.cloud.was_told(&posted.asked.tag);
        if (posted.delivered || posted.acknowledged) && !told && !excused {
            watch.broke(3, format!("request {} has no outcome", posted.asked.tag));
        }
    }
    world.watch = watch;
}
