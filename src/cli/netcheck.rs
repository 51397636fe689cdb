//! `netcheck`: the way upstream, leg by leg.

use std::fmt::Write;

use serde::Serialize;

use super::args::Netcheck;
use super::exit::{Exit, Failure};
use super::output;
use crate::doctor::netcheck::{Leg, Way, netcheck as look};
use crate::doctor::{State, daemon};

#[derive(Serialize)]
struct Answer {
    worst: State,
    routes: Vec<Way>,
}

pub(super) fn netcheck(netcheck: &Netcheck) -> Result<Exit, Failure> {
    let common = netcheck.common();
    let panel = super::panel(&common)?;
    let routes = look(&panel, daemon::routes(&panel).as_deref()).map_err(Failure::new)?;
    if routes.is_empty() {
        return Err(Failure::usage(
            "no route is configured: give the configuration an [mqtt] or an [http] section",
        ));
    }
    let worst = routes.iter().map(Way::worst).max().unwrap_or(State::Ok);
    let answer = Answer { worst, routes };
    output::print(common.json, &answer, |answer| in_words(&answer.routes))?;
    Ok(Exit::from(worst))
}

fn in_words(ways: &[Way]) -> String {
    let mut text = String::new();
    for Way { route, server, legs } in ways {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}  {server}", route.label());
        for Leg { leg, finding, ms, .. } in legs {
            let took = ms.map_or_else(String::new, |ms| format!("{ms} ms"));
            let state = finding.state.label();
            let _ = writeln!(text, "{state:<8} {leg:<7} {took:>8}  {}", finding.found);
            if let Some(advice) = &finding.advice {
                let _ = writeln!(text, "         -> {advice}");
            }
        }
    }
    text
}
