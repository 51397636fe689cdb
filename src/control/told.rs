//! What a command prints, as the daemon has made it: in JSON, and in words. The command understands
//! neither, so that one end alone has to know all of the state.

use std::fmt::Write;

use intercom_wire::{Identity, NotTold, Outcome, Report, json_object};
use serde::Serialize;

use crate::agent::{IgnoredFor, NOT_HEARD_BY_MAC, OutcomeStatus, PastRuns, RouteStatus, Status};
use crate::board::LinkError;
use crate::record::{Record, SeqMark};

json_object! {
    /// One thing to print.
    #[derive(Debug)]
    pub struct Told {
        json: String,
        words: String,
    }
}

/// The board after `restore`, with a daemon or without one.
#[derive(Debug, Serialize)]
pub struct BoardState {
    /// The identity that the record gives the board, or that a change in progress sets.
    pub identity: Identity,
    /// Whether the link has its MAC address, or is left alone; `None` if the link cannot be read.
    pub carried: Option<bool>,
    /// Whether a change is in progress.
    pub change_in_progress: bool,
    /// What could not be read of the board, and why; empty if nothing is missing.
    pub not_read: Vec<String>,
    /// What was done, and what could not be.
    pub remarks: Vec<String>,
}

#[derive(Serialize)]
struct Forgotten<'a> {
    forgotten: &'a [SeqMark],
}

impl Told {
    /// The state.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn state(status: &Status) -> serde_json::Result<Self> {
        Ok(Told { json: serde_json::to_string(status)?, words: state(status) })
    }

    /// The state after a rollback by hand, of which the identity is all that was asked for.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn back(status: &Status) -> serde_json::Result<Self> {
        let words = format!("the board carries {}", status.current);
        Ok(Told { json: serde_json::to_string(status)?, words })
    }

    /// The state after a rollback by hand that was itself undone for this reason.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn undone(status: &Status, why: &str) -> serde_json::Result<Self> {
        let words = format!("{}: {}\n  {UNDONE}: {why}", Outcome::RolledBack, status.current);
        Ok(Told { json: serde_json::to_string(status)?, words })
    }

    /// What `restore` made of the board.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn restored(board: &BoardState) -> serde_json::Result<Self> {
        Ok(Told { json: serde_json::to_string(board)?, words: restored(board) })
    }

    /// The marks of `seq` that were forgotten.
    ///
    /// # Errors
    /// If they cannot be written as JSON.
    pub fn forgotten(marks: &[SeqMark]) -> serde_json::Result<Self> {
        let json = serde_json::to_string(&Forgotten { forgotten: marks })?;
        Ok(Told { json, words: forgotten(marks) })
    }

    /// How a request ended.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn outcome(report: &Report) -> serde_json::Result<Self> {
        Ok(Told { json: serde_json::to_string(report)?, words: outcome(report) })
    }

    #[cfg(test)]
    pub(super) fn plain(json: &str, words: &str) -> Self {
        Told { json: json.to_owned(), words: words.to_owned() }
    }

    /// As the command was asked to print it.
    pub fn text(&self, json: bool) -> &str {
        if json { &self.json } else { &self.words }
    }
}

/// What a new record means.
pub const NEW_RECORD: &str =
    "new: nothing was decided since it began (the first start, or the state directory was wiped)";

const UNDONE: &str = "the rollback itself was undone";

