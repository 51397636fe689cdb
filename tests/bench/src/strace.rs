//! What strace counts.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Outcome;
use crate::contender::LookUp;

/// The same command, with every system call of it and its children in `trace`.
pub fn under_strace(command: &Command, trace: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-s", "96", "-o"]).arg(trace);
    strace.arg(command.get_program()).args(command.get_args());
    strace
}

/// System calls, and some of them.
#[derive(Clone, Copy, Default)]
pub struct Calls {
    pub all: usize,
    /// While it is not known who has a MAC address.
    pub in_look_ups: usize,
    /// What waits for the disk.
    pub syncs: usize,
}

/// The same for one change, on average.
#[derive(Clone, Copy, Default)]
pub struct PerChange {
    pub all: f64,
    pub in_look_ups: f64,
    pub syncs: f64,
}

impl Calls {
    /// Those in `trace` so far.
    pub fn in_trace(trace: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(trace)?;
        // A call that another process interrupts has two lines; signals and ends are no calls.
        let calls = text.lines().filter_map(|line| {
            let call = line.split_once(' ')?.1.trim_start();
            call.starts_with(|first: char| first.is_ascii_lowercase()).then_some(call)
        });
        let syncs = ["fsync(", "fdatasync(", "sync(", "syncfs("];
        let (mut sum, mut in_look_up) = (Calls::default(), false);
        for call in calls {
            match LookUp::told(call).filter(|_| call.starts_with("write(")) {
                Some(LookUp::Begins) => in_look_up = true,
                Some(LookUp::Ends) => in_look_up = false,
                None => {}
            }
            sum.all += 1;
            sum.in_look_ups += usize::from(in_look_up);
            sum.syncs += usize::from(syncs.iter().any(|name| call.starts_with(name)));
        }
        Ok(sum)
    }

    /// For each of so many changes since `before`.
    pub fn since(self, before: Calls, changes: usize) -> PerChange {
        let each = |now: usize, then: usize| (now - then) as f64 / changes as f64;
        PerChange {
            all: each(self.all, before.all),
            in_look_ups: each(self.in_look_ups, before.in_look_ups),
            syncs: each(self.syncs, before.syncs),
        }
    }
}
