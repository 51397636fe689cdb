//! Which hook failed, and how.

use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

/// A hook that failed.
#[derive(Debug)]
pub struct HookFailure {
    /// The file name of the hook, or the directory where the hooks are.
    pub hook: String,
    /// What went wrong.
    pub problem: HookProblem,
    /// The last line that the hook printed.
    pub said: Option<String>,
}

/// How a hook failed.
#[derive(Debug)]
pub enum HookProblem {
    /// The directory could not be read.
    NotListed(io::Error),
    /// It could not be started or waited for.
    NotRun(io::Error),
    /// It was asked before anything was touched, and said "not now".
    NotNow,
    /// It ended with a failure, or was killed by a signal.
    Ended(ExitStatus),
    /// It took longer than it may and was killed, with everything that it had started.
    TooLong(Duration),
}

impl HookFailure {
    /// The failure of this hook.
    pub fn new(hook: impl Into<String>, problem: HookProblem) -> Self {
        HookFailure { hook: hook.into(), problem, said: None }
    }
}

impl fmt::Display for HookFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hook = &self.hook;
        match &self.problem {
            HookProblem::NotListed(why) => write!(f, "the hooks in {hook} cannot be listed: {why}"),
            HookProblem::NotRun(why) => {
                write!(f, "the hook {hook} could not be run: {why}; `doctor` says more")
            }
            HookProblem::NotNow => write!(f, "the hook {hook} says \"not now\""),
            HookProblem::Ended(status) => write!(f, "the hook {hook} failed: {status}"),
            HookProblem::TooLong(limit) => {
                write!(f, "the hook {hook} took longer than {} s and was killed", limit.as_secs())
            }
        }?;
        match &self.said {
            Some(said) => write!(f, ": {said}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for HookFailure {}
