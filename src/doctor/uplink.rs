//! The uplink: the daemon runs, and reaches whom it is to reach.

use super::{Check, Finding};
use crate::control::{self, Answer, Ask};
use crate::panel::Panel;
use crate::record::Route;

pub(super) const DAEMON: Check =
    Check { id: "daemon", description: "the daemon runs and can write its record", look: daemon };

pub(super) const CHECKED: Check = Check {
    id: "server",
    description: "every server is checked before it is trusted",
    look: checked,
};

pub(super) const REACHED: Check =
    Check { id: "uplink", description: "every configured route reaches upstream", look: uplink };

fn daemon(panel: &Panel) -> Finding {
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

fn checked(panel: &Panel) -> Finding {
    match panel.settings.insecure().as_slice() {
        [] => Finding::ok("no certificate check is switched off"),
        sections => Finding::warning(
            format!(
                "{} checks no certificate (`insecure = true`): whoever answers there can send requests",
                sections.join(" and ")
            ),
            "set `ca_file` to the PEM file of the server's authority, and take `insecure` away",
        ),
    }
}

fn uplink(panel: &Panel) -> Finding {
    let mqtt = panel.settings.mqtt.as_ref().map(|mqtt| (Route::Mqtt, mqtt.broker.to_string()));
    let http = panel.settings.http.as_ref().map(|http| (Route::Http, http.base.to_string()));
    let configured: Vec<_> = mqtt.into_iter().chain(http).collect();
    if configured.is_empty() {
        return Finding::failed(
            "none is configured: no request can come, only `apply --offline` works",
            "give the configuration an [mqtt] or an [http] section",
        );
    }
    let state = match state(panel) {
        Ok(state) => state,
        Err(why) => return Finding::failed(format!("not known: {why}"), "see daemon"),
    };
    let (reached, missed): (Vec<_>, Vec<_>) =
        configured.into_iter().partition(|(route, _)| state.reached.contains(route));
    let list = |routes: &[(Route, String)]| {
        let each = routes.iter().map(|(route, at)| format!("{} at {at}", route.label()));
        each.collect::<Vec<_>>().join(" and ")
    };
    let advice = "the daemon's log says why: cable, DHCP, name lookup, certificate or password";
    match (reached.as_slice(), missed.as_slice()) {
        (reached, []) => Finding::ok(format!("reached over {}", list(reached))),
        ([], missed) => Finding::failed(format!("not reached over {}", list(missed)), advice),
        (reached, missed) => Finding::warning(
            format!("reached over {}, not over {}", list(reached), list(missed)),
            advice,
        ),
    }
}

/// What the daemon says.
pub(super) struct State {
    reached: Vec<Route>,
    durable: bool,
    /// What other software has done to the link, in words.
    pub(super) link_contest: Option<String>,
}

/// # Errors
/// That no daemon runs, or that it does not say anything.
pub(super) fn state(panel: &Panel) -> Result<State, String> {
    let socket = panel.runtime_dir().join(control::SOCKET);
    let mut told = Err("the daemon runs and does not tell its state".to_owned());
    let asked = control::ask(&socket, &Ask::Status, |answer| match answer {
        Answer::State { reached, durable, link_contest, .. } => {
            told = Ok(State { reached, durable, link_contest });
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
