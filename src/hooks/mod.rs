//! The operator's own programs that a change runs: renew the lease, restart SIP, tell ONVIF.

mod find;
mod lines;
mod process;

use std::path::PathBuf;
use std::time::Duration;

use intercom_wire::{Identity, SerialNumber};
use log::{debug, info, warn};

use crate::agent::seams::{HookRun, Phase};
use crate::agent::{HookFailure, HookProblem};

/// With this exit status of `sysexits.h` (EX_TEMPFAIL) a hook that is asked first says "not now".
const NOT_NOW: i32 = 75;

/// The hooks of one panel.
#[derive(Debug)]
pub struct Hooks {
    dir: PathBuf,
    limit: Duration,
    interface: String,
}

impl Hooks {
    /// The executables of `dir`, each of which may take as long as `limit`; `interface` is what
    /// they are told to look after.
    pub fn new(dir: PathBuf, limit: Duration, interface: &str) -> Self {
        Hooks { dir, limit, interface: interface.to_owned() }
    }

    /// The executables in the order in which they run, and what is skipped and why.
    ///
    /// # Errors
    /// Why the directory cannot be looked through.
    pub fn find(&self) -> Result<(Vec<PathBuf>, Vec<String>), HookFailure> {
        let found = find::hooks(&self.dir)?;
        Ok((found.hooks.into_iter().map(|hook| hook.path).collect(), found.skipped))
    }

    /// Runs them one after the other in name order; a directory that is not there has none.
    ///
    /// An apply stops at the first that fails, since it is going to be rolled back. A rollback runs
    /// all of them, since each one that works brings the panel nearer to where it was. When they are
    /// asked first, only "not now" counts: one that knows nothing of this phase may fail in it.
    /// Dropping the future kills the one that runs.
    ///
    /// # Errors
    /// Which hook failed first, and how.
    pub async fn run(&self, run: &HookRun) -> Result<(), HookFailure> {
        let found = find::hooks(&self.dir)?;
        for skipped in found.skipped {
            warn!("{skipped}");
        }
        let phase = phase(run.phase);
        let mut first_failure = None;
        for hook in found.hooks {
            let name = hook.name;
            debug!("hook {name}: {phase} begins");
            match process::run(&name, &hook.path, self.variables(run), self.limit).await {
                Ok(()) => info!("hook {name}: {phase} done"),
                Err(mut failure) => {
                    let is_not_now = matches!(
                        failure.problem,
                        HookProblem::Ended(status) if status.code() == Some(NOT_NOW)
                    );
                    if run.phase == Phase::Ready && is_not_now {
                        failure.problem = HookProblem::NotNow;
                        return Err(failure);
                    }
                    warn!("{failure}");
                    match run.phase {
                        Phase::Ready => {}
                        Phase::Apply => return Err(failure),
                        Phase::Rollback => first_failure = first_failure.or(Some(failure)),
                    }
                }
            }
        }
        first_failure.map_or(Ok(()), Err)
    }

    /// What a hook finds in its environment. A serial number that there is none of is empty.
    fn variables(&self, run: &HookRun) -> [(&'static str, String); 6] {
        let serial = |identity: &Identity| {
            let serial = identity.serial_number.as_ref().map(SerialNumber::as_str);
            serial.unwrap_or_default().to_owned()
        };
        [
            ("INTERCOM_OLD_MAC", run.from.mac.to_string()),
            ("INTERCOM_NEW_MAC", run.to.mac.to_string()),
            ("INTERCOM_OLD_SERIAL_NUMBER", serial(&run.from)),
            ("INTERCOM_NEW_SERIAL_NUMBER", serial(&run.to)),
            ("INTERCOM_INTERFACE", self.interface.clone()),
            ("INTERCOM_PHASE", phase(run.phase).to_owned()),
        ]
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Ready => "ready",
        Phase::Apply => "apply",
        Phase::Rollback => "rollback",
    }
}

#[cfg(test)]
mod tests;
