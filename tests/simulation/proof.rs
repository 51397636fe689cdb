//! Rule 8: `installed` is only reported of an identity under which the panel was reached at both ends of
//! `settle`, in time, over the link that bears it, and that no other board has.

use intercom_agent::record::{Change, Goal, Record, Route};
use intercom_wire::{Mac, Outcome};

use super::rules::Watch;
use super::world::Hardware;

const RULE: u8 = 8;
/// How long before the end of a change another board may have taken the address, or the traffic another
/// link, and still have been looked for too early, in milliseconds.
const JUST_NOW: u64 = 3_000;

/// What is not so in a world that breaks the proof on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mutant {
    #[default]
    None,
    /// A new connection counts although nothing has come back on it.
    NoFirstEcho,
    /// When `settle` is over, an answer counts that never came.
    NoSecondEcho,
    /// The answer to the first nonce comes again, and counts for the second one.
    OldNonce,
    /// The clock stands still while the process sleeps.
    NoDeadline,
    /// Another board's answer is not heard.
    NoOthers,
    /// It does not count by which link the traffic leaves.
    AnotherLink,
}

/// What upstream has really heard during the change in progress.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    change: Option<Change>,
    /// On which route, at which address of the link, and when.
    heard: Vec<(Route, Mac, u64)>,
}

impl Hardware {
    /// The panel and upstream hear each other on this route.
    pub fn heard(&mut self, route: Route) {
        if self.reaches(route) && !self.cloud.silent {
            let heard = (route, self.link.mac, self.now);
            self.watch.proof.heard.push(heard);
        }
    }
}

/// Checked after each start and after each step.
pub fn holds(world: &Hardware, record: &Record, is_start: bool, watch: &mut Watch) {
    let before = match (&watch.proof.change, &record.change) {
        (Some(before), Some(now)) if before == now && !is_start => return,
        (Some(_), None) => watch.proof.change.take(),
        (None, None) => return,
        _ => None,
    };
    if let Some(change) = before.filter(|change| is_installed(change, record)) {
        let heard = &watch.proof.heard;
        let found = wanting(world, &change, heard, is_start);
        if let Some(what) = found {
            watch.broke(RULE, what);
        }
    }
    watch.proof = Proof { change: record.change.clone(), heard: Vec::new() };
}

/// Whether the change has ended, and upstream is told that it is installed.
fn is_installed(change: &Change, record: &Record) -> bool {
    let last = record.ledger.entries().last().map(|entry| &entry.report);
    !change.offline
        && change.goal == Goal::Install
        && record.current.identity == change.to.identity
        && last.and_then(|report| report.outcome()) == Some(Outcome::Installed)
}

/// What of the proof is wanting.
fn wanting(
    world: &Hardware,
    change: &Change,
    heard: &[(Route, Mac, u64)],
    is_start: bool,
) -> Option<String> {
    let mac = change.to.identity.mac;
    let settle = u64::try_from(world.rules.settle.as_millis()).expect("it is short");
    let at_both_ends = world.rules.routes.iter().any(|route| {
        let mut on_it = heard.iter().filter(|(on, under, _)| (on, *under) == (route, mac));
        let first = on_it.next().map(|(_, _, at)| *at);
        let last = on_it.next_back().map(|(_, _, at)| *at);
        first.zip(last).is_some_and(|(first, last)| last >= first + settle)
    });
    if !at_both_ends {
        return Some(format!("{mac} is installed, and upstream heard {heard:?}"));
    }
    // When it ended is not known of one that ended with the power.
    let late = (world.now - world.booted).saturating_sub(change.deadline.as_millis());
    if !is_start && late > 0 {
        return Some(format!("{mac} is installed {late} ms after the deadline"));
    }
    let by_another_link = world.cloud.by_another_link
        && change.new_mac().is_some()
        && world.cloud.other_link_at + JUST_NOW < world.now;
    if by_another_link && !is_start {
        return Some(format!("{mac} is installed, and the traffic leaves by another link"));
    }
    let taken = world.cloud.taken_at.iter().find(|(taken, _)| *taken == mac);
    let is_taken = world.cloud.taken.contains(&mac) && change.new_mac().is_some();
    match taken {
        Some((_, at)) if is_taken && !is_start && at + JUST_NOW < world.now => {
            Some(format!("{mac} is installed, and another board has it"))
        }
        _ => None,
    }
}
