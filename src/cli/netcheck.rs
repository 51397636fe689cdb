//! `netcheck`: the way upstream, leg by leg.

use serde::Serialize;

use super::args::Netcheck;
use super::exit::{Exit, Failure};
use super::output;
use super::progress::Progress as Waiting;
use crate::doctor::netcheck::{Leg, Progress, Way, netcheck as look};
use crate::doctor::{State, daemon};

#[derive(Serialize)]
struct Answer {
    worst: State,
    routes: Vec<Way>,
}

pub(super) fn netcheck(netcheck: &Netcheck) -> Result<Exit, Failure> {
    let common = netcheck.common();
    let panel = super::panel(&common)?;
    let mut waiting = Waiting::of_legs();
    let mut shown = Ok(());
    let mut tell = |progress: Progress<'_>| match progress {
        Progress::Waits(what) => waiting.still_for(what),
        Progress::Begins(..) | Progress::Done(_) if common.json => {}
        Progress::Begins(..) | Progress::Done(_) => {
            waiting.erase();
            if shown.is_ok() {
                shown = output::words(&in_words(&progress));
            }
        }
    };
    let routes =
        look(&panel, daemon::routes(&panel).as_deref(), &mut tell).map_err(Failure::new)?;
    waiting.erase();
    shown?;
    if routes.is_empty() {
        return Err(Failure::usage(
            "no route is configured: give the configuration an [mqtt] or an [http] section",
        ));
    }
    let worst = routes.iter().map(Way::worst).max().unwrap_or(State::Ok);
    if common.json {
        output::json(&Answer { worst, routes })?;
    }
    Ok(Exit::from(worst))
}

fn in_words(progress: &Progress<'_>) -> String {
    match progress {
        Progress::Begins(route, server) => format!("{}  {server}", route.label()),
        Progress::Done(Leg { leg, finding, ms, .. }) => {
            let took = ms.map_or_else(String::new, |ms| format!("{ms} ms"));
            let state = finding.state.label();
            let line = format!("{state:<8} {leg:<7} {took:>8}  {}", finding.found);
            match &finding.advice {
                Some(advice) => format!("{line}\n         -> {advice}"),
                None => line,
            }
        }
        Progress::Waits(what) => (*what).to_owned(),
    }
}