fn state(status: &Status) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<10} {value}");
    };
    if status.reached.is_none() {
        row("daemon", "none runs; what only it knows is not shown".to_owned());
    }
    row("board", status.board.to_string());
    row("current", status.current.to_string());
    row(
        "factory",
        match status.factory.known() {
            Some(factory) => factory.to_string(),
            None => "unknown".to_owned(),
        },
    );
    for why in &status.not_read {
        row("not read", format!("{why}; trying again"));
    }
    if let Some(id) = status.id {
        row("id", id.to_string());
    }
    for one in status.routes.iter().flatten() {
        row("upstream", route(one));
    }
    match &status.change {
        Some(change) => {
            let left = change.seconds_left;
            let left =
                left.map_or_else(String::new, |left| format!("; {left} s until it is rolled back"));
            row(
                "change",
                format!(
                    "from {} to {}: {}{left} (attempt {})",
                    change.from, change.to, change.stage, change.attempts
                ),
            );
        }
        None => row("change", "none".to_owned()),
    }
    if let Some(why) = &status.rollback_undone {
        row("rollback", format!("{UNDONE}: {why}"));
    }
    if let Some(contest) = &status.link_contest {
        row("link", format!("{contest}; what sets it has to ask `intercom-mac` first: see doctor"));
    }
    if status.durable == Some(false) {
        row("record", "NOT WRITTEN: the disk does not take it; trying again".to_owned());
    }
    if status.record_is_new {
        row("record", NEW_RECORD.to_owned());
    }
    if let Some(unclean_ends) = status.counters.unclean_ends.filter(|count| *count > 0) {
        let past = PastRuns { unclean_ends, last_crash: status.last_crash.clone() };
        row("crashes", past.to_string());
    }
    let reports = format!("{} reports", status.unreported);
    row(
        "waiting",
        match status.waiting {
            Some(requests) => format!("{requests} requests, {reports}"),
            None => reports,
        },
    );
    for request in status.waiting_requests.iter().flatten() {
        row("", request.to_string());
    }
    if let (Some(unread), Some(seconds)) = (status.unread, status.unread_seconds) {
        row(
            "unread",
            format!(
                "{unread} reports: the broker took them, and billing has not answered for {seconds} s"
            ),
        );
    }
    for IgnoredFor { reason, count, seconds_ago } in status.ignored.iter().flatten() {
        row("ignored", format!("{count} requests, the last one {seconds_ago} s ago: {reason}"));
    }
    if let Some(NotTold { count, first, last }) = &status.outcomes_not_told {
        let [first, last] = [first, last].map(|id| id.as_ref().map_or("?", |id| id.as_str()));
        row(
            "not told",
            format!("{count} outcomes in full ({first} to {last}): their reports had to make room"),
        );
    }
    for OutcomeStatus { at, report } in &status.outcomes {
        let id = report.request_id.as_ref().map_or("without an id", |id| id.as_str());
        let outcome = report.intercom.status.as_deref().unwrap_or("unknown");
        let reason = report.reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        let at = at.as_deref().unwrap_or("at an unknown time");
        row("outcome", format!("{at} {id}: {outcome}{reason}"));
    }
    text
}

impl BoardState {
    /// `link` is whether the link agrees with the record.
    pub fn new(
        record: &Record,
        link: Result<bool, LinkError>,
        mut not_read: Vec<String>,
        remarks: Vec<String>,
    ) -> Self {
        let carried = link.map_err(|why| not_read.push(why.to_string())).ok();
        BoardState {
            identity: record.carried().identity.clone(),
            carried,
            change_in_progress: record.change.is_some(),
            not_read,
            remarks,
        }
    }
}

fn restored(board: &BoardState) -> String {
    let identity = &board.identity;
    let mut text = match board.carried {
        Some(true) => format!("the board carries {identity}"),
        Some(false) => format!("the board does NOT carry {identity}"),
        None => format!("it is not known whether the board carries {identity}"),
    };
    for why in &board.not_read {
        text.push_str("\n  not known yet: ");
        text.push_str(why);
    }
    for remark in &board.remarks {
        text.push_str("\n  ");
        text.push_str(remark);
    }
    text
}

fn forgotten(marks: &[SeqMark]) -> String {
    let mut text = match marks.len() {
        0 => "there is no mark of a seq".to_owned(),
        _ => "forgotten:".to_owned(),
    };
    for SeqMark { issuer, intercom, seq } in marks {
        let issuer = issuer.as_ref().map_or("no issuer", |issuer| issuer.as_str());
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  seq {seq} of {issuer} for {intercom}");
    }
    text
}

fn route(status: &RouteStatus) -> String {
    let RouteStatus { route, server, for_seconds, reconnects, .. } = status;
    let route = route.label();
    let not = if status.reached { "" } else { "not " };
    let mut text = format!("{not}reached over {route} for {for_seconds} s");
    // Writing to a String cannot fail.
    if status.reached {
        let _ = write!(text, " at {server}");
    }
    let _ = write!(text, "; {reconnects} reconnects");
    if let Some(seconds) = status.next_attempt_in {
        let _ = write!(text, "; next attempt in {seconds} s");
    }
    if let Some(topic) = &status.refused_topic {
        let _ = write!(text, "; the broker refuses {topic}: {NOT_HEARD_BY_MAC}");
    }
    if let Some(error) = &status.last_error {
        let _ = write!(text, "; last error {} s ago: {}", error.seconds_ago, error.text);
    }
    text
}

fn outcome(report: &Report) -> String {
    let status = report.intercom.status.as_deref().unwrap_or("unknown");
    let mut text = status.to_owned();
    if let Some(identity) = report.identity() {
        text.push_str(&format!(": {identity}"));
    }
    if let Some(reason) = &report.reason {
        text.push_str(&format!("\n  {reason}"));
    }
    text
}
