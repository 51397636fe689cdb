//! `check`: what a request would do here, and why. Changes nothing.

use std::fmt;

use intercom_wire::{Request, Unreadable};
use serde_json::{Value, json};

use super::args::{Check, Way};
use super::exit::{Exit, Failure};
use super::{by_hand, output, payload};
use crate::agent::WaitingRequest;
use crate::control::{self, Answer, Ask};
use crate::decide::{Decision, Delivered, Facts, MacOwner, Past, Timing, Via, decide};
use crate::panel::Panel;
use crate::record::Ledger;

pub(super) fn check(check: &Check) -> Result<Exit, Failure> {
    let common = check.common();
    let panel = super::panel(&common)?;
    let delivery = payload::read(&check.file)?;
    let (payload, signature) = panel.settings.signature.keys.open(&delivery);
    by_hand::look_over(&payload)?;
    let request = Request::read(&payload);
    let record = panel.record().map_err(Failure::new)?;
    let rules = panel.rules();
    let decision = decide(
        &request,
        &Delivered {
            via: match check.via {
                Way::MacTopic => Via::MacTopic,
                Way::BoardTopic => Via::BoardTopic,
                Way::PendingList => Via::PendingList,
                Way::Installer => Via::Installer,
            },
            timing: if check.again { Timing::Again } else { Timing::Live },
            signature,
            is_fresh: true,
            deferrals: 0,
        },
        &Facts {
            require_signature: rules.require_signature,
            current: &record.current,
            board: &record.board,
            id: rules.own_id(&record),
            models: &rules.models,
            owner: match &check.held_by {
                Some(board) => MacOwner::AnotherBoard(Some(board.clone())),
                None => MacOwner::Nobody,
            },
            changing: record.change.is_some(),
            in_progress: record.change.as_ref().map(|change| &change.cause),
            still_reading: record.has_unread(),
            past: Past { durable: &record.ledger, volatile: &Ledger::default() },
        },
    );
    let hooks = match &decision {
        Decision::Apply(_) => asked_first(&panel, &request),
        _ => AskedFirst::default(),
    };
    let mut as_json = as_json(&decision, &record.current.identity);
    if let (Decision::Apply(_), Value::Object(apply)) = (&decision, &mut as_json) {
        apply.insert("hooks_are_asked".to_owned(), hooks.exist.into());
        apply.insert("waiting".to_owned(), json!(hooks.waiting));
    }
    output::print(common.json, &as_json, |_| {
        in_words(&decision, &record.current.identity) + &hooks.to_string()
    })?;
    Ok(Exit::from(&decision))
}

/// What may keep a request from being applied at once. The hooks themselves are not asked.
#[derive(Default)]
struct AskedFirst {
    exist: bool,
    /// The same request, where it waits in the daemon.
    waiting: Option<WaitingRequest>,
}

impl fmt::Display for AskedFirst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.waiting, self.exist) {
            (Some(waiting), _) => write!(f, "\n  in the daemon {waiting}"),
            (None, true) => {
                f.write_str("\n  the hooks are asked first: one that says \"not now\" defers it")
            }
            (None, false) => Ok(()),
        }
    }
}

fn asked_first(panel: &Panel, request: &Result<Request, Unreadable>) -> AskedFirst {
    let exist = panel.hooks().find().is_ok_and(|(hooks, _)| !hooks.is_empty());
    let Ok(request) = request else { return AskedFirst { exist, waiting: None } };
    let (key, mut found) = (request.key().to_string(), None);
    // Without a daemon nothing waits.
    let _ = control::ask(&panel.runtime_dir().join(control::SOCKET), &Ask::Status, |answer| {
        if let Answer::State { waiting, .. } = answer {
            found = waiting.into_iter().find(|waiting| waiting.request == key);
        }
    });
    AskedFirst { exist, waiting: found }
}

fn as_json(decision: &Decision, current: &intercom_wire::Identity) -> Value {
    match decision {
        Decision::Apply(to) => json!({"decision": "apply", "from": current, "to": to}),
        Decision::AlreadyInstalled => json!({"decision": "already installed", "identity": current}),
        Decision::Reject(errors) => {
            json!({"decision": "reject", "message": errors.message(), "errors": errors})
        }
        Decision::Ignore(why) => json!({"decision": "ignore", "reason": why.to_string()}),
        Decision::AlreadyDone(report) | Decision::StillHolds(report) => {
            json!({"decision": "already done", "report": report})
        }
        Decision::Overtaken(mark) => {
            json!({"decision": "already done", "reason": OVERTAKEN, "seq_mark": mark})
        }
        Decision::Hint => json!({"decision": "ignore", "reason": HINT}),
        Decision::InProgress => json!({"decision": "keep", "reason": IN_PROGRESS}),
        Decision::Defer(board) => json!({"decision": "deferred", "held_by": board}),
        Decision::AwaitBoard => json!({"decision": "await", "reason": AWAIT_BOARD}),
        Decision::DeferUnknown(..) => json!({"decision": "deferred", "held_by": null}),
        Decision::LookUp(mac) => json!({"decision": "look up", "mac": mac}),
        Decision::Keep => json!({"decision": "keep"}),
    }
}

const AWAIT_BOARD: &str = "what the board itself is cannot be read now; a running daemon tries again \
                           for ten minutes; `intercom-agent doctor` says what could not be read";
const OVERTAKEN: &str = "a later request for the same intercom was decided before";
const HINT: &str = "it does not name what this panel last said upstream, so it may be an old one";
const IN_PROGRESS: &str = "the change in progress is this request's";

fn in_words(decision: &Decision, current: &intercom_wire::Identity) -> String {
    match decision {
        Decision::Apply(to) => format!("apply: from {current} to {to}"),
        Decision::AlreadyInstalled => format!("already installed: this board is {current}"),
        Decision::Reject(errors) => {
            let mut text = format!("reject: {errors}");
            for (field, texts) in errors.fields() {
                for error in texts {
                    text.push_str(&format!("\n  {field}: {error}"));
                }
            }
            text
        }
        Decision::Ignore(why) => format!("ignore: {why}"),
        Decision::AlreadyDone(report) | Decision::StillHolds(report) => {
            let status = report.intercom.status.as_deref().unwrap_or("unknown");
            format!("already done: it ended as {status}, which would be reported again")
        }
        Decision::Overtaken(mark) => format!("already done: {OVERTAKEN}, with the seq {mark}"),
        Decision::Hint => format!("ignore: {HINT}"),
        Decision::InProgress => format!("keep: {IN_PROGRESS}"),
        Decision::Defer(Some(board)) => format!("deferred: board {board} has the new MAC now"),
        Decision::Defer(None) => "deferred: another board has the new MAC now".to_owned(),
        Decision::AwaitBoard => format!("await: {AWAIT_BOARD}"),
        Decision::DeferUnknown(mac, _) => format!("deferred: it is not known who has {mac} now"),
        Decision::LookUp(mac) => format!("look up: who has {mac} now?"),
        Decision::Keep => "keep: until the change in progress has ended".to_owned(),
    }
}
