//! `doctor`: every check of the board, with what to do about what is wrong.

use std::fmt::Write;

use serde::Serialize;

use super::args::Doctor;
use super::exit::{Exit, Failure};
use super::output;
use super::progress::while_working;
use crate::doctor::{Checked, State, examine};
use crate::panel::Panel;

#[derive(Serialize)]
struct Answer {
    worst: State,
    checks: Vec<Checked>,
}

pub(super) fn doctor(doctor: &Doctor) -> Result<Exit, Failure> {
    let common = doctor.common();
    let checks = checks(&super::panel(&common)?);
    let worst = checks.iter().map(|check| check.finding.state).max().unwrap_or(State::Ok);
    let answer = Answer { worst, checks };
    output::print(common.json, &answer, |answer| in_words(&answer.checks))?;
    Ok(Exit::from(worst))
}

/// All of them, which may take their time.
pub(super) fn checks(panel: &Panel) -> Vec<Checked> {
    while_working("looking at the board and the routes", || examine(panel))
}

/// One line for each check, and what to do below those that need it.
pub(super) fn in_words(checks: &[Checked]) -> String {
    let mut text = String::new();
    for Checked { id, finding, .. } in checks {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<8} {id:<20} {}", finding.state.label(), finding.found);
        if let Some(advice) = &finding.advice {
            let _ = writeln!(text, "{:<8} -> {advice}", "");
        }
    }
    let count = |state| checks.iter().filter(|check| check.finding.state == state).count();
    let _ = writeln!(
        text,
        "{} checks: {} failed, {} with a warning",
        checks.len(),
        count(State::Failed),
        count(State::Warning)
    );
    text
}
