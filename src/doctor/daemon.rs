//! The daemon: it runs, writes its record, and did not crash.

use std::fmt;
use std::io;

use super::{Check, Finding, Look};
use crate::agent::RouteStatus;
use crate::control::{self, Answer, Ask};
use crate::crash;
use crate::panel::Panel;
use crate::record::Route;

pub(super) const RUNS: Check = Check {
    id: "daemon",
    description: "the daemon runs and can write its record",
    look: Look::Daemon(runs),
};

pub(super) const CRASHES: Check = Check {
    id: "crashes",
    description: "no run of the daemon has crashed since boot",
    look: Look::Board(crashes),
};

/// What to do where no daemon runs.
pub const START: &str =
    "start it as this system starts its services (`intercom-agent run` in the foreground)";

fn runs(_: &Panel, asked: &Asked) -> Finding {
    match asked {
        Ok(State { durable: true, .. }) => Finding::ok("runs"),
        Ok(_) => Finding::failed(
            "runs, and cannot write its record; it tries again each minute",
            "see state-durable and state-room, and leave the power on until this is ok",
        ),
        Err(NoState::NoDaemon) => Finding::failed(NoState::NoDaemon.to_string(), START),
        Err(why @ (NoState::NotAsked(_) | NoState::Refused(_))) => Finding::failed(
            why.to_string(),
            "run this as root; if that does not help, restart the daemon as this system restarts its \
             services",
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
#[derive(Debug)]
pub(super) struct State {
    pub(super) reached: Vec<Route>,
    pub(super) routes: Vec<RouteStatus>,
    durable: bool,
    /// What other software has done to the link, in words.
    pub(super) link_contest: Option<String>,
}

/// Why the daemon's state is not known.
#[derive(Debug)]
pub(super) enum NoState {
    /// No daemon runs.
    NoDaemon,
    /// It cannot be asked, or does not answer.
    NotAsked(io::Error),
    /// It says why it does not tell it.
    Refused(String),
}

/// What came of asking the daemon.
pub(super) type Asked = Result<State, NoState>;

/// How the routes of the running daemon fare; `None` if none runs, or it does not say.
pub fn routes(panel: &Panel) -> Option<Vec<RouteStatus>> {
    state(panel).ok().map(|state| state.routes)
}

/// # Errors
/// When no daemon runs, or it does not say anything.
pub(super) fn state(panel: &Panel) -> Asked {
    let socket = panel.runtime_dir().join(control::SOCKET);
    let mut told = Err(NoState::Refused("the daemon runs and does not tell its state".to_owned()));
    let asked = control::ask(&socket, &Ask::Status, |answer| match answer {
        Answer::State { reached, routes, durable, link_contest, .. } => {
            told = Ok(State { reached, routes, durable, link_contest });
        }
        Answer::Refused(why) => told = Err(NoState::Refused(why)),
        Answer::Step(_)
        | Answer::Ended { .. }
        | Answer::Back(_)
        | Answer::Restored { .. }
        | Answer::Forgotten(_) => {}
    });
    match asked {
        Ok(()) => told,
        Err(why) if control::no_daemon(&why) => Err(NoState::NoDaemon),
        Err(why) => Err(NoState::NotAsked(why)),
    }
}

impl fmt::Display for NoState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoState::NoDaemon => f.write_str("no daemon runs"),
            NoState::NotAsked(why) => write!(f, "the daemon cannot be asked: {why}"),
            NoState::Refused(why) => f.write_str(why),
        }
    }
}
