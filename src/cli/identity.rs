//! `identity`: what the board is, and where each value was read.

use std::fmt::Write;

use serde::Serialize;

use super::args::Identity;
use super::exit::{Exit, Failure};
use super::output;
use crate::board::{Known, Survey};
use crate::record::{Current, Reading};
use crate::record_store::RecordStore;

#[derive(Serialize)]
struct Answer {
    /// What the record says; `None` before the agent first ran.
    current: Option<Current>,
    #[serde(flatten)]
    survey: Survey,
}

pub(super) fn identity(identity: &Identity) -> Result<Exit, Failure> {
    let common = identity.common();
    let panel = super::panel(&common)?;
    let mut store = RecordStore::new(panel.state());
    let mut survey = panel.survey;
    let current = store.peek().map_err(Failure::new)?.map(|record| {
        // What the configuration says counts at the first start alone.
        survey.board = Some(Known::new(record.board, "record"));
        record.current
    });
    let answer = Answer { current, survey };
    output::print(common.json, &answer, in_words)?;
    Ok(Exit::Done)
}

fn in_words(answer: &Answer) -> String {
    let mut text = String::new();
    let survey = &answer.survey;
    let mut row = |name: &str, value: Option<(String, &str)>| {
        // Writing to a String cannot fail.
        let _ = match value {
            Some((value, source)) => writeln!(text, "{name:<14} {value}  ({source})"),
            None => writeln!(text, "{name:<14} unknown"),
        };
    };
    row("MAC", in_row(&survey.mac, |mac| show(&mac.mac)));
    row("serial number", in_row(&survey.serial_number, show));
    match survey.models.as_slice() {
        [] => row("model", None),
        models => models.iter().for_each(|model| row("model", Some(show(model)))),
    }
    row("board", survey.board.as_ref().map(show));
    row("id", survey.id.as_ref().map(show));
    row("link", survey.link.as_ref().map(|link| show(&link.mac)));
    row("record", answer.current.as_ref().map(|current| (current.identity.to_string(), "record")));
    for warning in &survey.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

fn in_row<'a, T>(
    reading: &'a Reading<T>,
    show: impl Fn(&'a T) -> (String, &'a str),
) -> Option<(String, &'a str)> {
    match reading {
        Reading::Found(known) => Some(show(known)),
        Reading::Absent => None,
        Reading::Unreadable => Some(("not known yet".to_owned(), "it cannot be read")),
    }
}

fn show<T: ToString>(known: &Known<T>) -> (String, &str) {
    (known.value.to_string(), &known.source)
}
