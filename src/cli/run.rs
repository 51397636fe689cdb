//! `run`: the daemon.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::args::Run;
use super::exit::{Exit, Failure};
use crate::crash;
use crate::daemon::{self, Uplink};

pub(super) fn run(run: &Run) -> Result<Exit, Failure> {
    let panel = super::panel(&run.common())?;
    panel.settings.require_upstream(&panel.root).map_err(Failure::usage)?;
    for warning in &panel.survey.warnings {
        log::warn!("{warning}");
    }
    for section in panel.settings.insecure() {
        log::warn!(
            "{section} has `insecure = true`: whoever answers there is taken for the real server, can \
             read everything and can send requests; set `ca_file` instead"
        );
    }
    if let Err(why) = crash::trace_fatal_signals(&panel.runtime_dir()) {
        log::warn!("a crash will leave no trace: {why}");
    }
    let runtime = runtime()?;
    runtime.block_on(async {
        let stop = stop_signal().map_err(Failure::new)?;
        daemon::run(panel, Uplink::Configured, stop, |_| {}).await.map_err(Failure::new)
    })?;
    Ok(Exit::Done)
}

/// One thread: a panel has one core, and every stack counts.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)
}

/// Ready when the init system or a person wants the daemon to end.
pub(super) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
