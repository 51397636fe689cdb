//! `status`: the change in progress, the last outcomes, upstream, counters.

use std::fmt::Write;

use super::args::Status as Args;
use super::exit::{Exit, Failure};
use super::output;
use crate::agent::{RouteStatus, Status};
use crate::contract::NotTold;
use crate::control::{self, Answer, Ask};
use crate::record::{Record, RecordStore};
use crate::storage::StateDir;

pub(super) fn status(args: &Args) -> Result<Exit, Failure> {
    let common = args.common();
    let (root, settings) = super::settings(&common)?;
    let socket = root.path(&settings.runtime_dir).join(control::SOCKET);
    let ask = if args.follow { Ask::Follow } else { Ask::Status };
    let mut shown = Ok(());
    let asked = control::ask(&socket, &ask, |answer| {
        let print = match answer {
            Answer::Status(status) => output::print(common.json, &status, |s| in_words(s)),
            Answer::Step(step) => output::print(common.json, &step, ToString::to_string),
            Answer::Refused(why) => Err(Failure::new(why)),
            Answer::Ended(_) => Ok(()),
        };
        if print.is_err() {
            shown = print;
        }
    });
    match asked {
        Ok(()) => shown.map(|()| Exit::Done),
        Err(why) if control::no_daemon(&why) => {
            let state = StateDir::new(&root, &settings.state_dir);
            let record = RecordStore::new(state).peek().map_err(Failure::new)?;
            match record {
                Some(record) => output::print(common.json, &record, from_record)?,
                None => output::line("no daemon runs, and there is no record yet")?,
            }
            Ok(Exit::NoDaemon)
        }
        Err(why) => Err(Failure::new(format!("the daemon cannot be asked: {why}"))),
    }
}

fn in_words(status: &Status) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<10} {value}");
    };
    row("board", status.board.to_string());
    row("current", status.current.to_string());
    row(
        "factory",
        match status.factory.known() {
            Some(factory) => factory.to_string(),
            None => "unknown".to_owned(),
        },
    );
    if let Some(id) = status.id {
        row("id", id.to_string());
    }
    for route in &status.routes {
        row("upstream", route_in_words(route));
    }
    match &status.change {
        Some(change) => row(
            "change",
            format!(
                "from {} to {}: {}; {} s until it is rolled back (attempt {})",
                change.from, change.to, change.stage, change.seconds_left, change.attempts
            ),
        ),
        None => row("change", "none".to_owned()),
    }
    if !status.durable {
        row("record", "NOT WRITTEN: the disk does not take it; trying again".to_owned());
    }
    row("waiting", format!("{} requests, {} reports", status.waiting, status.unreported));
    if let Some(NotTold { count, first, last }) = &status.outcomes_not_told {
        let [first, last] = [first, last].map(|id| id.as_ref().map_or("?", |id| id.as_str()));
        row(
            "not told",
            format!("{count} outcomes in full ({first} to {last}): their reports had to make room"),
        );
    }
    for report in &status.outcomes {
        let id = report.request_id.as_ref().map_or("without an id", |id| id.as_str());
        let outcome = report.intercom.status.as_deref().unwrap_or("unknown");
        let reason = report.reason.as_deref().unwrap_or_default();
        row("outcome", format!("{id}: {outcome} {reason}"));
    }
    text
}

fn route_in_words(status: &RouteStatus) -> String {
    let RouteStatus { route, for_seconds, reconnects, .. } = status;
    let not = if status.reached { "" } else { "not " };
    let mut text =
        format!("{not}reached over {route} for {for_seconds} s; {reconnects} reconnects");
    // Writing to a String cannot fail.
    if let Some(seconds) = status.next_attempt_in {
        let _ = write!(text, "; next attempt in {seconds} s");
    }
    if let Some(error) = &status.last_error {
        let _ = write!(text, "; last error {} s ago: {}", error.seconds_ago, error.text);
    }
    text
}

fn from_record(record: &Record) -> String {
    let mut text =
        format!("no daemon runs; the record says:\ncurrent    {}", record.current.identity);
    if let Some(change) = &record.change {
        let (from, to) = (&change.from.identity, &change.to.identity);
        text.push_str(&format!("\nchange     from {from} to {to}, not confirmed yet"));
    }
    text
}
