//! `run`: the daemon.

use std::pin::pin;

use super::args::{Common, Run};
use super::exit::{Exit, Failure};
use super::signals::Signals;
use crate::crash;
use crate::daemon::{self, Connectivity, End};
use crate::panel::Panel;

pub(super) fn run(run: &Run) -> Result<Exit, Failure> {
    let common = run.common();
    let panel = super::panel(&common)?;
    panel.settings.require_upstream(&panel.root).map_err(Failure::usage)?;
    if let Err(why) = crash::trace_fatal_signals(&panel.runtime_dir()) {
        log::warn!("a crash will leave no trace: {why}");
    }
    runtime()?.block_on(serve(panel, &common))
}

/// Until the daemon is told to end; with each new configuration it begins anew, as after a restart.
async fn serve(mut panel: Panel, common: &Common) -> Result<Exit, Failure> {
    let (root, settings) = (panel.root.clone(), panel.settings.clone());
    let mut signals = Signals::take(common, root, settings).map_err(Failure::new)?;
    loop {
        warn_of(&panel);
        let end = daemon::run(panel, Connectivity::Online, pin!(signals.end()), None).await;
        match end.map_err(Failure::new)? {
            End::Stop => return Ok(Exit::Done),
            End::Reload => panel = Panel::open(signals.root.clone(), signals.settings.clone()),
        }
    }
}

fn warn_of(panel: &Panel) {
    for warning in &panel.survey.warnings {
        log::warn!("{warning}");
    }
    for section in panel.settings.insecure() {
        log::warn!(
            "{section} has `insecure = true`: whoever answers there is taken for the real server, can \
             read everything and can send requests; set `ca_file` instead"
        );
    }
}

/// One thread: a panel has one core, and every stack counts.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)
}
