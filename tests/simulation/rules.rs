//! The rules that nothing may break, as checks.

use intercom_agent::agent::{Restored, Status};
use intercom_agent::environment::Policy;
use intercom_agent::record::{Current, Entry, MacOrigin, Reading, Record, SerialOrigin};
use intercom_wire::{Identity, Outcome};

use super::bounds;
use super::cloud::Posted;
use super::flash::Kept;
use super::link::{Driver, LinkState};
use super::proof::{self, Proof};
use super::requests::{is_tagged, tag};
use super::sources::SerialSource;
use super::truth::{self, Truth};
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
    /// What the board itself is.
    pub truth: Truth,
    /// How often the environment had been written when it was looked at last.
    pub environment_writes: Option<u32>,
    /// How often the record had been written when its size was looked at last.
    pub bounded_records: Option<u32>,
    current: Option<Current>,
    to: Option<Current>,
    /// What upstream has really heard.
    pub proof: Proof,
    /// What restarts had to say.
    pub remarks: Vec<String>,
    /// How often the identity changed.
    pub transitions: u32,
    /// Whose request changed the identity.
    pub applied: Vec<String>,
}

impl Watch {
    pub fn broke(&mut self, rule: u8, what: impl Into<String>) {
        let what = format!("rule {rule}: {}", what.into());
        if !self.broken.contains(&what) {
            self.broken.push(what);
        }
    }

    /// The record as the agent has it, or as a restart found it.
    fn see(&mut self, record: &Record, link: &LinkState) {
        let now = &record.current.identity;
        let before = self.current.replace(record.current.clone());
        let follows = before.as_ref().is_some_and(|before| self.follows(before, record, link));
        if let Some(Current { identity: before, .. }) = before
            && before != *now
            && !follows
        {
            self.transitions += 1;
            let is_meant = self.to.as_ref().is_some_and(|to| self.follows(to, record, link));
            if !is_meant && !self.spoiled {
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
        self.to = record.change.as_ref().map(|change| change.to.clone());
    }

    /// What is nobody's address follows the link, until the board's own is known; a serial number that
    /// the board did not tell counts when it does.
    fn follows(&self, before: &Current, record: &Record, link: &LinkState) -> bool {
        let now = &record.current;
        let (old, new) = (&before.identity, &now.identity);
        let mac = old.mac == new.mac
            || !before.has_mac() && (!now.has_mac() || self.truth.is_own(link, new.mac));
        // The disk did not take what became known.
        let is_forgotten = self.faulty && self.truth.is_own(link, old.mac) && !now.has_mac();
        let mac = mac || is_forgotten;
        let serial = old.serial_number == new.serial_number
            || self.faulty
                && new.serial_number.is_none()
                && old.serial_number == self.truth.serial_number
            || old.serial_number.is_none() && new.serial_number == self.truth.serial_number;
        mac && serial
    }
}

/// Whether a record knows of a request.
fn knows(record: &Record, wanted: &str) -> bool {
    let change = record.change.as_ref().and_then(|change| change.cause.log_extra.as_ref());
    change.is_some_and(|extra| is_tagged(extra, wanted))
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
    watch.see(record, &world.link);
    proof::holds(world, record, true, &mut watch);
    truth::is_told(world, record, &mut watch);
    bounds::hold(world, record, &mut watch);
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
        environment_agrees(world, record, &mut watch);
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
    let wanted = record.carried();
    let boot_id = format!("boot-{}", world.boot).parse().expect("a boot ID");
    let Identity { mac, serial_number } = &wanted.identity;
    if record.sets_link(&boot_id) && world.link.is_there && world.link.mac != *mac {
        watch.broke(1, format!("the record says {mac} and the link {}", world.link.mac));
    }
    let mac = wanted.has_mac().then_some(*mac);
    match &world.link.files {
        Some(files) if files.mac == mac && files.serial_number == *serial_number => {}
        files => watch.broke(1, format!("the record says {wanted:?} and the files {files:?}")),
    }
}

/// The environment is a copy of what the record says, where it may be written.
fn environment_agrees(world: &Hardware, record: &Record, watch: &mut Watch) {
    let current = &record.current;
    let allowed = match (world.environments.kept, world.rules.environment) {
        (Kept::Nowhere | Kept::Damaged, _) | (_, Policy::Never) => false,
        (Kept::Single, policy) => policy == Policy::Always,
        (Kept::Redundant, _) => true,
    };
    let is_unread = matches!(world.sources.serial, SerialSource::Own(Reading::Unreadable));
    // Whose address the link has is known at the next boot. Until then the environment is not written:
    // the factory identity goes along.
    let boot_id = format!("boot-{}", world.boot).parse().ok();
    let is_unread = is_unread || !current.has_mac() && record.link_kept_in == boot_id;
    if !allowed || watch.faulty || watch.spoiled || world.environments.missed || is_unread {
        return;
    }
    let Some(found) = world.environments.found() else {
        return watch.broke(4, "the environment is lost");
    };
    let mac = found.get("ethaddr").map(|text| text.into_owned());
    let serial = found.get(SERIAL).map(|text| text.into_owned());
    let Current { identity, mac_origin, serial_origin } = current;
    // What the board has elsewhere need not be there too.
    let is_mac = match mac_origin {
        MacOrigin::Request => mac == Some(identity.mac.to_string()),
        MacOrigin::Board => mac.is_none() || mac == Some(identity.mac.to_string()),
        MacOrigin::Placeholder | MacOrigin::Random | MacOrigin::Unread => true,
    };
    let wanted = identity.serial_number.as_ref().map(ToString::to_string);
    let elsewhere = *serial_origin == Some(SerialOrigin::Board) && serial.is_none();
    if !is_mac || serial != wanted && !elsewhere {
        watch.broke(4, format!("the record says {current:?}, the environment {mac:?} {serial:?}"));
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
    watch.see(record, &world.link);
    proof::holds(world, record, false, &mut watch);
    truth::is_told(world, record, &mut watch);
    bounds::hold(world, record, &mut watch);
    match &record.change {
        None => world.link.sets.clear(),
        Some(change) => {
            let now = world.now - world.booted;
            let end = change.deadline.as_millis() + FEW_SECONDS;
            let link = world.link.driver == Driver::Takes && !watch.faulty;
            // One that has just woken had no time yet.
            let had_time = world.woke != Some(world.now);
            let is_this_boots = change.boot_id.as_str() == format!("boot-{}", world.boot);
            if is_this_boots && now > end && link && had_time {
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
    agrees(world, record, &mut watch);
    environment_agrees(world, record, &mut watch);
    if status.reached.iter().flatten().count() != world.rules.routes.len() {
        watch.broke(2, format!("only {:?} is reached in the end", status.reached));
    }
    if status.durable != Some(true) {
        watch.broke(1, "the record is not durable in the end");
    }
    if let Some(waiting @ 1..) = status.waiting {
        watch.broke(3, format!("{waiting} requests wait for ever"));
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
