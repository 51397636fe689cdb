//! What strace counts.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Outcome;

/// The same command, with every system call of it and its children in `trace`.
pub fn under_strace(command: &Command, trace: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(trace);
    strace.arg(command.get_program()).args(command.get_args());
    strace
}

/// System calls, and those of them that wait for the disk.
#[derive(Clone, Copy, Default)]
pub struct Calls {
    pub all: usize,
    pub syncs: usize,
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
        Ok(calls.fold(Calls::default(), |sum, call| Calls {
            all: sum.all + 1,
            syncs: sum.syncs + usize::from(syncs.iter().any(|name| call.starts_with(name))),
        }))
    }

    /// For each of so many changes since `before`.
    pub fn since(self, before: Calls, changes: usize) -> [f64; 2] {
        let each = |now: usize, then: usize| (now - then) as f64 / changes as f64;
        [each(self.all, before.all), each(self.syncs, before.syncs)]
    }
}
