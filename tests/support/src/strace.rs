//! The agent under strace, which ends it at one of its system calls or makes that call fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// More calls of one kind than the agent makes in any test here.
const MOST: usize = 400;

/// What happens at a system call.
#[derive(Clone, Copy)]
pub enum Fault {
    /// The agent is killed instead.
    Kill,
    /// The call fails with this error.
    Error(&'static str),
}

/// A fault at the `number`th call of one kind, counted from 1.
pub struct Strace {
    /// The name of the system call.
    pub call: &'static str,
    /// Which of them, from 1.
    pub number: usize,
    /// What happens at it.
    pub fault: Fault,
    /// Calls on other files are let be; with none here, every call counts.
    pub files: Vec<PathBuf>,
    /// Where strace writes what it saw.
    pub trace: PathBuf,
}

impl Strace {
    /// The same command under strace. The agent keeps the process id of the command.
    pub fn over(&self, command: &Command) -> Command {
        let fault = match self.fault {
            Fault::Kill => "signal=KILL".to_owned(),
            Fault::Error(name) => format!("error={name}"),
        };
        let mut strace = Command::new("strace");
        strace.args(["-D", "-f", "-qq", "-e", &format!("trace={}", self.call)]);
        strace.args(["-e", &format!("inject={}:{fault}:when={}", self.call, self.number)]);
        for file in &self.files {
            strace.arg("-P").arg(file);
        }
        strace.arg("-o").arg(&self.trace).arg(command.get_program()).args(command.get_args());
        if let Some(dir) = command.get_current_dir() {
            strace.current_dir(dir);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => strace.env(name, value),
                None => strace.env_remove(name),
            };
        }
        strace
    }

    /// Whether the agent made the call and was told that it failed. To be asked once it has ended.
    pub fn has_failed_it(&self) -> bool {
        fs::read_to_string(&self.trace).expect("strace runs").contains("(INJECTED)")
    }
}

/// The same command, with a line in `trace` for each of these calls and the files that it is about.
pub fn traced(command: &Command, calls: &str, trace: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-qq", "-y", "-e", &format!("trace={calls}"), "-o"]).arg(trace);
    strace.arg(command.get_program()).args(command.get_args());
    strace
}

/// Runs `one` for every number until it says that there was no such call; how many there were.
pub fn at_every(call: &str, mut one: impl FnMut(usize) -> bool) -> usize {
    let reached = (1..MOST).take_while(|number| one(*number)).count();
    assert!(reached < MOST - 1, "{call}: too many calls");
    reached
}
