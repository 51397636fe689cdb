//! The panels on the broker, in a process for every few thousand of them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::processes::Process;
use crate::told::Tally;

/// How many panels are in one process.
const IN_A_PROCESS: usize = 5000;

/// The running panels.
pub(super) struct Fleet {
    pub(super) tally: Tally,
    processes: Vec<Process>,
}

impl Fleet {
    /// Starts so many panels, shared out to these brokers. `program` is this one.
    pub(super) fn start(program: &Path, brokers: &[SocketAddr], panels: usize) -> Result<Self> {
        let mut fleet = Fleet { tally: Tally::default(), processes: Vec::new() };
        let together = panels.div_ceil(brokers.len().max(1)).clamp(1, IN_A_PROCESS);
        let mut in_turn = brokers.to_vec();
        for first in (0..panels).step_by(together) {
            // Each process begins with another one.
            let nodes: Vec<String> = in_turn.iter().map(SocketAddr::to_string).collect();
            in_turn.rotate_left(1.min(brokers.len()));
            let end = (first + together).min(panels);
            let mut command = Command::new(program);
            command.args(["panels", "--broker", &nodes.join(",")]);
            command.args(["--first", &first.to_string(), "--end", &end.to_string()]);
            let (process, out) = Process::start_heard("intercom-fleet panels", &mut command)?;
            fleet.processes.push(process);
            let tally = fleet.tally.clone();
            // It ends with the process.
            thread::spawn(move || tally.read(out));
        }
        Ok(fleet)
    }

    /// The resident memory of each process.
    pub(super) fn memory(&self) -> Result<Vec<String>> {
        self.processes.iter().map(Process::memory).collect()
    }
}
