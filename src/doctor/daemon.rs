//! The daemon: it runs, writes its record, and did not crash.

use super::{Check, Finding};
use crate::agent::RouteStatus;
use crate::control::{self, Answer, Ask};
use crate::crash;
use crate::panel::Panel;
use crate::record::Route;

pub(super) const RUNS: Check =
    Check { id: "daemon", description: "the daemon runs and can write its record", look: runs };

pub(super) const CRASHES: Check = Check {
    id: "crashes",
    description: "no run of the daemon has crashed since boot",
    look: crashes,
};

fn runs(panel: &Panel) -> Finding {
    match state(panel) {
        Ok(State { durable: true, .. }) => Finding::ok("runs"),
        Ok(_) => Finding::failed(
            "runs, and cannot write its record; it tries again each minute",
            "see state-durable and state-room, and leave the power on until this is ok",
        ),
        Err(why) => Finding::failed(
            why,
            "start it as this system starts its services (`intercom-agent run` in the foreground)",
        ),
    }
}

fn crashes(panel: &Panel) -> Finding {
    match crash::past_runs(&panel.runtime_dir()) {
        Ok(past) if past.unclean_ends == 0 => Finding::ok("none"),
        Ok(past) => Finding::warning(
            past.to_string(),
            "send what `intercom-agent bugreport` writes to whoever makes the firmware",
        ),
        Err(why) => Finding::warning(format!("not known: {why}"), "run this as root"),
    }
}

/// What the daemon says.
pub(super) struct State {
    pub(super) reached: Vec<Route>,
    pub(super) routes: Vec<RouteStatus>,
    durable: bool,
    /// What other software has done to the link, in words.
    pub(super) link_contest: Option<String>,
}

/// How the routes of the running daemon fare; `None` if none runs, or it does not say.
pub fn routes(panel: &Panel) -> Option<Vec<RouteStatus>> {
    state(panel).ok().map(|state| state.routes)
}

/// # Errors
/// That no daemon runs, or that it does not say anything.
pub(super) fn state(panel: &Panel) -> Result<State, String> {
    let socket = panel.runtime_dir().join(control::SOCKET);
    let mut told = Err("the daemon runs and does not tell its state".to_owned());
    let asked = control::ask(&socket, &Ask::Status, |answer| match answer {
        Answer::State { reached, routes, durable, link_contest, .. } => {
            told = Ok(State { reached, routes, durable, link_contest });
        }
        Answer::Refused(why) => told = Err(why),
        Answer::Step(_)
        | Answer::Ended { .. }
        | Answer::Back(_)
        | Answer::Restored { .. }
        | Answer::Forgotten(_) => {}
    });
    match asked {
        Ok(()) => told,
        Err(why) if control::no_daemon(&why) => Err("no daemon runs".to_owned()),
        Err(why) => Err(format!("the daemon cannot be asked: {why}")),
    }
}
